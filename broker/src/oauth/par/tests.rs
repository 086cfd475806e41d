use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::*;
use crate::login::AnswerTo;
use crate::oauth::authorize::{AuthorizeError, validate};
use crate::oauth::client_authentication::Authorization;
use crate::oauth::dpop::ProofHeader;
use crate::oauth::fixtures::signing::Holder;
use crate::oauth::fixtures::{Broker, CALLBACK, CHALLENGE, PORTAL, SECRET, SPA, WEB, form, query};
use crate::oauth::sender_constraint::Sender;

async fn pushed_with(
    broker: &Broker,
    proof: ProofHeader<'_>,
    body: &str,
) -> Result<String, &'static str> {
    let basic = format!("Basic {}", STANDARD.encode(format!("{WEB}:{SECRET}")));
    let params = Params::parse(body).unwrap();
    let authorization = Some(Authorization(&basic));
    let sender = Sender { proof, certificate: None };
    let request = TokenRequest { authorization, sender, params: &params };
    match push(broker.app(), request, None, broker.now()).await {
        Ok(pushed) => {
            let answer = serde_json::to_value(pushed).unwrap();
            assert_eq!(answer["expires_in"], 90);
            Ok(answer["request_uri"].as_str().unwrap().to_owned())
        }
        Err(ParError::Refused { error, .. }) => Err(error),
        Err(ParError::Token(TokenError::Refused { code, .. })) => Err(code.as_str()),
        Err(ParError::Token(_)) => Err("trouble"),
    }
}

async fn pushed(broker: &Broker, changes: &[(&str, Option<&str>)]) -> Result<String, &'static str> {
    pushed_with(broker, ProofHeader::Absent, &query(changes)).await
}

/// What `/authorize` makes of it, or the code of its page or answer.
async fn arrived(
    broker: &Broker,
    client_id: &str,
    request_uri: &str,
) -> Result<AuthorizationRequest, String> {
    let fields = form(&[("client_id", client_id), ("request_uri", request_uri)]);
    match validate(broker.app(), &Params::parse(&fields).unwrap()).await {
        Ok(asked) => Ok(asked),
        Err(AuthorizeError::Page(refusal)) => Err(refusal.code.to_owned()),
        Err(other) => Err(format!("{other:?}")),
    }
}

fn state(asked: &AuthorizationRequest) -> Option<&str> {
    match &asked.answer {
        AnswerTo::Client(way) => way.state.as_deref(),
        AnswerTo::Device { .. } => panic!("not a device"),
    }
}

#[actix_web::test]
async fn a_pushed_request_is_the_request_once() {
    let broker = Broker::start().await;
    let direct = validate(broker.app(), &Params::parse(&query(&[])).unwrap()).await.unwrap();

    let request_uri = pushed(&broker, &[]).await.unwrap();

    assert!(request_uri.starts_with("urn:ietf:params:oauth:request_uri:"));
    assert_eq!(arrived(&broker, WEB, &request_uri).await, Ok(direct));
    assert_eq!(arrived(&broker, WEB, &request_uri).await, Err("request_uri_unknown".to_owned()));
}

#[actix_web::test]
async fn it_waits_for_ninety_seconds() {
    let broker = Broker::start().await;
    let (first, second) =
        (pushed(&broker, &[]).await.unwrap(), pushed(&broker, &[]).await.unwrap());

    broker.clock.advance(89);
    assert!(arrived(&broker, WEB, &first).await.is_ok());
    broker.clock.advance(1);
    assert!(arrived(&broker, WEB, &second).await.is_err());
}

/// RFC 9126 §7.3: and another's attempt does not use it up.
#[actix_web::test]
async fn it_is_for_the_client_that_pushed_it() {
    let broker = Broker::start().await;
    let request_uri = pushed(&broker, &[]).await.unwrap();

    for other in [SPA, PORTAL] {
        let refused = arrived(&broker, other, &request_uri).await;
        assert_eq!(refused, Err("request_uri_unknown".to_owned()));
    }
    assert!(arrived(&broker, WEB, &request_uri).await.is_ok());
}

#[actix_web::test]
async fn nothing_else_of_the_query_counts() {
    let broker = Broker::start().await;
    let request_uri = pushed(&broker, &[]).await.unwrap();
    let mixed = query(&[
        ("request_uri", Some(&request_uri)),
        ("scope", Some("admin")),
        ("state", Some("x")),
    ]);

    let asked = validate(broker.app(), &Params::parse(&mixed).unwrap()).await.unwrap();

    assert_eq!(
        (state(&asked), asked.access.all_scopes()),
        (Some("s1"), ["openid", "read"].map(str::to_owned).to_vec())
    );
}

/// RFC 9126 §2.1, §2.3: everything is checked now.
#[actix_web::test]
async fn a_wrong_request_is_refused_when_it_is_pushed() {
    let broker = Broker::start().await;
    for (name, value, error) in [
        ("redirect_uri", Some("https://evil.example/cb"), "invalid_request"),
        ("redirect_uri", None, "invalid_request"),
        ("response_type", Some("token"), "unsupported_response_type"),
        ("code_challenge", None, "invalid_request"),
        ("code_challenge_method", Some("plain"), "invalid_request"),
        ("scope", Some("admin"), "invalid_scope"),
        ("audience", Some("https://other.example"), "invalid_target"),
        ("request_uri", Some("urn:ietf:params:oauth:request_uri:x"), "invalid_request"),
        ("request_uri", Some("https://app.example/r"), "invalid_request"),
        ("client_id", Some(SPA), "invalid_client"),
        ("dpop_jkt", Some("x"), "invalid_request"),
        ("request", Some("x"), "invalid_request_object"),
    ] {
        assert_eq!(pushed(&broker, &[(name, value)]).await, Err(error), "{name}={value:?}");
    }
    let twice = format!("{}&state=s2", query(&[]));
    assert_eq!(pushed_with(&broker, ProofHeader::Absent, &twice).await, Err("invalid_request"));
}

