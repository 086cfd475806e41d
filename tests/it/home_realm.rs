//! Where a user's home is: the page, the JSON for pages of others, the simulation, and the parameters of a request.

use reqwest::header::{ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue};
use serde_json::{Value, json};
use testkit::browser::{Browser, Landing};
use testkit::scene::{CLIENT, Scene, idle_metadata};
use url::Url;

/// `customer.example` leads to `acme-saml`, `*.customer.example` to `acme-branches`, `two.example` to two connections of Two's.
async fn scene() -> Scene {
    let scene = Scene::set().await;
    let idle = |host: &str| idle_metadata(host);
    scene.saml("acme-saml", &idle("idp.customer.example"), &json!({})).await;
    let wildcard = json!({"domains": ["*.customer.example"]});
    scene.saml("acme-branches", &idle("idp.branches.example"), &wildcard).await;
    let two = json!({"name": "two", "display_name": "Two", "domains": [{"name": "two.example", "verified": true}]});
    scene.app.admin.create("/organizations", &two).await;
    for name in ["two-a", "two-b"] {
        let of_two = json!({"organization": "two", "domains": ["two.example"], "display_name": format!("Sign-in {name}")});
        scene.saml(name, &idle(&format!("{name}.example")), &of_two).await;
    }
    scene
}

/// Opens an authorization request without automatic steps.
async fn open(scene: &Scene, browser: &mut Browser, changes: &[(&str, &str)]) -> Step {
    let page = browser.get(&scene.authorize(changes)).await;
    if let Some(url) = upstream(scene, &page) {
        return Step::Upstream(url);
    }
    match browser.follow(page).await {
        Landing::Page(page) => Step::Page(page),
        Landing::Client(answer) => panic!("{answer:?}"),
    }
}

enum Step {
    Page(Box<testkit::html::Page>),
    Upstream(String),
}

impl Step {
    fn upstream(self) -> String {
        match self {
            Self::Upstream(host) => host,
            Self::Page(page) => panic!("{} {}", page.status, page.text()),
        }
    }

    fn page(self) -> testkit::html::Page {
        match self {
            Self::Page(page) => *page,
            Self::Upstream(host) => panic!("sent to {host}"),
        }
    }
}

/// The host that a redirect leads to, if it leaves us.
fn upstream(scene: &Scene, page: &testkit::html::Page) -> Option<String> {
    let location = page.header("location");
    let away = !location.is_empty() && !location.starts_with(&scene.app.issuer);
    let url = away.then(|| Url::parse(location).unwrap())?;
    url.host_str().map(str::to_owned)
}

