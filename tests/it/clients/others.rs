//! Libraries of Python, Go and Java.

use serde_json::json;
use testkit::client_program::Library;
use testkit::scene::API;

use super::{Registered, assert_is_alice};

#[tokio::test(flavor = "multi_thread")]
async fn authlib_signs_in_refreshes_introspects_and_revokes() {
    let Some(app) = Registered::new(&json!({})).await else { return };

    let Some(has) = app.run(Library::Authlib, &json!({})).await else { return };

    assert_is_alice(&has["claims"]);
    assert_is_alice(&has["info"]);
    assert_eq!(has["rotated"], true);
    assert_eq!(has["live"]["active"], true);
    assert_eq!(has["revoked"], 200);
    assert_eq!(has["dead"], json!({"active": false}));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_oauthlib_signs_in_and_refreshes() {
    let Some(app) = Registered::new(&json!({})).await else { return };

    let Some(has) = app.run(Library::RequestsOauthlib, &json!({})).await else { return };

    assert_is_alice(&has["info"]);
    assert_eq!(has["token_type"], "Bearer");
    assert_eq!(has["rotated"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn go_signs_in_and_refreshes() {
    let Some(app) = Registered::new(&json!({})).await else { return };

    let Some(has) = app.run(Library::Go, &json!({"does": "login"})).await else { return };

    assert_is_alice(&has["claims"]);
    assert_eq!(has["sub"], has["claims"]["sub"]);
    assert_eq!(has["rotated"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn go_signs_a_device_in() {
    // the library names no secret where it asks for a device's codes
    let metadata = json!({"token_endpoint_auth_method": "none",
        "grant_types": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"]});
    let Some(app) = Registered::new(&metadata).await else { return };

    let Some(has) = app.run(Library::Go, &json!({"does": "device"})).await else { return };

    assert_is_alice(&has["claims"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn go_gets_a_token_for_a_service() {
    let Some(app) = Registered::new(&json!({"grant_types": ["client_credentials"]})).await else {
        return;
    };
    let grant = json!({"client_id": app.settings["client_id"], "audience": API, "scopes": ["read:data"],
        "subject_type": "client"});
    app.scene.app.admin.create("/client-grants", &grant).await;

    let Some(has) = app.run(Library::Go, &json!({"does": "service"})).await else { return };

    assert_eq!(has["token_type"], "Bearer");
}

#[tokio::test(flavor = "multi_thread")]
async fn nimbus_signs_in_refreshes_and_introspects() {
    let Some(app) = Registered::new(&json!({})).await else { return };

    let Some(has) = app.run(Library::Nimbus, &json!({})).await else { return };

    assert_is_alice(&has["info"]);
    assert_eq!(has["sub"], has["info"]["sub"]);
    assert_eq!(has["rotated"], true);
    assert_eq!(has["active"], true);
}
