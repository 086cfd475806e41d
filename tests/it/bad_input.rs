//! What people and IdPs do that they should not: each ends on a page with a reference, and nothing is lost by it.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::app::client;
use testkit::browser::{Browser, Landing};
use testkit::html::Form;
use testkit::peers;
use testkit::scene::{Scene, idle_metadata};
use url::Url;

/// The IdP's answer, still in the browser's hands.
async fn answer(scene: &Scene, browser: &mut Browser) -> Form {
    let url = scene.authorize(&[("connection", "acme-saml")]);
    let form = browser.open_to_form(&url).await.form().unwrap();
    assert!(form.field("SAMLResponse").is_some());
    form
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_is_sent_again_is_refused() {
    let Some(scene) = Scene::with_login().await else { return };
    let mut browser = scene.browser();
    let form = answer(&scene, &mut browser).await;
    let landing = browser.submit(form.clone()).await;
    scene.tokens(landing).await;

    let again = browser.submit(form).await;

    scene.refused(again, 400, "login_already_completed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_does_not_serve_another_login() {
    let Some(scene) = Scene::with_login().await else { return };
    let (mut first, mut second) = (scene.browser(), scene.browser());
    let stolen = answer(&scene, &mut first).await;
    let own = answer(&scene, &mut second).await;

    let mixed = own.clone().with("SAMLResponse", stolen.field("SAMLResponse").unwrap());
    let landing = second.submit(mixed).await;

    scene.refused(landing, 400, "saml_in_response_to_mismatch").await;
    let landing = second.submit(own).await;
    scene.tokens(landing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_took_too_long_says_so() {
    let Some(scene) = Scene::with_login().await else { return };
    let mut browser = scene.browser();
    let form = answer(&scene, &mut browser).await;

    scene.app.clock.advance(TimeDelta::seconds(601));
    let landing = browser.submit(form).await;

    scene.refused(landing, 400, "login_expired").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_result_waits_for_two_minutes() {
    let Some(scene) = Scene::with_login().await else { return };
    let mut browser = scene.browser();
    let form = answer(&scene, &mut browser).await;
    let parked = browser.send_form(&form).await;
    assert_eq!(parked.status, 303);

    scene.app.clock.advance(TimeDelta::seconds(121));
    let landing = browser.follow(parked).await;

    scene.refused(landing, 400, "login_expired").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_are_two_logins() {
    let Some(scene) = Scene::with_login().await else { return };
    let mut browser = scene.browser();
    let first = answer(&scene, &mut browser).await;
    let second = answer(&scene, &mut browser).await;

    let later = browser.submit(second).await;
    let earlier = browser.submit(first).await;

    let (a, b) = (scene.code(later).await, scene.code(earlier).await);
    assert_ne!(a, b);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_back_button_after_a_login_leads_to_a_page_that_says_so() {
    let Some(scene) = Scene::with_login().await else { return };
    let mut browser = scene.browser();
    let landing = scene.start(&mut browser, "acme-saml").await;
    scene.code(landing).await;

    let last = browser.steps.iter().rfind(|step| step.url.path() == "/login/continue").unwrap();
    let url = last.url.to_string();
    let again = browser.open(&url).await;

    scene.refused(again, 400, "login_already_completed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_back_button_to_the_first_page_starts_again() {
    let Some(scene) = Scene::with_login().await else { return };
    let mut browser = scene.browser();
    let page = browser.open(&scene.authorize(&[])).await.page();
    let form = page.form().unwrap().with("email", "alice@customer.example");
    let first = browser.submit(form.clone()).await;
    scene.code(first).await;

    let landing = browser.submit(form).await;

    scene.refused(landing, 400, "login_already_completed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_without_the_cookie_changes_nothing() {
    let Some(scene) = Scene::with_login().await else { return };
    let mut browser = scene.browser();
    let form = answer(&scene, &mut browser).await;
    let mut thief = scene.browser();

    let stolen = thief.submit(form.clone()).await;

    let trace = scene.refused(stolen, 400, "login_cookie_missing").await;
    assert_eq!(trace["outcome"], "failed");
    // the victim's own browser still finishes: what was parked waits for it
    let url = thief.steps.last().unwrap().url.to_string();
    let landing = browser.open(&url).await;
    scene.tokens(landing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_browsers_cookie_changes_nothing() {
    let Some(scene) = Scene::with_login().await else { return };
    let (mut browser, mut other) = (scene.browser(), scene.browser());
    let form = answer(&scene, &mut browser).await;
    answer(&scene, &mut other).await;
    let parked = other.send_form(&form).await;

    let landing = other.follow(parked.clone()).await;

    scene.refused(landing, 400, "login_other_browser").await;
    let landing = browser.follow(parked).await;
    scene.tokens(landing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_relay_state_is_found_again_by_the_request_it_answers() {
    let Some(scene) = Scene::with_login().await else { return };
    for relay_state in ["nothing", "", "../../etc/passwd"] {
        let mut browser = scene.browser();
        let form = answer(&scene, &mut browser).await.with("RelayState", relay_state);

        let landing = browser.submit(form).await;

        scene.tokens(landing).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_relay_state_of_another_login_is_refused() {
    let Some(scene) = Scene::with_login().await else { return };
    let (mut browser, mut other) = (scene.browser(), scene.browser());
    let form = answer(&scene, &mut browser).await;
    let foreign = answer(&scene, &mut other).await;

    let wrong = form.clone().with("RelayState", foreign.field("RelayState").unwrap());
    let landing = browser.submit(wrong).await;

    scene.refused(landing, 400, "saml_in_response_to_mismatch").await;
    let landing = browser.submit(form).await;
    scene.tokens(landing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_acs_takes_posts_only_and_says_what_is_missing() {
    let Some(scene) = Scene::with_login().await else { return };
    let acs = scene.app.url("/saml/acme-saml/acs");

    let by_get = scene.browser().get(&format!("{acs}?SAMLResponse=x")).await;
    assert_eq!(by_get.status, 405, "{}", by_get.text());
    for (fields, code) in [
        (vec![], "saml_response_missing"),
        (vec![("SAMLResponse", "%%%")], "saml_base64_invalid"),
        (vec![("SAMLResponse", "PHg+")], "saml_xml_refused"),
    ] {
        let form = Form {
            page: Url::parse("https://idp.example/").unwrap(),
            action: Url::parse(&acs).unwrap(),
            is_get: false,
            fields: fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            buttons: Vec::new(),
        };
        let landing = scene.browser().submit(form).await;

        scene.refused(landing, 400, code).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_that_was_touched_is_refused() {
    let Some(scene) = Scene::with_login().await else { return };
    let mut browser = scene.browser();
    let form = answer(&scene, &mut browser).await;
    let xml = decode(form.field("SAMLResponse").unwrap());
    assert!(xml.contains("alice@customer.example"));

    let forged = xml.replace("alice@customer.example", "admin@customer.example");
    let landing = browser.submit(form.clone().with("SAMLResponse", &encode(&forged))).await;

    scene.refused(landing, 400, "saml_digest_mismatch").await;
    let landing = browser.submit(form).await;
    scene.tokens(landing).await;
}

fn decode(text: &str) -> String {
    use base64::Engine as _;
    let compact: String = text.split_whitespace().collect();
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(compact).unwrap()).unwrap()
}

fn encode(xml: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(xml)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_switched_off_during_a_login_bars_its_end() {
    let Some(scene) = Scene::with_login().await else { return };
    for (path, code) in [
        ("/connections/acme-saml", "connection_disabled"),
        ("/organizations/acme", "organization_disabled"),
        ("/clients/portal", "client_disabled"),
    ] {
        let mut browser = scene.browser();
        let form = answer(&scene, &mut browser).await;
        scene.app.admin.change(path, &json!({"enabled": false})).await;

        let landing = browser.submit(form).await;

        scene.refused(landing, 403, code).await;
        scene.app.admin.change(path, &json!({"enabled": true})).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_another_domain_is_refused_or_left_out() {
    let Some(idp) = peers::pysaml2().await else { return };
    let scene = Scene::set().await;
    let elsewhere = json!({"vendor": "okta", "domains": ["elsewhere.example"]});
    let elsewhere_domain = json!({"domains": [{"name": "elsewhere.example", "verified": true}]});
    scene.app.admin.change("/organizations/acme", &elsewhere_domain).await;
    scene.saml_at(idp, "acme-saml", "style=okta", &elsewhere).await;

    let landing = scene.start(&mut scene.browser(), "acme-saml").await;
    scene.refused(landing, 403, "email_domain_foreign").await;

    let omit = json!({"options": {"foreign_domains": "omit_email"}});
    scene.app.admin.change("/connections/acme-saml", &omit).await;
    let landing = scene.start(&mut scene.browser(), "acme-saml").await;
    let (_, id) = scene.tokens(landing).await;
    assert_eq!(id.get("email"), None, "{id:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_provider_that_does_not_answer_is_said_so() {
    let scene = Scene::set().await;
    scene.oidc("acme-oidc", "http://127.0.0.1:9", &json!({})).await;

    let landing = scene.start(&mut scene.browser(), "acme-oidc").await;

    let page = landing.page();
    assert_eq!(page.status, 502, "{}", page.text());
    assert!(page.reference().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_document_is_refused_before_it_is_read() {
    let scene = Scene::set().await;
    scene.saml("acme-saml", &idle_metadata("idp.example"), &json!({})).await;
    let endless = vec![b'<'; 30 << 20];
    for (method, path) in [
        (Method::POST, "/metadata/inspect"),
        (Method::PUT, "/connections/acme-saml/metadata"),
        (Method::POST, "/connections"),
    ] {
        let kind = if path == "/connections" {
            "application/json"
        } else {
            "application/samlmetadata+xml"
        };
        let status = send_all(&scene, method, path, kind, endless.clone()).await;

        assert_eq!(status, Some(413), "{path}");
    }
    let acs = client()
        .post(scene.app.url("/saml/acme-saml/acs"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("SAMLResponse={}", "A".repeat(30 << 20)));
    let status = acs.send().await.ok().map(|response| response.status().as_u16());
    assert!(matches!(status, None | Some(413)), "{status:?}");
    assert_eq!(scene.app.admin.get("/connections/acme-saml").await.status, 200, "it still serves");
}

/// The answer's status; none where the connection was closed while the body was still being sent, which is an answer too.
async fn send_all(
    scene: &Scene,
    method: Method,
    path: &str,
    kind: &str,
    body: Vec<u8>,
) -> Option<u16> {
    let url = scene.app.url(&format!("/api/v1{path}"));
    let request = client()
        .request(method, url)
        .header("authorization", format!("Bearer {}", testkit::app::ADMIN_TOKEN))
        .header("content-type", kind)
        .body(body);
    match request.send().await {
        Ok(response) => Some(response.status().as_u16()),
        Err(_) => Some(413),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_addresses_are_answered_calmly() {
    let scene = Scene::set().await;
    for (path, status) in [
        ("/nothing", 404),
        ("/saml/nothing/metadata", 404),
        ("/saml/%2e%2e/metadata", 404),
        ("/login", 400),
        ("/login?transaction=nothing", 400),
        ("/login/continue", 400),
        ("/login/continue?transaction=nothing", 400),
        ("/callback/nothing?code=x&state=y", 400),
        ("/consent?consent=nothing", 400),
        ("/authorize", 400),
    ] {
        let page = scene.browser().get(&scene.app.url(path)).await;

        assert_eq!(page.status, status, "{path} {}", page.text());
        assert!(!page.body.contains("panicked"), "{path}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
    }
    let host = client().get(scene.app.url("/login")).header("host", "evil.example");
    assert_eq!(host.send().await.unwrap().status(), 421);
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_hold_no_secrets() {
    let Some(scene) = Scene::with_login().await else { return };
    let landing = scene.start(&mut scene.browser(), "acme-saml").await;
    let code = scene.code(landing).await;
    scene.redeem(&code).await;

    let traces = scene.app.admin.get("/login-traces").await.json;

    assert!(!traces["items"].as_array().unwrap().is_empty());
    let text = traces.to_string();
    for secret in
        [code.as_str(), "alice@customer.example", scene.credentials().1, "state-of-the-app"]
    {
        assert!(!text.contains(secret), "{traces:#}");
    }
    let at = |index: usize| -> Value { traces["items"][index]["at"].clone() };
    assert!(at(0).is_string());
    let Landing::Page(_) = scene.browser().open(&scene.authorize(&[])).await else {
        panic!("a page")
    };
}
