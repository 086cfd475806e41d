use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use serde_json::{Value, json};

mod ended;
mod refresh;

use super::*;
use crate::catalog::{
    Client, ClientGrant, Connection, Organization, ResourceServer, RoleMapping, SubjectType, User,
};
use crate::oauth::code;
use crate::oauth::fixtures::buying::{Fields, redemption};
use crate::oauth::fixtures::{
    API, Broker, CHALLENGE, LOOPBACK, MACHINE, SECRET, SPA, VERIFIER, WEB, access, form, texts,
};

fn with<'a>(mut fields: Fields<'a>, name: &'a str, value: Option<&'a str>) -> Fields<'a> {
    fields.retain(|(known, _)| *known != name);
    fields.extend(value.map(|value| (name, value)));
    fields
}

/// The answer as JSON, or the error's code.
async fn ask(
    broker: &Broker,
    client: Option<&str>,
    fields: &Fields<'_>,
) -> Result<Value, &'static str> {
    broker.buys(client, fields).await
}

async fn web(broker: &Broker, fields: &Fields<'_>) -> Result<Value, &'static str> {
    ask(broker, Some(WEB), fields).await
}

#[actix_web::test]
async fn a_code_buys_tokens_once() {
    let broker = Broker::start().await;
    let grant = broker.grant().await;
    let code = broker.code(&grant).await;

    let tokens = web(&broker, &redemption(&code)).await.unwrap();

    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 900);
    assert_eq!(tokens["scope"], "openid profile email read");
    assert!(tokens["id_token"].is_string() && tokens["access_token"].is_string());
    assert_eq!(tokens.get("refresh_token"), None);

    // RULES 26: a replay revokes what the code bought
    let revoked =
        async || code::is_revoked(&broker.app().records, &grant.family, broker.now()).await;
    assert!(!revoked().await.unwrap());
    assert_eq!(web(&broker, &redemption(&code)).await, Err("invalid_grant"));
    assert!(revoked().await.unwrap());
}

#[actix_web::test]
async fn without_openid_there_is_no_id_token() {
    let broker = Broker::start().await;
    let mut grant = broker.grant().await;
    grant.gives.as_mut().unwrap().access = access(&["read"]);

    let tokens = web(&broker, &redemption(&broker.code(&grant).await)).await.unwrap();

    assert_eq!(tokens.get("id_token"), None);
    assert_eq!(tokens["scope"], "read");
}

#[actix_web::test]
async fn of_fifty_redemptions_one_wins() {
    let broker = Broker::start().await;
    let grant = broker.grant().await;
    let code = broker.code(&grant).await;
    let fields = redemption(&code);

    let outcomes = join_all((0..50).map(|_| web(&broker, &fields))).await;

    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(outcomes.iter().all(|outcome| outcome.is_ok() || *outcome == Err("invalid_grant")));
    assert!(code::is_revoked(&broker.app().records, &grant.family, broker.now()).await.unwrap());
}

/// Who was signed out in between is told so to the client; nothing begins after that.
#[actix_web::test]
async fn a_code_of_a_session_that_has_ended_gives_nothing() {
    let broker = Broker::start().await;
    let params = crate::oauth::fixtures::request(&[("scope", Some("openid offline_access read"))]);
    let code = async || {
        let login = broker.completed(&params).await;
        let browser = crate::oauth::fixtures::browser("a");
        let answered = crate::oauth::answer::answer(broker.app(), &browser, login, broker.now());
        let crate::oauth::answer::Answer::Redirect { url } = answered.await.unwrap().answer else {
            panic!("no redirect")
        };
        Params::parse(url.split_once('?').unwrap().1).unwrap().get("code").unwrap().to_owned()
    };
    assert!(web(&broker, &redemption(&code().await)).await.is_ok());
    let code = code().await;
    let grant = broker.app().records.get::<code::AuthorizationGrant>(&code, broker.now()).await;
    let family = grant.unwrap().unwrap().record.family;

    let user = broker.user().await.id.clone();
    let by = crate::oauth::logout::By::user(&user, None);
    let ended = crate::oauth::logout::ending::end_all_of(broker.app(), &user, &by, broker.now());
    assert!(!ended.await.unwrap().is_empty());

    assert_eq!(web(&broker, &redemption(&code)).await, Err("invalid_grant"));
    assert!(code::is_revoked(&broker.app().records, &family, broker.now()).await.unwrap());
}

