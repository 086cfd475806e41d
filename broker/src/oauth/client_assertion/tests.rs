use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use actix_web::{HttpResponse, HttpServer, web};
use serde_json::json;

use super::*;
use crate::catalog::{Client, ClientAuthMethod};
use crate::oauth::client_authentication::{
    Authorization, ClientAuthError, Credentials, authenticate,
};
use crate::oauth::fixtures::signing::Holder;
use crate::oauth::fixtures::{Broker, SPA, WEB, form};
use crate::oauth::params::Params;

async fn broker(holder: &Holder) -> Broker {
    let broker = Broker::start().await;
    broker
        .change::<Client>(WEB, |client| {
            client.token_endpoint_auth_method = ClientAuthMethod::PrivateKeyJwt;
            client.secrets.clear();
            client.keys.jwks = Some(holder.jwks());
        })
        .await;
    broker
}

async fn asked(broker: &Broker, fields: &[(&str, &str)]) -> Result<String, &'static str> {
    let params = Params::parse(&form(fields)).unwrap();
    let authorization: Option<Authorization<'_>> = None;
    let credentials = Credentials { authorization, certificate: None, params: &params };
    match authenticate(broker.app(), credentials, broker.now()).await {
        Ok(client) => Ok(client.client().client_id.clone()),
        Err(ClientAuthError::ForSomebodyElse) => Err("for somebody else"),
        Err(ClientAuthError::Refused) => Err("refused"),
        Err(ClientAuthError::TwoMethods) => Err("two methods"),
        Err(ClientAuthError::Trouble(_)) => Err("trouble"),
    }
}

async fn shown(broker: &Broker, assertion: &str) -> Result<String, &'static str> {
    let fields = [("client_assertion_type", JWT_BEARER), ("client_assertion", assertion)];
    asked(broker, &fields).await
}

async fn why(broker: &Broker, assertion: &str) -> &'static str {
    let client = broker.app().catalog.get::<Client>(WEB).await.unwrap().unwrap();
    match verify(broker.app(), &client.object, assertion, broker.now()).await {
        Ok(()) => "good",
        Err(AssertionError::ForSomebodyElse) => "aud is not our issuer, and nothing else",
        Err(AssertionError::Refused(why)) => why,
        Err(AssertionError::Trouble(_)) => "trouble",
    }
}

#[actix_web::test]
async fn an_assertion_authenticates_its_client_once() {
    let holder = Holder::new();
    let broker = broker(&holder).await;
    let assertion = holder.assertion(&broker, WEB, &json!({}));

    assert_eq!(shown(&broker, &assertion).await, Ok(WEB.to_owned()));
    assert_eq!(shown(&broker, &assertion).await, Err("refused"));
    assert_eq!(why(&broker, &assertion).await, "it was used before");
}

/// RFC 7523 §3, and the issuer as the only audience.
#[actix_web::test]
async fn each_claim_is_required_and_exact() {
    let holder = Holder::new();
    let broker = broker(&holder).await;
    let now = broker.now().timestamp();
    let endpoint = format!("{}/oauth/token", broker.issuer());
    let both = json!([broker.issuer(), "https://other.example"]);
    let (named, audience) =
        ("iss and sub are not both the client_id", "aud is not our issuer, and nothing else");

    assert_eq!(
        why(&broker, &holder.assertion(&broker, WEB, &json!({"aud": [broker.issuer()]}))).await,
        "good"
    );
    for (name, value, expected) in [
        ("iss", json!(null), named),
        ("iss", json!(SPA), named),
        ("sub", json!(null), named),
        ("sub", json!(SPA), named),
        ("aud", json!(null), audience),
        ("aud", json!(endpoint), audience),
        ("aud", json!(format!("{}/", broker.issuer())), audience),
        ("aud", both, audience),
        ("aud", json!([]), audience),
        ("exp", json!(null), "exp is missing"),
        ("exp", json!(now - 60), "it has expired"),
        ("exp", json!(now + 661), "exp lies too far ahead"),
        ("nbf", json!(now + 61), "it is not valid yet"),
        ("iat", json!(now + 61), "it is not valid yet"),
        ("jti", json!(null), "jti is missing"),
        ("jti", json!(""), "jti is missing"),
        ("jti", json!("x".repeat(257)), "jti is missing"),
    ] {
        let assertion = holder.assertion(&broker, WEB, &json!({ name: value }));
        assert_eq!(why(&broker, &assertion).await, expected, "{name}: {value}");
    }
}

/// The developers of a client learn it, whoever has not its key does not.
#[actix_web::test]
async fn a_wrong_audience_is_told_to_whoever_signed() {
    let (holder, other) = (Holder::new(), Holder::new());
    let broker = broker(&holder).await;
    let elsewhere = json!({"aud": "https://other.example"});

    let own = holder.assertion(&broker, WEB, &elsewhere);
    assert_eq!(shown(&broker, &own).await, Err("for somebody else"));
    let foreign = other.assertion(&broker, WEB, &elsewhere);
    assert_eq!(shown(&broker, &foreign).await, Err("refused"));
    let text = ClientAuthError::ForSomebodyElse.to_string();
    assert!(text.ends_with("its aud must be the issuer, and nothing else"), "{text}");
}

