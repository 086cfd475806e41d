use homerealm_certs::{JwsAlgorithm, SigningKey, SystemRandom, UnverifiedJws, sign_compact};
use serde_json::{Value, json};

use super::*;
use crate::catalog::{Connection, Identity, LoginRecord, ResourceServer};
use crate::oauth::code;
use crate::oauth::fixtures::{API, Broker, WEB, texts};
use crate::oauth::target;
use crate::oauth::token_issuer::{AccessGrant, IdTokenGrant, Subject, TokenIssuer};

async fn token(broker: &Broker, scopes: &[&str]) -> String {
    let login = broker.login().await;
    let api = target::by_identifier(&broker.app().catalog, API).await.unwrap();
    let subject = Subject::User { login: &login, family: "fam_1" };
    let scopes = texts(scopes);
    let grant = AccessGrant {
        client_id: WEB,
        api: api.as_deref(),
        scopes: &scopes,
        subject,
        confirmation: None,
    };
    issuer(broker).access_token(&grant).await.unwrap().token
}

fn issuer(broker: &Broker) -> TokenIssuer<'_> {
    TokenIssuer {
        issuer: broker.issuer(),
        keys: broker.app().keys.current(),
        random: &SystemRandom,
        now: broker.now(),
    }
}

async fn asked(broker: &Broker, token: &str) -> Result<Value, &'static str> {
    match userinfo(broker.app(), PresentedToken::bearer(token), broker.now())
        .await
        .map(|answer| answer.body)
    {
        Ok(UserInfoBody::Json(info)) => Ok(serde_json::to_value(info).unwrap()),
        Ok(UserInfoBody::Jwt(token)) => Ok(Value::String(token)),
        Err(UserInfoError::InsufficientScope) => Err("insufficient_scope"),
        Err(UserInfoError::InvalidToken) => Err("invalid_token"),
        Err(UserInfoError::Dpop(_)) => Err("dpop"),
        Err(UserInfoError::Trouble(_)) => Err("trouble"),
    }
}

#[actix_web::test]
async fn gives_the_claims_that_the_scopes_allow() {
    let broker = Broker::start().await;
    let sub = broker.user().await.id.clone();

    let claims = asked(&broker, &token(&broker, &["openid", "email", "read"]).await).await;
    assert_eq!(
        claims,
        Ok(json!({"sub": sub, "email": "ada@acme.example", "email_verified": true}))
    );

    let claims = asked(&broker, &token(&broker, &["openid", "profile"]).await).await;
    assert_eq!(claims, Ok(json!({"sub": sub, "name": "Ada", "groups": ["staff"]})));

    let claims = asked(&broker, &token(&broker, &["read"]).await).await;
    assert_eq!(claims, Err("insufficient_scope"));
}

#[actix_web::test]
async fn a_token_is_good_until_the_second_it_expires() {
    let broker = Broker::start().await;
    let token = token(&broker, &["openid"]).await;

    broker.clock.advance(899);
    assert!(asked(&broker, &token).await.is_ok());
    broker.clock.advance(1);
    assert_eq!(asked(&broker, &token).await, Err("invalid_token"));
}

#[actix_web::test]
async fn a_revoked_family_gives_nothing() {
    let broker = Broker::start().await;
    let token = token(&broker, &["openid"]).await;

    code::revoke(&broker.app().records, "fam_1", broker.now()).await.unwrap();

    assert_eq!(asked(&broker, &token).await, Err("invalid_token"));
}

#[actix_web::test]
async fn a_blocked_user_gives_nothing() {
    let broker = Broker::start().await;
    let token = token(&broker, &["openid"]).await;
    let user = broker.user().await.id.clone();

    broker.change::<User>(&user, |user| user.blocked = true).await;

    assert_eq!(asked(&broker, &token).await, Err("invalid_token"));
}

#[actix_web::test]
async fn a_client_that_was_switched_off_learns_nothing_more() {
    let broker = Broker::start().await;
    let token = token(&broker, &["openid"]).await;
    assert!(asked(&broker, &token).await.is_ok());

    broker.change::<Client>(WEB, |client| client.enabled = false).await;

    assert_eq!(asked(&broker, &token).await, Err("invalid_token"));
}

#[actix_web::test]
async fn every_algorithm_of_ours_is_taken() {
    let broker = Broker::start().await;
    for algorithm in JwsAlgorithm::ALL {
        broker.change::<ResourceServer>(API, |api| api.signing_alg = algorithm).await;
        assert!(asked(&broker, &token(&broker, &["openid"]).await).await.is_ok(), "{algorithm}");
    }
}