/// RULES 26: checked first, then spent.
#[actix_web::test]
async fn a_wrong_request_leaves_the_code_unspent_and_its_family_alone() {
    let broker = Broker::start().await;
    let grant = broker.grant().await;
    let code = broker.code(&grant).await;
    let good = || redemption(&code);
    let long = "a".repeat(129);

    for (name, value, error) in [
        ("code", None, "invalid_request"),
        ("redirect_uri", None, "invalid_request"),
        ("code_verifier", None, "invalid_request"),
        ("code_verifier", Some(""), "invalid_request"),
        ("code_verifier", Some(CHALLENGE), "invalid_grant"),
        ("code_verifier", Some(&VERIFIER[1..]), "invalid_grant"),
        ("code_verifier", Some(long.as_str()), "invalid_grant"),
        ("redirect_uri", Some("https://app.example/cb/"), "invalid_grant"),
        ("redirect_uri", Some(LOOPBACK), "invalid_grant"),
        ("resource", Some("https://other.example"), "invalid_target"),
        ("code", Some("nonsense"), "invalid_grant"),
    ] {
        assert_eq!(web(&broker, &with(good(), name, value)).await, Err(error), "{name}={value:?}");
    }
    // another client, which authenticates well
    assert_eq!(ask(&broker, Some("app_other"), &good()).await, Err("invalid_grant"));
    let spa = with(good(), "client_id", Some(SPA));
    assert_eq!(ask(&broker, None, &spa).await, Err("invalid_grant"));

    assert!(web(&broker, &with(good(), "resource", Some(API))).await.is_ok());
    // nor does a replay without the verifier say or change anything
    let wrong = with(good(), "code_verifier", Some(CHALLENGE));
    assert_eq!(web(&broker, &wrong).await, Err("invalid_grant"));
    assert!(!code::is_revoked(&broker.app().records, &grant.family, broker.now()).await.unwrap());
}

#[actix_web::test]
async fn a_code_lives_for_sixty_seconds() {
    let broker = Broker::start().await;
    let (first, second) =
        (broker.code(&broker.grant().await).await, broker.code(&broker.grant().await).await);

    broker.clock.advance(59);
    assert!(web(&broker, &redemption(&first)).await.is_ok());
    broker.clock.advance(1);
    assert_eq!(web(&broker, &redemption(&second)).await, Err("invalid_grant"));
}

/// RULES 26: for the family's life, here the 900 seconds of its access token.
#[actix_web::test]
async fn the_tombstone_stays_as_long_as_the_tokens() {
    let broker = Broker::start().await;
    let grants = [broker.grant().await, broker.grant().await];
    let codes = [broker.code(&grants[0]).await, broker.code(&grants[1]).await];
    for code in &codes {
        web(&broker, &redemption(code)).await.unwrap();
    }

    broker.clock.advance(899);
    assert_eq!(web(&broker, &redemption(&codes[0])).await, Err("invalid_grant"));
    broker.clock.advance(1);
    assert_eq!(web(&broker, &redemption(&codes[1])).await, Err("invalid_grant"));

    let revoked = async |index: usize| {
        code::is_revoked(&broker.app().records, &grants[index].family, broker.now()).await
    };
    assert!(revoked(0).await.unwrap());
    assert!(!revoked(1).await.unwrap());
}

/// THREATS X7: enabled is checked at the end too.
#[actix_web::test]
async fn what_was_disabled_in_between_buys_nothing() {
    let broker = Broker::start().await;
    let user = broker.user().await.id.clone();
    let attempt =
        async || web(&broker, &redemption(&broker.code(&broker.grant().await).await)).await;
    assert!(attempt().await.is_ok());

    broker.change::<User>(&user, |user| user.blocked = true).await;
    assert_eq!(attempt().await, Err("invalid_grant"));
    broker.change::<User>(&user, |user| user.blocked = false).await;

    broker.change::<Connection>("acme-oidc", |connection| connection.enabled = false).await;
    assert_eq!(attempt().await, Err("invalid_grant"));
    broker.change::<Connection>("acme-oidc", |connection| connection.enabled = true).await;

    broker.change::<Organization>("acme", |organization| organization.enabled = false).await;
    assert_eq!(attempt().await, Err("invalid_grant"));
    broker.change::<Organization>("acme", |organization| organization.enabled = true).await;

    broker.change::<Client>(WEB, |client| client.enabled = false).await;
    assert_eq!(attempt().await, Err("invalid_client"));
    broker.change::<Client>(WEB, |client| client.enabled = true).await;
    assert!(attempt().await.is_ok());
}

