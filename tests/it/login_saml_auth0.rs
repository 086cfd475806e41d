//! Logins at Auth0's own IdP library: "another Auth0 tenant over SAML".

use serde_json::json;
use testkit::peers::{self, Peer};
use testkit::scene::{Scene, USER};

async fn at_samlp(more: &[&str]) -> Option<(Scene, Peer)> {
    let scene = Scene::set().await;
    let acs = scene.app.url("/saml/acme-auth0/acs");
    let idp = peers::auth0_samlp(&acs, more).await?;
    let metadata = scene.fetch(&idp.url("/samlp/metadata/portal")).await;
    scene.saml("acme-auth0", &metadata, &json!({"vendor": "auth0"})).await;
    Some((scene, idp))
}

async fn signs_in(more: &[&str]) {
    let Some((scene, _idp)) = at_samlp(more).await else { return };

    let landing = scene.start(&mut scene.browser(), "acme-auth0").await;
    let (access, id) = scene.tokens(landing).await;

    assert_eq!(access["connection"], "acme-auth0");
    assert_eq!(id["email"], USER);
    assert_eq!(id["name"], "Alice Example");
    let sub = access["sub"].as_str().unwrap();
    let user = scene.app.admin.get(&format!("/users/{sub}")).await.json;
    assert_eq!(user["identities"][0]["issuer"], "urn:judge.eu.auth0.com");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_another_auth0_tenant_reaches_the_api() {
    signs_in(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_response_signed_too() {
    signs_in(&["--sign-response"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_names_the_audience_as_its_destination_is_refused_with_what_to_set() {
    let Some((scene, _idp)) = at_samlp(&["--bare"]).await else { return };

    let landing = scene.start(&mut scene.browser(), "acme-auth0").await;

    let trace = scene.refused(landing, 400, "saml_destination_mismatch").await;
    let acs = scene.app.url("/saml/acme-auth0/acs");
    let checks = trace["checks"].as_array().unwrap();
    let fix = checks.iter().filter_map(|check| check["fix"].as_str()).next().unwrap();
    assert!(fix.contains(&acs) && fix.contains("destination"), "{fix}");
}
