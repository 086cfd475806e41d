//! A login at an IdP made of samael.

use serde_json::json;
use testkit::peers;
use testkit::scene::{Scene, USER};

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_samaels_idp_reaches_the_api() {
    let scene = Scene::set().await;
    let Some(idp) = peers::samael(USER).await else { return };
    let metadata = scene.fetch(&idp.url("/metadata")).await;
    scene.saml("acme-samael", &metadata, &json!({"vendor": "okta"})).await;

    let landing = scene.start(&mut scene.browser(), "acme-samael").await;
    let (access, id) = scene.tokens(landing).await;

    assert_eq!(access["connection"], "acme-samael");
    assert_eq!(id["email"], USER);
    assert_eq!(id["given_name"], "Alice");
}
