use serde_json::json;

use super::*;
use crate::oauth::fixtures::signing::{Holder, changed};
use crate::oauth::fixtures::{Broker, CALLBACK, CHALLENGE, SPA, WEB};

async fn broker(holder: &Holder) -> Broker {
    let broker = Broker::start().await;
    broker.change::<Client>(WEB, |client| client.keys.jwks = Some(holder.jwks())).await;
    broker
}

fn good(broker: &Broker) -> Value {
    json!({
        "iss": WEB, "client_id": WEB, "aud": broker.issuer(), "exp": broker.now().timestamp() + 60,
        "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid", "max_age": 60,
        "code_challenge": CHALLENGE, "code_challenge_method": "S256", "resource": ["a", "b"],
        "claims": {"id_token": {"email": null}}
    })
}

async fn asked(broker: &Broker, object: &str) -> Result<Params, &'static str> {
    let client = broker.app().catalog.get::<Client>(WEB).await.unwrap().unwrap();
    read(broker.app(), &client.object, object, broker.now()).await
}

#[actix_web::test]
async fn its_claims_are_the_parameters() {
    let holder = Holder::new();
    let broker = broker(&holder).await;
    let header = json!({"alg": "ES256", "typ": "oauth-authz-req+jwt"});

    let params = asked(&broker, &holder.sign(&header, &good(&broker))).await.unwrap();

    assert_eq!(params.get("redirect_uri"), Some(CALLBACK));
    assert_eq!(params.get("max_age"), Some("60"));
    assert_eq!(params.get("claims"), Some(r#"{"id_token":{"email":null}}"#));
    assert!(params.all("resource").count() == 2 && !params.has("iss") && !params.has("exp"));
}

/// RFC 9101 §4, §5, §10.8.
#[actix_web::test]
async fn each_claim_of_the_jwt_is_checked() {
    let holder = Holder::new();
    let broker = broker(&holder).await;
    let now = broker.now().timestamp();
    let named = "iss and client_id are not both the client_id";
    let audience = "aud is not our issuer, and nothing else";

    for (name, value, why) in [
        ("iss", json!(null), named),
        ("iss", json!(SPA), named),
        ("client_id", json!(null), named),
        ("client_id", json!(SPA), named),
        ("sub", json!(WEB), "sub must not be the client_id"),
        ("aud", json!(null), audience),
        ("aud", json!("https://other.example"), audience),
        ("exp", json!(null), "exp is missing"),
        ("exp", json!(now - 60), "it has expired"),
        ("exp", json!(now + 3661), "exp lies too far ahead"),
        ("nbf", json!(now + 61), "it is not valid yet"),
        ("request", json!("x"), "it holds another request"),
        ("request_uri", json!("x"), "it holds another request"),
        ("state", json!(["a"]), "a parameter is of another type"),
        ("state", json!(true), "a parameter is of another type"),
    ] {
        let claims = changed(good(&broker), &json!({ name: value }));
        let object = holder.sign(&json!({"alg": "ES256"}), &claims);
        assert_eq!(asked(&broker, &object).await.unwrap_err(), why, "{name}: {value}");
    }
}

#[actix_web::test]
async fn it_is_signed_with_a_registered_key_and_algorithm() {
    let (holder, other) = (Holder::new(), Holder::new());
    let broker = broker(&holder).await;
    let claims = good(&broker);
    let header = |alg: &str| json!({ "alg": alg });

    let foreign = other.sign(&header("ES256"), &claims);
    assert_eq!(asked(&broker, &foreign).await.unwrap_err(), "no registered key verifies it");
    for alg in ["none", "HS256"] {
        let object = holder.sign(&header(alg), &claims);
        let why = "its algorithm is not one that we take";
        assert_eq!(asked(&broker, &object).await.unwrap_err(), why);
    }
    let typed = holder.sign(&json!({"alg": "ES256", "typ": "at+jwt"}), &claims);
    assert_eq!(
        asked(&broker, &typed).await.unwrap_err(),
        "its typ is not that of a request object"
    );
    broker
        .change::<Client>(WEB, |client| {
            client.keys.request_object_signing_alg = Some("PS256".to_owned().try_into().unwrap());
        })
        .await;
    let object = holder.sign(&header("ES256"), &claims);
    let why = "its algorithm is not the registered one";
    assert_eq!(asked(&broker, &object).await.unwrap_err(), why);
    broker.change::<Client>(WEB, |client| client.keys = Default::default()).await;
    let why = "the client has registered no key";
    assert_eq!(asked(&broker, &object).await.unwrap_err(), why);
}
