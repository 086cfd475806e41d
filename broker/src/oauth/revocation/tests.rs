use serde_json::Value;

use super::*;
use crate::catalog::ClientAuthMethod;
use crate::oauth::code;
use crate::oauth::fixtures::buying::{Fields, basic};
use crate::oauth::fixtures::{Broker, SPA, WEB, form};
use crate::oauth::params::Params;
use crate::oauth::sender_constraint::Sender;
use crate::oauth::token::Authorization;
use crate::oauth::userinfo::{PresentedToken, userinfo};

async fn refreshed(broker: &Broker, token: &str) -> Result<Value, &'static str> {
    let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
    broker.buys(Some(WEB), &fields).await
}

async fn asked(
    broker: &Broker,
    client: Option<&str>,
    fields: &Fields<'_>,
) -> Result<(), &'static str> {
    let header = client.map(basic);
    let params = Params::parse(&form(fields)).unwrap();
    let authorization = header.as_deref().map(Authorization);
    let request = TokenRequest { authorization, sender: Sender::default(), params: &params };
    revoke(broker.app(), request, broker.now()).await.map_err(|error| error.word())
}

async fn web(broker: &Broker, token: &str) -> Result<(), &'static str> {
    asked(broker, Some(WEB), &vec![("token", token)]).await
}

async fn is_alive(broker: &Broker, tokens: &Value) -> bool {
    let token = tokens["access_token"].as_str().unwrap();
    userinfo(broker.app(), PresentedToken::bearer(token), broker.now()).await.is_ok()
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap()
}

/// RFC 7009 §2.1: and the access tokens of the same grant.
#[actix_web::test]
async fn a_refresh_token_takes_everything_of_its_login_with_it() {
    let broker = Broker::start().await;
    let (first, family) = broker.tokens().await;
    let second = refreshed(&broker, text(&first, "refresh_token")).await.unwrap();
    assert!(is_alive(&broker, &first).await && is_alive(&broker, &second).await);

    assert_eq!(web(&broker, text(&second, "refresh_token")).await, Ok(()));

    assert!(code::is_revoked(&broker.app().records, &family, broker.now()).await.unwrap());
    assert!(!is_alive(&broker, &first).await && !is_alive(&broker, &second).await);
    let dead = refreshed(&broker, text(&second, "refresh_token")).await;
    assert_eq!(dead, Err("invalid_grant"));
    // §2.2: what is revoked already is no error
    assert_eq!(web(&broker, text(&second, "refresh_token")).await, Ok(()));
}

#[actix_web::test]
async fn a_rotated_refresh_token_ends_its_login_too_and_a_made_up_one_nothing() {
    let broker = Broker::start().await;
    let (first, family) = broker.tokens().await;
    let second = refreshed(&broker, text(&first, "refresh_token")).await.unwrap();
    let (unmarked, _) = text(&second, "refresh_token").rsplit_once('.').unwrap();

    for nothing in [format!("{family}.a.b"), format!("{unmarked}.{}", "A".repeat(43))] {
        assert_eq!(web(&broker, &nothing).await, Ok(()));
        assert!(is_alive(&broker, &second).await, "{nothing}");
    }
    assert_eq!(web(&broker, text(&first, "refresh_token")).await, Ok(()));
    assert!(!is_alive(&broker, &second).await);
}

#[actix_web::test]
async fn an_access_token_goes_alone() {
    let broker = Broker::start().await;
    let (first, _) = broker.tokens().await;
    let second = refreshed(&broker, text(&first, "refresh_token")).await.unwrap();

    assert_eq!(web(&broker, text(&second, "access_token")).await, Ok(()));

    assert!(is_alive(&broker, &first).await && !is_alive(&broker, &second).await);
    assert!(refreshed(&broker, text(&second, "refresh_token")).await.is_ok());
}

/// RFC 7009 §2.1, §2.2: the hint is one only, unknown values of it and unknown tokens are no errors.
#[actix_web::test]
async fn hints_do_not_matter_and_unknown_tokens_are_no_errors() {
    let broker = Broker::start().await;
    for (name, hint) in [
        ("access_token", "refresh_token"),
        ("refresh_token", "access_token"),
        ("refresh_token", "saml"),
    ] {
        let (tokens, _) = broker.tokens().await;
        let fields = vec![("token", text(&tokens, name)), ("token_type_hint", hint)];
        assert_eq!(asked(&broker, Some(WEB), &fields).await, Ok(()));
        assert!(!is_alive(&broker, &tokens).await, "{name} as {hint}");
    }
    for unknown in ["x", "fam_unknown.a.b", "a.b.c"] {
        assert_eq!(web(&broker, unknown).await, Ok(()), "{unknown}");
    }
}

/// RFC 7009 §2.1.
#[actix_web::test]
async fn another_clients_token_is_refused_and_lives_on() {
    let broker = Broker::start().await;
    let (tokens, _) = broker.tokens().await;

    for name in ["access_token", "refresh_token"] {
        let token = vec![("token", text(&tokens, name))];
        assert_eq!(asked(&broker, Some("app_other"), &token).await, Err("invalid_grant"));
        let spa = vec![("token", text(&tokens, name)), ("client_id", SPA)];
        assert_eq!(asked(&broker, None, &spa).await, Err("invalid_grant"));
    }

    assert!(is_alive(&broker, &tokens).await);
    assert!(refreshed(&broker, text(&tokens, "refresh_token")).await.is_ok());
}

/// RFC 7009 §2.1, §2.2.1; RFC 6749 §5.2.
#[actix_web::test]
async fn each_wrong_request_has_its_error() {
    let broker = Broker::start().await;
    let (tokens, _) = broker.tokens().await;
    let token = ("token", text(&tokens, "refresh_token"));

    assert_eq!(asked(&broker, Some(WEB), &vec![]).await, Err("invalid_request"));
    assert_eq!(asked(&broker, Some(WEB), &vec![token, token]).await, Err("invalid_request"));
    assert_eq!(asked(&broker, None, &vec![token]).await, Err("invalid_client"));
    assert_eq!(asked(&broker, None, &vec![token, ("client_id", WEB)]).await, Err("invalid_client"));
    assert_eq!(asked(&broker, Some("nobody"), &vec![token]).await, Err("invalid_client"));
    let id_token = web(&broker, text(&tokens, "id_token")).await;
    assert_eq!(id_token, Err("unsupported_token_type"));

    assert!(is_alive(&broker, &tokens).await);
}

#[actix_web::test]
async fn a_public_client_gives_back_its_own() {
    let broker = Broker::start().await;
    let (tokens, _) = broker.tokens().await;
    broker
        .change::<crate::catalog::Client>(WEB, |client| {
            client.token_endpoint_auth_method = ClientAuthMethod::None;
        })
        .await;

    let fields = vec![("token", text(&tokens, "refresh_token")), ("client_id", WEB)];
    assert_eq!(asked(&broker, None, &fields).await, Ok(()));

    assert!(!is_alive(&broker, &tokens).await);
}