/// Logins take minutes, with consent more of them: what the operator took back meanwhile is not given.
#[actix_web::test]
async fn what_was_taken_from_the_client_in_between_is_not_given() {
    let broker = Broker::start().await;
    let attempt =
        async || web(&broker, &redemption(&broker.code(&broker.grant().await).await)).await;
    let granted = broker.app().catalog.grant(WEB, API, SubjectType::User).await.unwrap().unwrap();
    assert_eq!(attempt().await.unwrap()["scope"], "openid profile email read");

    broker.change::<ClientGrant>(&granted.id, |grant| grant.scopes = texts(&["write"])).await;
    assert_eq!(attempt().await.unwrap()["scope"], "openid profile email");
    broker.app().catalog.delete::<ClientGrant>(&granted.id, None).await.unwrap();
    assert_eq!(attempt().await, Err("invalid_grant"));

    broker
        .app()
        .catalog
        .insert(&ClientGrant { id: "cgr_new".to_owned(), ..(*granted).clone() })
        .await
        .unwrap();
    assert!(attempt().await.is_ok());
    broker.change::<Client>(WEB, |client| client.redirect_uris = texts(&[LOOPBACK])).await;
    assert_eq!(attempt().await, Err("invalid_grant"));
}

/// RULES 22: what the organization's mapping says when the token is made.
#[actix_web::test]
async fn roles_are_what_the_organization_makes_of_the_groups_now() {
    let broker = Broker::start().await;
    let roles = async || {
        let code = broker.code(&broker.grant().await).await;
        let tokens = web(&broker, &redemption(&code)).await.unwrap();
        ["access_token", "id_token"].map(|name| {
            let token = tokens[name].as_str().unwrap();
            let payload = token.split('.').nth(1).unwrap();
            let payload = URL_SAFE_NO_PAD.decode(payload).unwrap();
            let claims: Value = serde_json::from_slice(&payload).unwrap();
            assert_eq!(claims["org_name"], "acme", "{name}");
            assert!(claims["org_id"].as_str().unwrap().starts_with("org_"), "{name}");
            claims["roles"].clone()
        })
    };
    assert_eq!(roles().await, [Value::Null, Value::Null]);

    let reader =
        RoleMapping { group: "staff".to_owned(), role: "reader".to_owned(), connection: None };
    broker.change::<Organization>("acme", |acme| acme.role_mappings = vec![reader]).await;
    assert_eq!(roles().await, [json!(["reader"]), json!(["reader"])]);
    broker.change::<Organization>("acme", |acme| acme.role_mappings.clear()).await;
    assert_eq!(roles().await, [Value::Null, Value::Null]);
}

/// A user whom an admin linked to two customers' connections: one's client never learns what the other's IdP says.
#[actix_web::test]
async fn the_id_token_says_what_its_own_login_said() {
    let broker = Broker::start().await;
    let code = broker.code(&broker.grant().await).await;
    let user = broker.user().await.id.clone();
    broker.change::<User>(&user, |user| user.claims.name = Some("Elsewhere".to_owned())).await;

    let tokens = web(&broker, &redemption(&code)).await.unwrap();

    let id_token =
        homerealm_certs::UnverifiedJws::parse(tokens["id_token"].as_str().unwrap()).unwrap();
    let keys = broker.app().keys.current();
    let key = keys.by_kid(id_token.kid().unwrap()).unwrap();
    let allowed = [key.algorithm().signature_algorithm()];
    let claims = id_token.verify(key.verification_key(), &allowed).unwrap().claims().unwrap();
    assert_eq!(claims["name"], "Ada");
}

#[actix_web::test]
async fn the_grant_type_is_one_that_is_served_and_registered() {
    let broker = Broker::start().await;
    let grant_type = |value| with(redemption("c"), "grant_type", value);

    assert_eq!(web(&broker, &grant_type(None)).await, Err("invalid_request"));
    for unknown in ["password", "implicit", "Authorization_Code", "x"] {
        assert_eq!(web(&broker, &grant_type(Some(unknown))).await, Err("unsupported_grant_type"));
    }
    let bearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    assert_eq!(web(&broker, &grant_type(Some(bearer))).await, Err("unsupported_grant_type"));

    let machine = with(redemption("c"), "client_id", Some(MACHINE));
    let machine = with(machine, "client_secret", Some(SECRET));
    assert_eq!(ask(&broker, None, &machine).await, Err("unauthorized_client"));
    let device = "urn:ietf:params:oauth:grant-type:device_code";
    for grant_type in ["client_credentials", device] {
        let spa = with(vec![("grant_type", grant_type)], "client_id", Some(SPA));
        assert_eq!(ask(&broker, None, &spa).await, Err("unauthorized_client"));
    }
}

