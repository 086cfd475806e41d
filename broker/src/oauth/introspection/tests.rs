use homerealm_certs::UnverifiedJws;
use serde_json::Value;

use super::*;
use crate::catalog::{Connection, ResourceServer, User};
use crate::oauth::fixtures::buying::{Fields, basic};
use crate::oauth::fixtures::{API, Broker, MACHINE, SECRET, SPA, WEB, form};
use crate::oauth::params::Params;
use crate::oauth::sender_constraint::Sender;
use crate::oauth::token::{Authorization, token};
use crate::oauth::{code, revocation};

async fn asked(
    broker: &Broker,
    client: Option<&str>,
    fields: &Fields<'_>,
) -> Result<Value, &'static str> {
    let header = client.map(basic);
    let params = Params::parse(&form(fields)).unwrap();
    let authorization = header.as_deref().map(Authorization);
    let request = TokenRequest { authorization, sender: Sender::default(), params: &params };
    match introspect(broker.app(), request, Form::Json, broker.now()).await {
        Ok(Introspection::Json(answer)) => Ok(answer),
        Ok(Introspection::Signed(_)) => panic!("signed"),
        Err(error) => Err(error.word()),
    }
}

async fn told(broker: &Broker, client: &str, token: &str) -> Value {
    asked(broker, Some(client), &vec![("token", token)]).await.unwrap()
}

fn inactive() -> Value {
    json!({"active": false})
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap()
}

/// RFC 7662 §2.2.
#[actix_web::test]
async fn a_client_learns_all_about_its_own_access_token() {
    let broker = Broker::start().await;
    let (tokens, family) = broker.tokens().await;

    let answer = told(&broker, WEB, text(&tokens, "access_token")).await;

    let token = UnverifiedJws::parse(text(&tokens, "access_token")).unwrap();
    let mut said: Value = serde_json::from_slice(token.unverified_payload()).unwrap();
    said["active"] = json!(true);
    said["token_type"] = json!("Bearer");
    assert_eq!(answer, said);
    assert_eq!(answer["scope"], "openid email offline_access read write");
    assert!(answer["jti"].as_str().unwrap().starts_with(&family));
}

#[actix_web::test]
async fn a_clients_token_of_its_own_is_introspected_too() {
    let broker = Broker::start().await;
    let fields = vec![
        ("grant_type", "client_credentials"),
        ("client_id", MACHINE),
        ("client_secret", SECRET),
        ("audience", API),
    ];
    let params = Params::parse(&form(&fields)).unwrap();
    let request = TokenRequest { authorization: None, sender: Sender::default(), params: &params };
    let tokens = token(broker.app(), request, broker.now()).await.unwrap();
    let tokens = serde_json::to_value(tokens).unwrap();

    let own = vec![
        ("token", text(&tokens, "access_token")),
        ("client_id", MACHINE),
        ("client_secret", SECRET),
    ];
    let answer = asked(&broker, None, &own).await.unwrap();

    let machine = json!(format!("client|{MACHINE}"));
    assert_eq!((&answer["active"], &answer["sub"]), (&json!(true), &machine));
}

/// RFC 7662 §2.1, §4: who has nothing to do with a token learns nothing about it.
#[actix_web::test]
async fn others_learn_nothing_unless_the_api_says_so() {
    let broker = Broker::start().await;
    let (tokens, _) = broker.tokens().await;
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    assert_eq!(told(&broker, "app_other", access).await, inactive());

    let introspector = |api: &mut ResourceServer| {
        api.introspection_clients = vec!["app_other".to_owned()];
    };
    broker.change::<ResourceServer>(API, introspector).await;

    assert_eq!(told(&broker, "app_other", access).await["active"], true);
    assert_eq!(told(&broker, "app_other", refresh).await, inactive(), "it is for its client");
}

/// RFC 7662 §2.2: nothing more is said of a token that does not count.
#[actix_web::test]
async fn what_does_not_count_is_inactive_and_nothing_more() {
    let broker = Broker::start().await;
    let (good, family) = broker.tokens().await;
    let access = text(&good, "access_token");
    for nothing in ["x", "a.b.c", "fam_1.a.b", text(&good, "id_token")] {
        assert_eq!(told(&broker, WEB, nothing).await, inactive(), "{nothing}");
    }

    let user = broker.user().await.id.clone();
    broker.change::<User>(&user, |user| user.blocked = true).await;
    assert_eq!(told(&broker, WEB, access).await, inactive());
    assert_eq!(told(&broker, WEB, text(&good, "refresh_token")).await, inactive());
    broker.change::<User>(&user, |user| user.blocked = false).await;
    broker.change::<Connection>("acme-oidc", |connection| connection.enabled = false).await;
    assert_eq!(told(&broker, WEB, access).await, inactive());
    broker.change::<Connection>("acme-oidc", |connection| connection.enabled = true).await;
    assert_eq!(told(&broker, WEB, access).await["active"], true);

    code::revoke(&broker.app().records, &family, broker.now()).await.unwrap();
    assert_eq!(told(&broker, WEB, access).await, inactive());
    assert_eq!(told(&broker, WEB, text(&good, "refresh_token")).await, inactive());
}

