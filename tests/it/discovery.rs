//! The discovery document against what is served: everything that it names, and nothing beside it.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::app::TestApp;
use testkit::scene::Scene;

/// Everything switched on.
const ON: &str = r#"
    [registration]
    enabled = true
    [client_id_documents]
    organization = "acme"
    hosts = ["app.example"]
"#;

async fn scene() -> (Scene, Value) {
    let app = TestApp::spawn_with(chrono::TimeDelta::zero(), ON).await;
    let scene = Scene::with(app).await;
    let url = scene.app.url("/.well-known/openid-configuration");
    let document = serde_json::from_str(&scene.fetch(&url).await).unwrap();
    (scene, document)
}

fn texts(document: &Value, name: &str) -> BTreeSet<String> {
    let list = document[name].as_array().unwrap_or_else(|| panic!("no {name}"));
    list.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// Each endpoint takes the method that its specification gives it.
#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_that_is_announced_is_served() {
    let (scene, document) = scene().await;
    let names = document.as_object().unwrap().keys();
    let endpoints: Vec<&String> =
        names.filter(|name| name.ends_with("_endpoint") || *name == "jwks_uri").collect();
    assert!(endpoints.len() >= 6, "{endpoints:?}");
    for name in endpoints {
        let url = document[name].as_str().unwrap();
        assert!(url.starts_with(&scene.app.issuer), "{name}: {url}");
        let by_get =
            ["authorization_endpoint", "end_session_endpoint", "jwks_uri", "userinfo_endpoint"];
        let method = if by_get.contains(&name.as_str()) { Method::GET } else { Method::POST };
        let status = scene.app.http.request(method, url).send().await.unwrap().status();
        let absent = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED];
        assert!(!absent.contains(&status), "{name}: {status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_grants_that_are_served_are_those_that_are_announced() {
    let (scene, document) = scene().await;
    let announced = texts(&document, "grant_types_supported");
    for grant in [
        "authorization_code",
        "client_credentials",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code",
        "implicit",
        "password",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:saml2-bearer",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ] {
        let answer = scene.token(Some(scene.credentials()), &[("grant_type", grant)]).await;
        let served = answer.json["error"] != "unsupported_grant_type";
        assert_eq!(served, announced.contains(grant), "{grant}: {}", answer.json);
    }
}

/// A client can be registered with each method that is announced, and with no other: the API names what it takes.
#[tokio::test(flavor = "multi_thread")]
async fn the_methods_and_algorithms_that_can_be_registered_are_those_that_are_announced() {
    let (scene, document) = scene().await;
    let methods = texts(&document, "token_endpoint_auth_methods_supported");
    for (member, announced, all) in [
        (
            "token_endpoint_auth_method",
            methods,
            [
                "none",
                "client_secret_basic",
                "client_secret_post",
                "client_secret_jwt",
                "private_key_jwt",
                "tls_client_auth",
                "self_signed_tls_client_auth",
            ],
        ),
        (
            "id_token_signed_response_alg",
            texts(&document, "id_token_signing_alg_values_supported"),
            ["RS256", "ES256", "EdDSA", "none", "HS256", "PS256", "ES384"],
        ),
    ] {
        for value in all {
            let client = json!({"client_name": "App", "first_party": true, member: value,
                "redirect_uris": ["https://a.example/cb"]});
            let answer = scene.app.admin.post("/clients", &client).await;
            let errors = answer.json["errors"].as_array().cloned().unwrap_or_default();
            // a method may want more members beside it; what counts is whether the value itself is refused
            let refused = errors.iter().any(|error| error["field"] == member);
            assert_eq!(!refused, announced.contains(value), "{member}={value}: {}", answer.json);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scope_and_response_mode_that_is_announced_is_taken_and_no_other() {
    let (scene, document) = scene().await;
    let status = async |changes: &[(&str, &str)]| {
        let answer = scene.app.http.get(scene.authorize(changes)).send().await.unwrap();
        let location = answer.headers().get("location").map(|l| l.to_str().unwrap().to_owned());
        (answer.status().as_u16(), location.unwrap_or_default())
    };
    for scope in texts(&document, "scopes_supported") {
        let (code, location) = status(&[("scope", &format!("openid {scope}"))]).await;
        assert!(code == 303 && !location.contains("error="), "{scope}: {code} {location}");
    }
    let (_, location) = status(&[("scope", "openid invented")]).await;
    assert!(location.contains("error=invalid_scope"), "{location}");
    let modes = texts(&document, "response_modes_supported");
    for mode in ["query", "form_post", "fragment", "jwt"] {
        let (code, location) = status(&[("response_mode", mode)]).await;
        let taken = code == 303 && !location.contains("error=");
        assert_eq!(taken, modes.contains(mode), "{mode}: {code} {location}");
    }
    for kind in ["code", "token", "id_token", "code id_token"] {
        let (_, location) = status(&[("response_type", kind)]).await;
        let taken = !location.contains("error=");
        assert_eq!(taken, texts(&document, "response_types_supported").contains(kind), "{kind}");
    }
    for method in ["S256", "plain"] {
        let (_, location) = status(&[("code_challenge_method", method)]).await;
        let taken = !location.contains("error=");
        assert_eq!(taken, texts(&document, "code_challenge_methods_supported").contains(method));
    }
    // OIDC Core §5.5: not announced, so it is ignored; nor do languages do harm
    assert_eq!(document["claims_parameter_supported"], false);
    let claims = r#"{"id_token": {"acr": {"essential": true}}}"#;
    for extra in [("claims", claims), ("ui_locales", "de-CH x-\u{1}"), ("display", "popup")] {
        let (code, location) = status(&[extra]).await;
        assert!(code == 303 && !location.contains("error="), "{extra:?}: {location}");
    }
}

/// RFC 8414 §3.1 and OIDC Discovery §4 name the same server.
#[tokio::test(flavor = "multi_thread")]
async fn both_documents_are_one() {
    let (scene, document) = scene().await;
    let oauth = scene.fetch(&scene.app.url("/.well-known/oauth-authorization-server")).await;
    assert_eq!(serde_json::from_str::<Value>(&oauth).unwrap(), document);
    assert_eq!(document["issuer"], scene.app.issuer);
}