#[actix_web::test]
async fn a_public_client_never_acts_as_itself() {
    let broker = Broker::start().await;
    broker.change::<Client>(SPA, |c| c.grant_types.push(GrantType::ClientCredentials)).await;

    let spa = vec![("grant_type", "client_credentials"), ("client_id", SPA), ("audience", API)];
    assert_eq!(ask(&broker, None, &spa).await, Err("unauthorized_client"));
}

#[actix_web::test]
async fn a_repeated_parameter_is_refused() {
    let broker = Broker::start().await;
    let code = broker.code(&broker.grant().await).await;
    let mut fields = redemption(&code);
    fields.push(("code_verifier", VERIFIER));

    assert_eq!(web(&broker, &fields).await, Err("invalid_request"));
}

#[actix_web::test]
async fn client_credentials_follow_the_clients_own_grant() {
    let broker = Broker::start().await;
    let machine = |more: &[(&'static str, &'static str)]| {
        let fixed = [
            ("grant_type", "client_credentials"),
            ("client_id", MACHINE),
            ("client_secret", SECRET),
        ];
        [&fixed, more].concat()
    };
    let ask =
        async |more: &[(&'static str, &'static str)]| ask(&broker, None, &machine(more)).await;

    let tokens = ask(&[("audience", API)]).await.unwrap();
    assert_eq!((&tokens["scope"], &tokens["expires_in"]), (&"read write".into(), &900.into()));
    assert_eq!(tokens.get("id_token"), None);
    let tokens = ask(&[("resource", API), ("scope", "write")]).await.unwrap();
    assert_eq!(tokens["scope"], "write");

    assert_eq!(ask(&[("audience", API), ("scope", "admin")]).await, Err("invalid_scope"));
    assert_eq!(ask(&[("audience", API), ("scope", "openid")]).await, Err("invalid_scope"));
    assert_eq!(ask(&[("audience", API), ("scope", "a  b")]).await, Err("invalid_scope"));
    assert_eq!(ask(&[("audience", "https://other.example")]).await, Err("invalid_target"));
    assert_eq!(
        ask(&[("audience", API), ("resource", "https://o.example")]).await,
        Err("invalid_target")
    );
    assert_eq!(ask(&[]).await, Err("invalid_scope"));
    broker.change::<ResourceServer>(API, |api| api.default = true).await;
    assert!(ask(&[]).await.is_ok());

    // its grant is for users
    let itself = vec![("grant_type", "client_credentials"), ("audience", API)];
    assert_eq!(web(&broker, &itself).await, Err("access_denied"));
}

/// DESIGN §2: a grant says on whose behalf, and so may an API.
#[actix_web::test]
async fn an_api_refuses_the_kind_of_token_that_it_does_not_take() {
    let broker = Broker::start().await;
    let machine = [
        ("grant_type", "client_credentials"),
        ("client_id", MACHINE),
        ("client_secret", SECRET),
        ("audience", API),
    ];
    let itself = async || ask(&broker, None, &machine.to_vec()).await.map(drop);
    let for_a_user = async || {
        let code = broker.code(&broker.grant().await).await;
        web(&broker, &redemption(&code)).await.map(drop)
    };
    assert_eq!((itself().await, for_a_user().await), (Ok(()), Ok(())));

    let only = |subject_type| {
        move |api: &mut ResourceServer| {
            api.allowed_subject_types = vec![subject_type];
        }
    };
    broker.change::<ResourceServer>(API, only(SubjectType::User)).await;
    assert_eq!((itself().await, for_a_user().await), (Err("access_denied"), Ok(())));
    broker.change::<ResourceServer>(API, only(SubjectType::Client)).await;
    assert_eq!((itself().await, for_a_user().await), (Ok(()), Err("invalid_grant")));
}

#[actix_web::test]
async fn with_a_store_away_nothing_is_issued_or_refused_for_good() {
    let broker = Broker::start().await;
    let code = broker.code(&broker.grant().await).await;
    broker.app().catalog.close().await;

    assert_eq!(web(&broker, &redemption(&code)).await, Err("trouble"));
}