async fn ask(scene: &Scene, query: &str, origin: &str) -> (u16, Option<HeaderValue>, Value) {
    let request = scene.app.http.get(scene.app.url(&format!("/home-realm?{query}")));
    let response = request.header("origin", origin).send().await.unwrap();
    let status = response.status().as_u16();
    let shared = response.headers().get(ACCESS_CONTROL_ALLOW_ORIGIN).cloned();
    (status, shared, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_domain_can_be_corrected_on_the_page() {
    let scene = scene().await;
    let mut browser = scene.browser();
    let page = open(&scene, &mut browser, &[]).await.page();
    assert_eq!(page.status, 200);

    let form = page.form().unwrap().with("email", "someone@nowhere.example");
    let again = browser.send_form(&form).await;

    assert_eq!(again.status, 200);
    let form = again.form().unwrap();
    assert_eq!(form.field("email"), Some("someone@nowhere.example"), "the value is kept");
    assert!(again.body.contains("aria-invalid=\"true\""), "{}", again.body);
    let sent = browser.send_form(&form.with("email", "ALICE@Customer.Example")).await;
    assert_eq!(upstream(&scene, &sent).as_deref(), Some("idp.customer.example"), "{}", sent.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_address_is_said_on_the_page() {
    let scene = scene().await;
    let mut browser = scene.browser();
    let page = open(&scene, &mut browser, &[]).await.page();

    for typed in
        ["", "alice", "@customer.example", "a@b@customer.example", "<script>alert(1)</script>"]
    {
        let again = browser.send_form(&page.form().unwrap().with("email", typed)).await;

        assert_eq!(again.status, 200, "{typed}");
        assert!(!again.body.contains("<script>alert"), "{typed}");
        assert!(again.form().is_some(), "{typed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_goes_by_the_wildcard_and_the_domain_itself_by_its_own_connection() {
    let scene = scene().await;
    for (email, host) in [
        ("a@customer.example", "idp.customer.example"),
        ("a@de.customer.example", "idp.branches.example"),
        ("a@berlin.de.customer.example", "idp.branches.example"),
    ] {
        let step = open(&scene, &mut scene.browser(), &[("login_hint", email)]).await;

        assert_eq!(step.upstream(), host, "{email}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_connections_of_a_domain_are_a_choice() {
    let scene = scene().await;
    let mut browser = scene.browser();

    let page = open(&scene, &mut browser, &[("login_hint", "a@two.example")]).await.page();

    assert_eq!(page.status, 200);
    assert!(page.text().contains("Sign-in two-a") && page.text().contains("Sign-in two-b"));
    let sent = browser.send_form(&page.form().unwrap().press("connection", "two-b")).await;
    assert_eq!(upstream(&scene, &sent).as_deref(), Some("two-b.example"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_that_was_not_offered_is_not_taken() {
    let scene = scene().await;
    let mut browser = scene.browser();
    let page = open(&scene, &mut browser, &[("login_hint", "a@two.example")]).await.page();
    // closed to the app after the page was shown
    scene.app.admin.change("/connections/acme-saml", &json!({"clients": []})).await;

    let form = page.form().unwrap().with("connection", "acme-saml");
    let answer = browser.send_form(&form).await;

    assert_eq!(upstream(&scene, &answer), None);
    assert_eq!(answer.status, 400, "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_decide_before_addresses_do() {
    let scene = scene().await;
    for (changes, host) in [
        (vec![("connection", "two-a"), ("login_hint", "a@customer.example")], "two-a.example"),
        (vec![("connection", "two-a"), ("organization", "two")], "two-a.example"),
        (
            vec![("organization", "acme"), ("login_hint", "a@customer.example")],
            "idp.customer.example",
        ),
    ] {
        let step = open(&scene, &mut scene.browser(), &changes).await;

        assert_eq!(step.upstream(), host, "{changes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_on_our_page() {
    let scene = scene().await;
    for changes in [
        vec![("connection", "two-a"), ("organization", "acme")],
        vec![("connection", "nothing")],
        vec![("organization", "nothing")],
    ] {
        let page = open(&scene, &mut scene.browser(), &changes).await.page();

        assert_eq!(page.status, 400, "{changes:?} {}", page.text());
        assert!(page.reference().is_some(), "{changes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_the_app_may_not_use_looks_like_none() {
    let scene = scene().await;
    scene.app.admin.change("/connections/acme-saml", &json!({"clients": ["another"]})).await;

    let closed = open(&scene, &mut scene.browser(), &[("connection", "acme-saml")]).await.page();
    let none = open(&scene, &mut scene.browser(), &[("connection", "nothing")]).await.page();

    assert_eq!(closed.status, none.status);
    let without_reference =
        |page: &testkit::html::Page| page.text().replace(&page.reference().unwrap(), "");
    assert_eq!(without_reference(&closed), without_reference(&none));
    let (status, _, answer) =
        ask(&scene, "email=a@customer.example&client_id=portal", "https://portal.example").await;
    assert_eq!((status, answer), (200, json!({"connection": null, "choices": []})));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_json_is_the_same_for_every_user_of_a_domain() {
    let scene = scene().await;

    let (status, shared, known) =
        ask(&scene, "email=alice@customer.example&client_id=portal", "https://portal.example")
            .await;
    let (_, _, other) =
        ask(&scene, "email=nobody@CUSTOMER.example&client_id=portal", "https://portal.example")
            .await;

    assert_eq!(status, 200);
    assert_eq!(shared.unwrap(), "https://portal.example");
    let expected = json!({"connection": {"name": "acme-saml", "strategy": "saml", "vendor": "generic",
        "display_name": "Acme SSO"}, "choices": []});
    assert_eq!(known, expected);
    assert_eq!(other, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_json_tells_choices_and_what_was_wrong() {
    let scene = scene().await;
    let portal = "https://portal.example";

    let (_, _, choice) = ask(&scene, "email=a@two.example&client_id=portal", portal).await;
    assert_eq!(choice["connection"], Value::Null);
    assert_eq!(choice["choices"].as_array().unwrap().len(), 2, "{choice:#}");
    let (status, shared, _) =
        ask(&scene, "email=a@nowhere.example&client_id=portal", "https://evil.example").await;
    assert_eq!((status, shared), (200, None));
    let (status, _, wrong) = ask(&scene, "email=nothing&client_id=portal", portal).await;
    assert_eq!((status, wrong["errors"][0]["field"].as_str()), (400, Some("email")));
    let (status, _, wrong) = ask(&scene, "email=a@two.example&client_id=nobody", portal).await;
    assert_eq!((status, wrong["errors"][0]["field"].as_str()), (400, Some("client_id")));
    let (status, ..) = ask(&scene, "email=a@two.example", portal).await;
    assert_eq!(status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_simulation_says_what_the_login_does() {
    let scene = scene().await;
    for (question, kind, connections) in [
        (json!({"email": "a@customer.example"}), "connection", json!(["acme-saml"])),
        (json!({"email": "a@two.example"}), "choice", json!(["two-a", "two-b"])),
        (json!({"email": "a@nowhere.example"}), "ask", json!([])),
        (json!({"connection": "two-a", "organization": "acme"}), "refusal", json!([])),
    ] {
        let mut question = question;
        question["client_id"] = json!(CLIENT);

        let answer = scene.app.admin.post("/simulate/home-realm", &question).await;

        assert_eq!(answer.status, 200, "{:#}", answer.json);
        assert_eq!(answer.json["decision"]["kind"], kind, "{question} {:#}", answer.json);
        assert_eq!(answer.json["decision"]["connections"], connections);
        assert!(!answer.json["reason"].as_str().unwrap().is_empty());
    }
}