#[actix_web::test]
async fn an_access_token_is_active_until_the_second_it_expires_and_not_once_it_is_revoked() {
    let broker = Broker::start().await;
    let ((old, _), (revoked, _)) = (broker.tokens().await, broker.tokens().await);
    let (header, body) = (basic(WEB), form(&[("token", text(&revoked, "access_token"))]));
    let params = Params::parse(&body).unwrap();
    let request = TokenRequest {
        authorization: Some(Authorization(&header)),
        sender: Sender::default(),
        params: &params,
    };
    revocation::revoke(broker.app(), request, broker.now()).await.unwrap();

    assert_eq!(told(&broker, WEB, text(&revoked, "access_token")).await, inactive());
    broker.clock.advance(899);
    assert_eq!(told(&broker, WEB, text(&revoked, "access_token")).await, inactive());
    assert_eq!(told(&broker, WEB, text(&old, "access_token")).await["active"], true);
    broker.clock.advance(1);
    assert_eq!(told(&broker, WEB, text(&old, "access_token")).await, inactive());
}

#[actix_web::test]
async fn a_refresh_token_is_active_until_it_is_rotated() {
    let broker = Broker::start().await;
    let (first, _) = broker.tokens().await;
    let old = text(&first, "refresh_token");

    let answer = told(&broker, WEB, old).await;

    let now = broker.now().timestamp();
    assert_eq!(
        answer,
        json!({
            "active": true, "iss": broker.issuer(), "client_id": WEB, "sub": broker.user().await.id,
            "scope": "openid email offline_access read write", "iat": now, "exp": now + 15 * 86_400,
        })
    );
    broker.clock.advance(60);
    let refreshing = [("grant_type", "refresh_token"), ("refresh_token", old)];
    let second = broker.buys(Some(WEB), &refreshing).await.unwrap();
    assert_eq!(told(&broker, WEB, old).await, inactive(), "also in its grace");
    let answer = told(&broker, WEB, text(&second, "refresh_token")).await;
    assert_eq!(answer["exp"], now + 60 + 15 * 86_400);
}

/// RFC 7662 §2.1, §2.3; THREATS A12.
#[actix_web::test]
async fn each_wrong_request_has_its_error() {
    let broker = Broker::start().await;
    let token = ("token", "x");

    assert_eq!(asked(&broker, None, &vec![token]).await, Err("invalid_client"));
    assert_eq!(asked(&broker, Some("nobody"), &vec![token]).await, Err("invalid_client"));
    let public = vec![token, ("client_id", SPA)];
    assert_eq!(asked(&broker, None, &public).await, Err("invalid_client"));
    assert_eq!(asked(&broker, Some(WEB), &vec![]).await, Err("invalid_request"));
    assert_eq!(asked(&broker, Some(WEB), &vec![token, token]).await, Err("invalid_request"));
}

/// RFC 9701 §5.
#[actix_web::test]
async fn a_signed_answer_is_for_the_client_that_asked() {
    let broker = Broker::start().await;
    let (tokens, _) = broker.tokens().await;
    for (registered, algorithm) in
        [(None, JwsAlgorithm::Rs256), (Some(JwsAlgorithm::Es256), JwsAlgorithm::Es256)]
    {
        broker
            .change::<Client>(WEB, |client| {
                client.signed_answers.introspection_signed_response_alg = registered;
            })
            .await;
        let (header, body) = (basic(WEB), form(&[("token", text(&tokens, "access_token"))]));
        let params = Params::parse(&body).unwrap();
        let request = TokenRequest {
            authorization: Some(Authorization(&header)),
            sender: Sender::default(),
            params: &params,
        };

        let answer = introspect(broker.app(), request, Form::Signed, broker.now()).await.unwrap();

        let Introspection::Signed(answer) = answer else { panic!("not signed") };
        let read = UnverifiedJws::parse(&answer).unwrap();
        let keys = broker.app().keys.current();
        let key = keys.by_kid(read.kid().unwrap()).unwrap();
        assert_eq!((key.algorithm(), read.typ()), (algorithm, Some("token-introspection+jwt")));
        let verified = read.verify(key.verification_key(), &[algorithm.signature_algorithm()]);
        let claims = Value::Object(verified.unwrap().claims().unwrap());
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!(broker.issuer()), &json!(WEB)));
        assert_eq!(claims["token_introspection"]["active"], true);
        assert!(claims.get("sub").is_none() && claims.get("exp").is_none());
        assert!(access_token::read(broker.app(), &answer, broker.now()).is_none());
    }
}
