//! One customer's identity provider, app or answer where another's should be: refused, and traced.

use serde_json::{Value, json};
use testkit::browser::Browser;
use testkit::peers;
use testkit::sample_oidc::SampleOidc;
use testkit::scene::Scene;

/// Acme, which holds `customer.example`, and Globex.
async fn scene() -> Scene {
    let scene = Scene::set().await;
    let globex = json!({"name": "globex", "display_name": "Globex",
        "domains": [{"name": "globex.example", "verified": true}]});
    scene.app.admin.create("/organizations", &globex).await;
    scene
}

/// An OIDC connection of Globex's.
fn of_globex(more: &Value) -> Value {
    let mut connection = json!({"organization": "globex", "domains": ["globex.example"]});
    testkit::scene::merge(&mut connection, more);
    connection
}

/// A login that is at the IdP, and where that sends the browser back.
async fn begun(scene: &Scene, browser: &mut Browser, connection: &str) -> String {
    let sent = browser.get(&scene.authorize(&[("connection", connection)])).await;
    let back = browser.get(sent.header("location")).await;
    back.header("location").to_owned()
}

async fn subject(scene: &Scene, connection: &str) -> String {
    let landing = scene.start(&mut scene.browser(), connection).await;
    let answer = scene.redeem(&scene.code(landing).await).await;
    let claims = testkit::scene::claims_of(answer.json["access_token"].as_str().unwrap());
    claims["sub"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idp_that_asserts_another_organizations_domain_signs_nobody_in() {
    let scene = scene().await;
    let op = SampleOidc::start(1, &scene.app.clock);
    scene.oidc("globex-oidc", &op.issuer, &of_globex(&json!({}))).await;

    let landing = scene.start(&mut scene.browser(), "globex-oidc").await;

    let trace = scene.refused(landing, 403, "email_domain_foreign").await;
    assert_eq!(trace["connection"], "globex-oidc", "{trace:#}");
    let users = scene.app.admin.get("/users").await.json;
    assert!(users["items"].as_array().unwrap().is_empty(), "{users:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_foreign_addresses_are_left_out_the_user_is_still_not_the_other_one() {
    let scene = scene().await;
    let op = SampleOidc::start(1, &scene.app.clock);
    scene.oidc("acme-oidc", &op.issuer, &json!({})).await;
    let guests = json!({"options": {"foreign_domains": "omit_email"}});
    scene.oidc("globex-oidc", &op.issuer, &of_globex(&guests)).await;

    let (acme, globex) = (subject(&scene, "acme-oidc").await, subject(&scene, "globex-oidc").await);

    // the same issuer and the same `sub`, but two connections: two users
    assert_ne!(acme, globex);
    let user = scene.app.admin.get(&format!("/users/{globex}")).await.json;
    assert_eq!(user["claims"].get("email"), None, "{user:#}");
    assert_eq!(user["organizations"], json!(["globex"]), "{user:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_name_id_in_two_connections_is_two_users_and_neither_takes_the_others_response() {
    let Some(idp) = peers::pysaml2().await else { return };
    let scene = scene().await;
    scene.saml_at(idp, "acme-saml", "style=okta", &json!({"vendor": "okta"})).await;
    let guests = json!({"vendor": "okta", "options": {"foreign_domains": "omit_email"}});
    scene.saml_at(idp, "globex-saml", "style=okta", &of_globex(&guests)).await;

    assert_ne!(subject(&scene, "acme-saml").await, subject(&scene, "globex-saml").await);

    let mut browser = scene.browser();
    let url = scene.authorize(&[("connection", "acme-saml")]);
    let mut form = browser.open_to_form(&url).await.form().unwrap();
    let path = form.action.path().replace("acme-saml", "globex-saml");
    form.action.set_path(&path);
    let landing = browser.submit(form).await;
    scene.refused(landing, 400, "login_other_connection").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_for_one_connection_is_not_taken_by_another() {
    let scene = scene().await;
    let op = SampleOidc::start(1, &scene.app.clock);
    scene.oidc("acme-oidc", &op.issuer, &json!({})).await;
    scene.oidc("globex-oidc", &op.issuer, &of_globex(&json!({}))).await;
    let mut browser = scene.browser();

    let callback = begun(&scene, &mut browser, "acme-oidc").await;
    let landing = browser.open(&callback.replace("acme-oidc", "globex-oidc")).await;

    scene.refused(landing, 400, "login_other_connection").await;
    // and the login is as it was
    let landing = browser.open(&callback).await;
    scene.code(landing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_for_a_foreign_connection_is_told_nothing_and_its_trace_all() {
    let scene = scene().await;
    let op = SampleOidc::start(1, &scene.app.clock);
    scene.oidc("globex-oidc", &op.issuer, &of_globex(&json!({}))).await;
    let app = json!({"client_id": "acme-site", "client_name": "Acme site", "organization": "acme",
        "redirect_uris": [testkit::scene::REDIRECT_URI]});
    scene.app.admin.create("/clients", &app).await;
    scene.grant("acme-site", &["read:data"]).await;

    let asks = [("client_id", "acme-site"), ("connection", "globex-oidc")];
    let page = scene.browser().get(&scene.authorize(&asks)).await;

    assert!(!page.text().contains("lobex"), "{}", page.text());
    let trace = scene.app.admin.trace(&page.reference().unwrap()).await;
    assert_eq!((page.status.as_u16(), &trace["code"]), (400, &json!("connection_unknown")));
    assert!(trace["checks"].to_string().contains("`is_domain_connection` is false"), "{trace:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_was_disabled_meanwhile_finishes_nothing() {
    let scene = scene().await;
    let op = SampleOidc::start(1, &scene.app.clock);
    scene.oidc("acme-oidc", &op.issuer, &json!({})).await;
    let mut browser = scene.browser();
    let callback = begun(&scene, &mut browser, "acme-oidc").await;

    scene.app.admin.change("/connections/acme-oidc", &json!({"enabled": false})).await;
    let landing = browser.open(&callback).await;

    let trace = scene.refused(landing, 403, "connection_disabled").await;
    assert!(trace["checks"].to_string().contains("set its `enabled` to true"), "{trace:#}");
}