#[actix_web::test]
async fn nothing_but_an_access_token_of_ours_passes() {
    let broker = Broker::start().await;
    let good = token(&broker, &["openid"]).await;
    let parts: Vec<_> = good.split('.').collect();
    let claims = json!({
        "iss": broker.issuer(), "sub": broker.user().await.id, "exp": broker.now().timestamp() + 60,
        "jti": "fam_1.x", "client_id": WEB, "scope": "openid"
    });
    let login = broker.login().await;
    let id_token = IdTokenGrant {
        client_id: WEB,
        algorithm: JwsAlgorithm::Es256,
        login: &login,
        nonce: None,
        access_token: &good,
        claims: UserClaims::default(),
    };
    let ours = broker.app().keys.current();
    let ours = ours.active(JwsAlgorithm::Es256).unwrap();
    let theirs = SigningKey::generate(JwsAlgorithm::Es256).unwrap();
    let of_another_issuer = json!({"iss": "https://other.example"});
    let mut foreign = claims.clone();
    foreign["iss"] = of_another_issuer["iss"].clone();

    assert!(asked(&broker, &sign_compact(ours, "at+jwt", &claims).unwrap()).await.is_ok());
    for bad in [
        String::new(),
        "x".to_owned(),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}.{}", parts[0], parts[1], "A".repeat(86)),
        // {"alg":"none","typ":"at+jwt"}
        format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{}.", parts[1]),
        issuer(&broker).id_token(id_token).await.unwrap(),
        sign_compact(ours, "JWT", &claims).unwrap(),
        sign_compact(&theirs, "at+jwt", &claims).unwrap(),
        sign_compact(ours, "at+jwt", &foreign).unwrap(),
        sign_compact(ours, "at+jwt", &json!({"iss": broker.issuer()})).unwrap(),
    ] {
        assert_eq!(asked(&broker, &bad).await, Err("invalid_token"), "{bad}");
    }
}

#[actix_web::test]
async fn a_clients_own_token_names_no_user() {
    let broker = Broker::start().await;
    let scopes = texts(&["openid"]);
    let grant = AccessGrant {
        client_id: WEB,
        api: None,
        scopes: &scopes,
        subject: Subject::Client,
        confirmation: None,
    };

    let token = issuer(&broker).access_token(&grant).await.unwrap().token;

    assert_eq!(asked(&broker, &token).await, Err("invalid_token"));
}

/// Another customer's connection, by which the same user signed in last; an admin has linked both.
async fn signs_in_elsewhere(broker: &Broker) {
    let catalog = &broker.app().catalog;
    let own = catalog.get::<Connection>("acme-oidc").await.unwrap().unwrap();
    let other = Connection {
        id: "con_other".to_owned(),
        name: "other-oidc".to_owned().try_into().unwrap(),
        domains: Vec::new(),
        organization: None,
        ..Connection::clone(&own)
    };
    catalog.insert(&other).await.unwrap();
    let identity = Identity {
        connection: other.name,
        issuer: "https://idp.other.example".to_owned(),
        subject: "7".to_owned(),
    };
    let user = broker.user().await.id.clone();
    broker.change::<User>(&user, |user| user.identities.push(identity.clone())).await;
    let claims =
        NormalizedClaims { name: Some("Elsewhere".to_owned()), ..NormalizedClaims::default() };
    let (organizations, new_user_id) = (Vec::new(), "usr_unused".to_owned());
    let login = LoginRecord {
        identity,
        claims,
        organizations,
        new_user_id,
        arrival: Default::default(),
        now: broker.now(),
    };
    let (signed_in, _) = catalog.record_login(login).await.unwrap();
    assert_eq!(
        (signed_in.id.as_str(), signed_in.claims.name.as_deref()),
        (&*user, Some("Elsewhere"))
    );
}

#[actix_web::test]
async fn the_claims_are_those_of_the_tokens_own_connection() {
    let broker = Broker::start().await;
    let token = token(&broker, &["openid", "profile", "email"]).await;
    let before = asked(&broker, &token).await.unwrap();

    signs_in_elsewhere(&broker).await;

    assert_eq!(asked(&broker, &token).await, Ok(before));
    let user = broker.user().await;
    let elsewhere = user.claims_by(&"other-oidc".to_owned().try_into().unwrap());
    assert_eq!(elsewhere.unwrap().name.as_deref(), Some("Elsewhere"));
    assert_eq!(user.claims_by(&"third".to_owned().try_into().unwrap()), None);
}

#[actix_web::test]
async fn a_disabled_connection_gives_nothing() {
    let broker = Broker::start().await;
    let token = token(&broker, &["openid"]).await;

    broker.change::<Connection>("acme-oidc", |connection| connection.enabled = false).await;

    assert_eq!(asked(&broker, &token).await, Err("invalid_token"));
}

#[actix_web::test]
async fn a_revoked_token_gives_nothing() {
    let broker = Broker::start().await;
    let (revoked, other) = (token(&broker, &["openid"]).await, token(&broker, &["openid"]).await);
    let presented = access_token::read(broker.app(), &revoked, broker.now()).unwrap();

    access_token::revoke(&broker.app().records, &presented.claims, broker.now()).await.unwrap();

    assert_eq!(asked(&broker, &revoked).await, Err("invalid_token"));
    assert!(asked(&broker, &other).await.is_ok());
}

/// OIDC Core §5.3.2.
#[actix_web::test]
async fn the_answer_is_signed_for_a_client_that_registered_it() {
    let broker = Broker::start().await;
    let token = token(&broker, &["openid", "email"]).await;
    broker
        .change::<Client>(WEB, |client| {
            client.signed_answers.userinfo_signed_response_alg = Some(JwsAlgorithm::EdDsa);
        })
        .await;

    let answer = asked(&broker, &token).await.unwrap();

    let read = UnverifiedJws::parse(answer.as_str().unwrap()).unwrap();
    let keys = broker.app().keys.current();
    let key = keys.by_kid(read.kid().unwrap()).unwrap();
    assert_eq!(key.algorithm(), JwsAlgorithm::EdDsa);
    let allowed = [key.algorithm().signature_algorithm()];
    let claims = read.verify(key.verification_key(), &allowed).unwrap().claims().unwrap();
    let expected = json!({
        "iss": broker.issuer(), "aud": WEB, "sub": broker.user().await.id,
        "email": "ada@acme.example", "email_verified": true,
    });
    assert_eq!(Value::Object(claims), expected);
}
