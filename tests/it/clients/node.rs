//! openid-client and oauth4webapi, both certified by the OpenID Foundation.

use serde_json::json;
use testkit::client_program::Library;
use testkit::scene::API;

use super::{Registered, assert_is_alice};

#[tokio::test(flavor = "multi_thread")]
async fn openid_client_signs_in_refreshes_introspects_and_revokes() {
    let Some(app) = Registered::new(&json!({})).await else { return };

    let Some(has) = app.run(Library::OpenidClient, &json!({"does": "login"})).await else { return };

    assert_is_alice(&has["claims"]);
    assert_is_alice(&has["info"]);
    assert_eq!(has["rotated"], true);
    assert_eq!(has["same_sub"], true);
    assert_eq!(has["live"]["active"], true, "{has:#}");
    assert_eq!(has["live"]["aud"], API);
    assert_eq!(has["after"], "invalid_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn openid_client_pushes_its_authorization_request() {
    let required = json!({"require_pushed_authorization_requests": true});
    let Some(app) = Registered::new(&required).await else { return };

    let Some(has) = app.run(Library::OpenidClient, &json!({"does": "par"})).await else { return };

    assert_is_alice(&has["claims"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn openid_client_authenticates_with_its_own_key() {
    let (private, public) = key();
    let metadata =
        json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [public]}});
    let Some(app) = Registered::new(&metadata).await else { return };

    let settings = json!({"does": "login", "private_jwk": private});
    let Some(has) = app.run(Library::OpenidClient, &settings).await else { return };

    assert_is_alice(&has["claims"]);
    assert_eq!(has["rotated"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn openid_client_binds_a_public_clients_tokens_to_its_key() {
    let metadata = json!({"token_endpoint_auth_method": "none", "dpop_bound_access_tokens": true});
    let Some(app) = Registered::new(&metadata).await else { return };

    let Some(has) = app.run(Library::OpenidClient, &json!({"does": "dpop"})).await else { return };

    assert_eq!(has["token_type"].as_str().unwrap().to_lowercase(), "dpop");
    assert_eq!(has["refreshed"].as_str().unwrap().to_lowercase(), "dpop");
    assert_is_alice(&has["info"]);
    assert_eq!(has["stolen"], "invalid_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn openid_client_signs_a_device_in() {
    let metadata = json!({"token_endpoint_auth_method": "none",
        "grant_types": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"]});
    let Some(app) = Registered::new(&metadata).await else { return };

    let Some(has) = app.run(Library::OpenidClient, &json!({"does": "device"})).await else {
        return;
    };

    assert_is_alice(&has["claims"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn openid_client_gets_a_token_for_a_service() {
    let Some(app) = Registered::new(&json!({"grant_types": ["client_credentials"]})).await else {
        return;
    };
    let grant = json!({"client_id": app.settings["client_id"], "audience": API, "scopes": ["read:data"],
        "subject_type": "client"});
    app.scene.app.admin.create("/client-grants", &grant).await;

    let Some(has) = app.run(Library::OpenidClient, &json!({"does": "service"})).await else {
        return;
    };

    assert_eq!(has["token_type"], "bearer");
    assert_eq!(has["scope"], "read:data");
}

#[tokio::test(flavor = "multi_thread")]
async fn openid_client_signs_out_and_the_next_silent_login_is_refused() {
    let after = "https://portal.example/bye";
    let Some(app) = Registered::new(&json!({"post_logout_redirect_uris": [after]})).await else {
        return;
    };

    let settings = json!({"does": "logout", "after_logout": after});
    let Some(has) = app.run(Library::OpenidClient, &settings).await else { return };

    let at = has["at"].as_str().unwrap();
    assert!(at.ends_with("?state=out"), "{at}");
    assert_eq!(has["error"], "login_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn oauth4webapi_signs_in_and_validates_the_token_as_an_api_does() {
    let Some(app) = Registered::new(&json!({"token_endpoint_auth_method": "none"})).await else {
        return;
    };

    let Some(has) = app.run(Library::Oauth4webapi, &json!({})).await else { return };

    assert_is_alice(&has["claims"]);
    assert_is_alice(&has["info"]);
    assert_eq!(has["access"]["aud"], API);
    assert_eq!(has["access"]["sub"], has["claims"]["sub"]);
    assert_eq!(has["issuer"], app.scene.app.issuer);
}

/// A P-256 key pair as JWKs.
fn key() -> (serde_json::Value, serde_json::Value) {
    let public = json!({"kty": "EC", "crv": "P-256", "kid": "app-1", "alg": "ES256", "use": "sig",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
    let mut private = public.clone();
    // RFC 7515 appendix A.3
    private["d"] = json!("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
    (private, public)
}