#[actix_web::test]
async fn a_client_that_pushes_always_is_not_served_otherwise() {
    let broker = Broker::start().await;
    broker.change::<Client>(WEB, |c| c.requests.require_pushed_authorization_requests = true).await;

    let refused = validate(broker.app(), &Params::parse(&query(&[])).unwrap()).await;
    assert!(matches!(refused, Err(AuthorizeError::Answer(..))));
    let request_uri = pushed(&broker, &[]).await.unwrap();
    assert!(arrived(&broker, WEB, &request_uri).await.is_ok());
}

#[actix_web::test]
async fn what_was_withdrawn_meanwhile_is_not_served() {
    let broker = Broker::start().await;
    let request_uri = pushed(&broker, &[]).await.unwrap();
    let other = vec!["https://app.example/other".to_owned()];
    broker.change::<Client>(WEB, |client| client.redirect_uris = other).await;
    assert_eq!(arrived(&broker, WEB, &request_uri).await, Err("request_uri_unknown".to_owned()));

    broker.change::<Client>(WEB, |client| client.enabled = false).await;
    assert_eq!(pushed(&broker, &[]).await, Err("invalid_client"));
    assert_eq!(arrived(&broker, WEB, &request_uri).await, Err("client_disabled".to_owned()));
}

/// RFC 9126 §3: the parameters of the object, and no others.
#[actix_web::test]
async fn a_signed_request_object_is_the_request() {
    let broker = Broker::start().await;
    let holder = Holder::new();
    broker.change::<Client>(WEB, |client| client.keys.jwks = Some(holder.jwks())).await;
    let claims = json!({
        "iss": WEB, "client_id": WEB, "aud": broker.issuer(), "exp": broker.now().timestamp() + 60,
        "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid",
        "code_challenge": CHALLENGE, "code_challenge_method": "S256"
    });
    let object = holder.sign(&json!({"alg": "ES256"}), &claims);
    let body = form(&[("request", &object), ("client_id", WEB), ("state", "outside")]);

    let request_uri = pushed_with(&broker, ProofHeader::Absent, &body).await.unwrap();

    let asked = arrived(&broker, WEB, &request_uri).await.unwrap();
    assert_eq!(
        (state(&asked), asked.access.oidc_scopes.clone()),
        (None, vec!["openid".to_owned()])
    );
    // at /authorize it stays refused
    let direct = query(&[("request", Some(&object))]);
    let refused = validate(broker.app(), &Params::parse(&direct).unwrap()).await;
    let Err(AuthorizeError::Answer(answer, _)) = refused else { panic!("{refused:?}") };
    assert!(
        matches!(answer, crate::oauth::answer::Answer::Redirect { url } if url.contains("request_not_supported"))
    );
}

/// RFC 9449 §10.1.
#[actix_web::test]
async fn a_proof_binds_the_code_to_its_key() {
    let broker = Broker::start().await;
    let (holder, other) = (Holder::new(), Holder::new());
    let proof = || holder.proof(&broker, PATH, &json!({}));
    let named = |key: &str| query(&[("dpop_jkt", Some(key))]);

    for body in [query(&[]), named(holder.thumbprint())] {
        let request_uri = pushed_with(&broker, ProofHeader::One(&proof()), &body).await.unwrap();
        let asked = arrived(&broker, WEB, &request_uri).await.unwrap();
        assert_eq!(asked.dpop_jkt.as_deref(), Some(holder.thumbprint()));
    }
    let differs = named(other.thumbprint());
    let refused = pushed_with(&broker, ProofHeader::One(&proof()), &differs).await;
    assert_eq!(refused, Err("invalid_dpop_proof"));
    let stale = holder.proof(&broker, PATH, &json!({"nonce": Value::Null}));
    let refused = pushed_with(&broker, ProofHeader::One(&stale), &query(&[])).await;
    assert_eq!(refused, Err("use_dpop_nonce"));
    let elsewhere = holder.proof(&broker, "/oauth/token", &json!({}));
    let refused = pushed_with(&broker, ProofHeader::One(&elsewhere), &query(&[])).await;
    assert_eq!(refused, Err("invalid_dpop_proof"));
}

/// RULES 38: a public client is anybody, whatever certificate comes with it.
#[actix_web::test]
async fn a_public_client_counts_by_its_sender_and_a_confidential_one_by_itself() {
    let limits = [("HOMEREALM_LIMITS__ENABLED", "true"), ("HOMEREALM_LIMITS__PER_ADDRESS", "1/h")];
    let broker = Broker::start_in("", &limits).await;
    let sender = Some(IpAddr::from([192, 0, 2, 1]));
    let basic = format!("Basic {}", STANDARD.encode(format!("{WEB}:{SECRET}")));
    let too_many = async |client: &str| {
        let params = Params::parse(&query(&[("client_id", Some(client))])).unwrap();
        let authorization = (client == WEB).then_some(Authorization(&basic));
        let request = TokenRequest { authorization, sender: Sender::default(), params: &params };
        let pushed = push(broker.app(), request, sender, broker.now()).await;
        matches!(pushed, Err(ParError::Token(TokenError::TooMany(_))))
    };

    assert!(!too_many(SPA).await);
    assert!(too_many(SPA).await);
    assert!(!too_many(WEB).await && !too_many(WEB).await);
}
