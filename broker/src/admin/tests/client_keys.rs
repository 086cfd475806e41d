//! Secrets, keys and certificates of clients.

use homerealm_certs::{JwsAlgorithm, SigningKey};
use serde_json::{Value, json};

use super::{Answer, Api};

fn web(more: &Value) -> Value {
    let mut body = json!({"client_id": "web", "client_name": "Web", "first_party": true,
        "redirect_uris": ["https://web.example/cb"]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn jwks() -> Value {
    json!({"keys": [SigningKey::generate(JwsAlgorithm::Es256).unwrap().public_jwk()]})
}

async fn secrets(api: &Api) -> Vec<String> {
    let listed = api.get("/clients/web/secrets").await;
    let items = listed.body["items"].as_array().unwrap();
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn a_second_secret_replaces_the_first_and_a_third_is_refused() {
    let api = Api::start().await;
    let first = api.create("/clients", web(&json!({}))).await;

    let second = api.create("/clients/web/secrets", json!({})).await;

    assert_ne!(first["client_secret"], second["client_secret"]);
    assert_eq!(second["client_secret"].as_str().unwrap().len(), 43);
    let both = secrets(&api).await;
    assert_eq!((both.len(), &both[1]), (2, &second["id"].as_str().unwrap().to_owned()));
    let listed = api.get("/clients/web/secrets").await.body.to_string();
    assert!(!listed.contains("client_secret") && !listed.contains("sha256"), "{listed}");
    assert_eq!(api.post("/clients/web/secrets", json!({})).await.status, 409);

    assert_eq!(api.delete(&format!("/clients/web/secrets/{}", both[0])).await.status, 204);
    assert_eq!(secrets(&api).await, both[1..]);
    assert_eq!(api.delete(&format!("/clients/web/secrets/{}", both[0])).await.status, 404);
    let last = api.delete(&format!("/clients/web/secrets/{}", both[1])).await;
    assert_eq!(last.status, 409, "the last one stays");
    api.stop().await;
}

#[actix_web::test]
async fn a_client_that_shows_no_secret_has_none() {
    let api = Api::start().await;
    api.create("/clients", web(&json!({}))).await;
    let by_key = json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": jwks()});

    let changed = api.patch("/clients/web", by_key).await;

    assert_eq!(changed.status, 200, "{}", changed.body);
    assert!(secrets(&api).await.is_empty());
    assert_eq!(api.post("/clients/web/secrets", json!({})).await.status, 409);
    // and back: then a secret is made on purpose
    let back = api
        .patch("/clients/web", json!({"token_endpoint_auth_method": "client_secret_basic"}))
        .await;
    assert_eq!(back.status, 200, "{}", back.body);
    assert!(secrets(&api).await.is_empty());
    api.create("/clients/web/secrets", json!({})).await;
    assert_eq!(api.get("/clients/nobody/secrets").await.status, 404);
    api.stop().await;
}

#[actix_web::test]
async fn keys_are_public_and_stand_in_one_place() {
    let api = Api::start().await;
    let with = async |more: Value| -> Answer {
        let mut body = web(&json!({"token_endpoint_auth_method": "private_key_jwt"}));
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        api.post("/clients", body).await
    };
    let mut private = jwks();
    private["keys"][0]["d"] = json!("AQAB");

    let refused = with(json!({ "jwks": private })).await;
    assert_eq!((refused.status, refused.fields()), (422, vec!["jwks"]));
    assert!(refused.body.to_string().contains("private key"), "{}", refused.body);
    let both = json!({"jwks": jwks(), "jwks_uri": "https://web.example/jwks"});
    assert_eq!(with(both).await.fields(), ["jwks_uri"]);
    let made = with(json!({"jwks_uri": "https://web.example/jwks"})).await;
    assert_eq!((made.status, made.body.get("client_secret")), (201, None));
    api.stop().await;
}

#[actix_web::test]
async fn certificates_are_for_brokers_that_see_them() {
    let api = Api::start().await;
    let method = |method: &str| web(&json!({"token_endpoint_auth_method": method, "jwks": jwks()}));

    let by_ca = api.post("/clients", method("tls_client_auth")).await;
    assert_eq!(by_ca.fields(), ["tls_client_auth_subject_dn", "token_endpoint_auth_method"]);
    let pinned = api.post("/clients", method("self_signed_tls_client_auth")).await;
    assert_eq!(pinned.fields(), ["jwks", "token_endpoint_auth_method"]);
    let both = json!({"dpop_bound_access_tokens": true, "tls_client_certificate_bound_access_tokens": true});
    let bound = api.post("/clients", web(&both)).await;
    assert_eq!(bound.fields(), ["tls_client_certificate_bound_access_tokens"]);
    api.stop().await;
}
