//! Logins at the certified oidc-provider.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use testkit::browser::Browser;
use testkit::peers::{self, Peer};
use testkit::scene::{Scene, USER};
use url::Url;

const TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// A scene with a connection to an OP of that shape, which makes that fault.
async fn at_op(shape: &str, fault: &str, options: &Value) -> Option<(Scene, Peer)> {
    let scene = Scene::set().await;
    let callback = scene.app.url("/callback/acme-oidc");
    let op = peers::oidc_provider(&callback, shape, fault).await?;
    let mut extra = json!({"options": options});
    if shape == "entra" {
        let entra = json!({"vendor": "entra", "options": {"issuer": null, "authority": op.base, "tenant": TENANT}});
        testkit::scene::merge(&mut extra, &entra);
    }
    scene.oidc("acme-oidc", &op.base, &extra).await;
    Some((scene, op))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_an_oidc_provider_reaches_the_api() {
    let Some((scene, _op)) = at_op("plain", "", &json!({})).await else { return };

    let mut browser = scene.browser();
    let landing = scene.start(&mut browser, "acme-oidc").await;
    let (access, id) = scene.tokens(landing).await;

    assert_eq!(access["org_name"], "acme");
    assert_eq!(access["connection"], "acme-oidc");
    assert_eq!(id["email"], USER);
    assert_eq!(id["email_verified"], true);
    assert_eq!(id["name"], "Alice Example");
    // the callback, /login/continue, the client: two redirects of ours and nothing else
    let last: Vec<(&str, u16)> = browser.steps[browser.steps.len() - 2..]
        .iter()
        .map(|step| (step.url.path(), step.status.as_u16()))
        .collect();
    assert_eq!(last, [("/callback/acme-oidc", 303), ("/login/continue", 303)]);
    let trace = scene.app.admin.latest_trace().await;
    assert_eq!(trace["outcome"], "succeeded", "{trace:#}");
    assert_eq!(trace["connection"], "acme-oidc");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_subject_stays_the_same_from_login_to_login() {
    let Some((scene, _op)) = at_op("plain", "", &json!({})).await else { return };

    let landing = scene.start(&mut scene.browser(), "acme-oidc").await;
    let (first, _) = scene.tokens(landing).await;
    let landing = scene.start(&mut scene.browser(), "acme-oidc").await;
    let (second, _) = scene.tokens(landing).await;

    assert!(first["sub"].as_str().unwrap().starts_with("usr_"));
    assert_eq!(first["sub"], second["sub"]);
    assert_ne!(first["jti"], second["jti"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_posts_its_answer_is_finished_in_the_browser_that_asked() {
    let form_post = json!({"response_mode": "form_post"});
    let Some((scene, _op)) = at_op("plain", "", &form_post).await else { return };

    let mut browser = scene.browser();
    let landing = scene.start(&mut browser, "acme-oidc").await;
    scene.tokens(landing).await;

    let posted = browser.steps.iter().any(|step| {
        step.method == "POST" && step.url.path() == "/callback/acme-oidc" && step.status == 303
    });
    assert!(posted, "{:#?}", browser.steps);
}

#[tokio::test(flavor = "multi_thread")]
async fn entra_is_known_by_tenant_and_object_and_its_addresses_are_not_believed() {
    let Some((scene, _op)) = at_op("entra", "", &json!({})).await else { return };

    let landing = scene.start(&mut scene.browser(), "acme-oidc").await;
    let (access, id) = scene.tokens(landing).await;

    let sub = access["sub"].as_str().unwrap();
    let user = scene.app.admin.get(&format!("/users/{sub}")).await.json;
    let subject = format!("{TENANT}:00000000-0000-0000-66f3-3332eca7ea81");
    assert_eq!(user["identities"][0]["subject"], subject, "{user:#}");
    assert_ne!(id["email_verified"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_is_not_listed_does_not_get_in() {
    let scene = Scene::set().await;
    let callback = scene.app.url("/callback/acme-oidc");
    let Some(op) = peers::oidc_provider(&callback, "entra", "").await else { return };
    let options = json!({"issuer": null, "authority": op.base, "tenant": TENANT,
        "allowed_tenants": ["00000000-0000-4000-8000-000000000000"]});
    scene.oidc("acme-oidc", &op.base, &json!({"vendor": "entra", "options": options})).await;

    let landing = scene.start(&mut scene.browser(), "acme-oidc").await;

    let page = landing.page();
    assert_eq!(page.status, 400, "{}", scene.explain(&page).await);
}

/// Every way in which the provider can lie ends on our page, with a trace that says what was wrong.
async fn fault_ends_in(fault: &str, status: u16, code: &str) {
    let Some((scene, _op)) = at_op("plain", fault, &json!({})).await else { return };

    let landing = scene.start(&mut scene.browser(), "acme-oidc").await;

    let trace = scene.refused(landing, status, code).await;
    assert_eq!(trace["connection"], "acme-oidc");
    assert!(scene.app.admin.get("/users").await.json["items"].as_array().unwrap().is_empty());
}

macro_rules! faults {
    ($($name:ident: $fault:literal => $status:literal $code:literal;)+) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            fault_ends_in($fault, $status, $code).await;
        }
    )+};
}

faults! {
    another_issuer_is_refused: "wrong-iss" => 400 "oidc_issuer_mismatch";
    another_audience_is_refused: "wrong-aud" => 400 "oidc_audience_mismatch";
    an_expired_token_is_refused: "expired" => 400 "oidc_token_expired";
    another_key_is_refused: "bad-sig" => 400 "oidc_signature_invalid";
    a_token_without_signature_is_refused: "alg-none" => 400 "oidc_algorithm_refused";
    a_token_without_nonce_is_refused: "no-nonce" => 400 "oidc_claim_missing";
    another_nonce_is_refused: "wrong-nonce" => 400 "oidc_nonce_mismatch";
    a_token_of_the_future_is_refused: "future-iat" => 400 "oidc_issued_in_future";
    a_page_instead_of_discovery_is_refused: "html-discovery" => 502 "upstream_unreachable";
    a_provider_that_falls_asleep_is_not_waited_for: "slow-token" => 502 "upstream_unreachable";
    an_endless_key_set_is_refused: "big-jwks" => 502 "upstream_unreachable";
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_kid_is_taken_where_one_key_can_be_meant() {
    let Some((scene, _op)) = at_op("plain", "no-kid", &json!({})).await else { return };

    let landing = scene.start(&mut scene.browser(), "acme-oidc").await;

    scene.tokens(landing).await;
}

/// A login on its way to the provider; gives what our request says.
async fn under_way(scene: &Scene, browser: &mut Browser) -> BTreeMap<String, String> {
    let sent = browser.get(&scene.authorize(&[("connection", "acme-oidc")])).await;
    Url::parse(sent.header("location")).unwrap().query_pairs().into_owned().collect()
}

fn callback(scene: &Scene, op: &Peer, answer: &[(&str, &str)]) -> String {
    let mut url = Url::parse(&scene.app.url("/callback/acme-oidc")).unwrap();
    url.query_pairs_mut().extend_pairs(answer).append_pair("iss", &op.base);
    url.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn our_request_is_bound_in_three_ways() {
    let Some((scene, _op)) = at_op("plain", "", &json!({})).await else { return };

    let first = under_way(&scene, &mut scene.browser()).await;
    let second = under_way(&scene, &mut scene.browser()).await;

    assert_eq!(first["code_challenge_method"], "S256");
    for bound in ["state", "nonce", "code_challenge"] {
        assert!(first[bound].len() >= 22, "{bound} {}", first[bound]);
        assert_ne!(first[bound], second[bound]);
    }
    assert_ne!(first["state"], "state-of-the-app");
    assert_eq!(first["redirect_uri"], scene.app.url("/callback/acme-oidc"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_users_own_no_goes_back_to_the_app() {
    let Some((scene, op)) = at_op("plain", "", &json!({})).await else { return };
    let mut browser = scene.browser();
    let asked = under_way(&scene, &mut browser).await;

    let no = [("error", "access_denied"), ("state", asked["state"].as_str())];
    let landing = browser.open(&callback(&scene, &op, &no)).await;

    assert_eq!(scene.error(landing).await, "access_denied");
    assert_eq!(scene.app.admin.latest_trace().await["outcome"], "denied");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_providers_error_and_a_wrong_state_use_nothing_up() {
    let Some((scene, op)) = at_op("plain", "", &json!({})).await else { return };
    let mut browser = scene.browser();
    let at_op = browser.get(&scene.authorize(&[("connection", "acme-oidc")])).await;
    let state: String = Url::parse(at_op.header("location"))
        .unwrap()
        .query_pairs()
        .find_map(|(name, value)| (name == "state").then(|| value.into_owned()))
        .unwrap();

    let error = [("error", "server_error"), ("state", state.as_str())];
    let landing = browser.open(&callback(&scene, &op, &error)).await;
    scene.refused(landing, 400, "oidc_idp_error").await;
    let landing = browser.open(&callback(&scene, &op, &[("code", "x"), ("state", "y")])).await;
    scene.refused(landing, 400, "login_expired").await;
    let stolen = [("code", "x"), ("state", state.as_str())];
    let landing = scene.browser().open(&callback(&scene, &op, &stolen)).await;
    scene.refused(landing, 400, "login_cookie_missing").await;

    let landing = browser.go_on(at_op).await;
    scene.tokens(landing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_login_is_asked_for_and_believed() {
    let Some((scene, _op)) = at_op("plain", "", &json!({})).await else { return };
    for change in [("prompt", "login"), ("max_age", "60")] {
        let landing =
            scene.browser().open(&scene.authorize(&[("connection", "acme-oidc"), change])).await;

        let (_, id) = scene.tokens(landing).await;
        assert!(id["auth_time"].is_i64(), "{change:?} {id:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_what_the_connection_makes_of_groups_and_nothing_else() {
    let Some((scene, _op)) = at_op("plain", "", &json!({})).await else { return };
    let landing = scene.start(&mut scene.browser(), "acme-oidc").await;
    let (_, without) = scene.tokens(landing).await;
    let roles = json!({"roles": {"admins": ["admin"], "owners": ["owner"]}});
    scene.app.admin.change("/connections/acme-oidc", &roles).await;

    let landing = scene.start(&mut scene.browser(), "acme-oidc").await;
    let (_, with) = scene.tokens(landing).await;

    assert_eq!(without.get("roles"), None, "{without:#}");
    assert_eq!(with["roles"], json!(["admin"]), "{with:#}");
    assert_eq!(with["groups"], json!(["admins", "eng"]));
}