#[actix_web::test]
async fn only_a_registered_key_with_its_algorithm_verifies() {
    let (holder, other) = (Holder::new(), Holder::new());
    let broker = broker(&holder).await;
    let good = json!({"iss": WEB, "sub": WEB, "aud": broker.issuer(), "jti": "1", "exp": broker.now().timestamp() + 60});
    let signed = |header: Value| holder.sign(&header, &good);

    let foreign = other.assertion(&broker, WEB, &json!({}));
    assert_eq!(why(&broker, &foreign).await, "no registered key verifies it");
    for alg in ["none", "HS256"] {
        let token = signed(json!({"alg": alg}));
        assert_eq!(why(&broker, &token).await, "its algorithm is not one that we take");
    }
    let smuggled = other.sign(&json!({"alg": "ES256", "jwk": other.0.public_jwk()}), &good);
    assert_eq!(why(&broker, &smuggled).await, "no registered key verifies it");
    for typ in ["at+jwt", "dpop+jwt", "oauth-authz-req+jwt", "logout+jwt"] {
        let token = signed(json!({"alg": "ES256", "typ": typ}));
        assert_eq!(why(&broker, &token).await, "its typ is not that of a client assertion");
    }
    broker
        .change::<Client>(WEB, |client| {
            client.keys.token_endpoint_auth_signing_alg =
                Some("RS256".to_owned().try_into().unwrap());
        })
        .await;
    let token = signed(json!({"alg": "ES256"}));
    assert_eq!(why(&broker, &token).await, "its algorithm is not the registered one");
}

#[actix_web::test]
async fn the_form_names_the_same_client_the_type_and_no_second_method() {
    let holder = Holder::new();
    let broker = broker(&holder).await;
    let assertion = || holder.assertion(&broker, WEB, &json!({}));
    let typed = ("client_assertion_type", JWT_BEARER);

    let (a, b, c, d) = (assertion(), assertion(), assertion(), assertion());
    let named = [typed, ("client_assertion", &a), ("client_id", WEB)];
    assert_eq!(asked(&broker, &named).await, Ok(WEB.to_owned()));
    let other = [typed, ("client_assertion", &b), ("client_id", SPA)];
    assert_eq!(asked(&broker, &other).await, Err("refused"));
    let saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer";
    let saml = [("client_assertion_type", saml), ("client_assertion", c.as_str())];
    assert_eq!(asked(&broker, &saml).await, Err("refused"));
    let two = [typed, ("client_assertion", &d), ("client_secret", "x")];
    assert_eq!(asked(&broker, &two).await, Err("two methods"));
    // the registered method, and no other
    assert_eq!(asked(&broker, &[("client_id", WEB)]).await, Err("refused"));
    let spa = holder.assertion(&broker, SPA, &json!({}));
    assert_eq!(shown(&broker, &spa).await, Err("refused"));
}

#[actix_web::test]
async fn a_jwks_uri_that_gives_nothing_authenticates_nobody() {
    let holder = Holder::new();
    let broker = broker(&holder).await;
    broker
        .change::<Client>(WEB, |client| {
            client.keys.jwks = None;
            client.keys.jwks_uri = Some("https://192.0.2.1/jwks".to_owned());
        })
        .await;
    let assertion = holder.assertion(&broker, WEB, &json!({}));
    assert_eq!(why(&broker, &assertion).await, "its jwks_uri gives no keys");
}

/// An address that publishes a key set, and how often it was asked.
#[derive(Clone)]
struct Published {
    keys: Arc<Mutex<Value>>,
    asked: Arc<AtomicUsize>,
}

async fn publish(keys: Value) -> (Published, String) {
    let published = Published { keys: Arc::new(Mutex::new(keys)), asked: Arc::default() };
    let data = web::Data::new(published.clone());
    let show = async |published: web::Data<Published>| {
        published.asked.fetch_add(1, Ordering::Relaxed);
        HttpResponse::Ok().json(published.keys.lock().unwrap().clone())
    };
    let server = HttpServer::new(move || {
        actix_web::App::new().app_data(data.clone()).route("/jwks", web::get().to(show))
    });
    let server = server.workers(1).bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/jwks", server.addrs()[0]);
    actix_web::rt::spawn(server.run());
    (published, address)
}

/// Cached; and a stream of invented keys does not make us hammer the address.
#[actix_web::test]
async fn a_new_key_at_the_jwks_uri_is_seen_within_a_minute() {
    let (old, new, invented) = (Holder::new(), Holder::new(), Holder::new());
    let (published, address) = publish(old.jwks()).await;
    let broker =
        Broker::start_with("[upstream]\nallow_http = true\nallow_private_addresses = true\n").await;
    broker
        .change::<Client>(WEB, |client| {
            client.token_endpoint_auth_method = ClientAuthMethod::PrivateKeyJwt;
            client.keys.jwks_uri = Some(address);
        })
        .await;
    let shown = async |holder: &Holder| {
        let outcome = why(&broker, &holder.assertion(&broker, WEB, &json!({}))).await;
        (outcome, published.asked.load(Ordering::Relaxed))
    };

    assert_eq!(shown(&old).await, ("good", 1));
    assert_eq!(shown(&old).await, ("good", 1));
    *published.keys.lock().unwrap() = new.jwks();
    broker.clock.advance(59);
    assert_eq!(shown(&new).await, ("no registered key verifies it", 1));
    broker.clock.advance(1);
    assert_eq!(shown(&new).await, ("good", 2));
    assert_eq!(shown(&old).await, ("no registered key verifies it", 2));
    assert_eq!(shown(&invented).await, ("no registered key verifies it", 2));
}
