//! Logins at Debian's SimpleSAMLphp, as it comes: transient name identifiers, a page that asks for a password.

use serde_json::{Value, json};
use testkit::browser::{Browser, Landing};
use testkit::peers::{self, Peer};
use testkit::scene::{Scene, USER};

const UID: &str = "urn:oid:0.9.2342.19200300.100.1.1";

async fn at_simplesamlphp(extra: &Value) -> Option<(Scene, Peer)> {
    let scene = Scene::set().await;
    let (entity_id, acs) =
        (scene.app.url("/saml/acme-ssp/metadata"), scene.app.url("/saml/acme-ssp/acs"));
    let idp = peers::simplesamlphp(&entity_id, &acs).await?;
    let metadata = scene.fetch(&idp.url("/saml2/idp/metadata.php")).await;
    scene.saml("acme-ssp", &metadata, extra).await;
    Some((scene, idp))
}

/// Types the password.
async fn sign_in(browser: &mut Browser, asked: Landing) -> Landing {
    let form = asked.page().form().unwrap();
    browser.submit(form.with("username", "alice").with("password", "wonderland")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_simplesamlphp_reaches_the_api() {
    let attribute = json!({"vendor": "shibboleth", "options": {"subject_attribute": UID}});
    let Some((scene, _idp)) = at_simplesamlphp(&attribute).await else { return };
    let mut browser = scene.browser();

    let asked = scene.start(&mut browser, "acme-ssp").await;
    let landing = sign_in(&mut browser, asked).await;
    let (access, id) = scene.tokens(landing).await;

    assert_eq!(access["connection"], "acme-ssp");
    assert_eq!(id["email"], USER);
    // the IdP still has its session: no password this time
    let landing = scene.start(&mut browser, "acme-ssp").await;
    let (again, _) = scene.tokens(landing).await;
    assert_eq!(again["sub"], access["sub"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn as_it_comes_the_refusal_says_what_to_change() {
    let Some((scene, _idp)) = at_simplesamlphp(&json!({"vendor": "shibboleth"})).await else {
        return;
    };
    let mut browser = scene.browser();

    let asked = scene.start(&mut browser, "acme-ssp").await;
    let landing = sign_in(&mut browser, asked).await;

    let trace = scene.refused(landing, 400, "saml_subject_transient").await;
    let fix = |check: &Value| check["fix"].as_str().is_some_and(|fix| !fix.is_empty());
    assert!(trace["checks"].as_array().unwrap().iter().any(fix), "{trace:#}");
}
