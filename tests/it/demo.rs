//! The demo, as a newcomer and as a program meet it.

use broker::demo::oidc_idp::OidcFault;
use broker::demo::ports::Ports;
use broker::demo::saml_idp::SamlFault;
use broker::demo::{self, Demo};
use serde_json::{Value, json};
use testkit::admin::Admin;
use testkit::app;
use testkit::browser::{Browser, Landing};
use testkit::html::Page;
use testkit::state::is_embedded;
use url::Url;

const ALICE: &str = "alice@acme.example";
const BOB: &str = "bob@globex.example";
/// The audience of the sample API.
const API: &str = "https://trips.example/api";

async fn start() -> Demo {
    demo::start(Ports::any()).await.unwrap()
}

fn operator(demo: &Demo) -> Admin {
    let file = demo.broker.app.admin_token.file().unwrap();
    let token = std::fs::read_to_string(file).unwrap();
    Admin::new(app::client(), demo.broker.issuer().as_str(), token.trim())
}

/// Nobody's redirect URI: the browser goes wherever it is sent.
fn browser() -> Browser {
    Browser::new("nowhere:")
}

fn page(landing: Landing) -> Page {
    match landing {
        Landing::Page(page) => *page,
        Landing::Client(answer) => panic!("{answer:?}"),
    }
}

/// From the site's link to the sample IdP's page.
async fn at_idp(demo: &Demo, browser: &mut Browser, user: &str) -> Page {
    let page = page(browser.open(&demo.site.url(&format!("/login?hint={user}"))).await);
    assert!(page.text().contains(user), "{}", page.text());
    page
}

/// Presses a button of the sample IdP's page.
async fn press(browser: &mut Browser, idp: &Page, answer: &str) -> Page {
    page(browser.submit(idp.form().unwrap().press("answer", answer)).await)
}

/// The JSON that the page shows under this label.
fn shown(page: &Page, label: &str) -> Value {
    let (_, rest) = page.body.split_once(&format!(r#"aria-label="{label}"><code>"#)).unwrap();
    let escaped = rest.split("</code>").next().unwrap();
    let text = escaped.replace("&#34;", "\"").replace("&#39;", "'").replace("&lt;", "<");
    serde_json::from_str(&text.replace("&gt;", ">").replace("&amp;", "&")).unwrap()
}

async fn signs_in(user: &str, connection: &str, organization: &str) {
    let demo = start().await;
    let mut browser = browser();

    let idp = at_idp(&demo, &mut browser, user).await;
    let consent = press(&mut browser, &idp, "sign_in").await;
    assert!(consent.text().contains("See your booked trips"), "{}", consent.text());
    let form = consent.form().unwrap().press("decision", "allow");
    let account = page(browser.submit(form).await);

    assert_eq!(account.url.as_str(), demo.site.url("/"), "{}", account.text());
    let claims = shown(&account, "The ID token's claims");
    assert_eq!((&claims["email"], &claims["email_verified"]), (&json!(user), &json!(true)));
    let token = shown(&account, "The access token's claims");
    assert_eq!((&token["aud"], &token["connection"]), (&json!(API), &json!(connection)));
    let answer = shown(&account, "The API's answer");
    assert_eq!(answer["organization"], organization);
    assert_eq!(answer["booked_by"], token["sub"]);
    let refusal = shown(&account, "The API's refusal");
    let why = refusal["error_description"].as_str().unwrap();
    assert!(why.contains("not an access token"), "{refusal}");

    let out = page(browser.submit(account.form().unwrap()).await);
    assert!(out.text().contains("Sign in with a work address"), "{}", out.text());
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_signs_in_by_saml_and_sees_the_apis_answer() {
    if !is_embedded("the demo") {
        return;
    }
    signs_in(ALICE, "acme-saml", "acme").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_signs_in_by_openid_connect_and_sees_the_apis_answer() {
    if !is_embedded("the demo") {
        return;
    }
    signs_in(BOB, "globex-oidc", "globex").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_asks_for_the_address_and_finds_the_company() {
    if !is_embedded("the demo") {
        return;
    }
    let demo = start().await;
    let mut browser = browser();

    let login = page(browser.open(&demo.site.url("/login")).await);
    let unknown = login.form().unwrap().with("email", "x@unknown.example");
    let again = page(browser.submit(unknown).await);
    let idp = page(browser.submit(again.form().unwrap().with("email", BOB)).await);

    assert_eq!(again.status, 200);
    assert!(idp.url.as_str().starts_with(demo.oidc_idp.issuer()), "{}", idp.url);
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_the_sample_idps_ends_with_its_own_trace() {
    if !is_embedded("the demo") {
        return;
    }
    let demo = start().await;
    let saml = SamlFault::ALL.map(|fault| (ALICE, fault.as_str(), saml_code(fault)));
    let oidc = OidcFault::ALL.map(|fault| (BOB, fault.as_str(), oidc_code(fault)));

    for (user, answer, code) in saml.into_iter().chain(oidc) {
        let mut browser = browser();
        let idp = at_idp(&demo, &mut browser, user).await;
        let error = press(&mut browser, &idp, answer).await;

        assert_eq!(error.status, 400, "{answer}: {}", error.text());
        let reference = error.reference().unwrap();
        let trace = operator(&demo).trace(&reference).await;
        assert_eq!(trace["code"], code, "{answer}: {trace:#}");
        let shown = browser.get(&demo.operator.url(&format!("/traces/{reference}"))).await;
        assert!(shown.text().contains(code), "{}", shown.text());
    }
    let list = browser().get(&demo.operator.url("/")).await;
    assert!(list.text().contains("audience mismatch"), "{}", list.text());
    demo.stop().await;
}

const fn saml_code(fault: SamlFault) -> &'static str {
    match fault {
        SamlFault::ChangedAfterSigning => "saml_digest_mismatch",
        SamlFault::Expired => "saml_confirmation_expired",
        SamlFault::OtherAudience => "saml_audience_mismatch",
        SamlFault::OtherIssuer => "saml_issuer_mismatch",
        SamlFault::OtherKey => "saml_signature_invalid",
        SamlFault::OtherRequest => "saml_in_response_to_mismatch",
        SamlFault::TransientSubject => "saml_subject_transient",
        SamlFault::Unsigned => "saml_signature_missing",
    }
}

const fn oidc_code(fault: OidcFault) -> &'static str {
    match fault {
        OidcFault::Expired => "oidc_token_expired",
        OidcFault::OtherAudience => "oidc_audience_mismatch",
        OidcFault::OtherIssuer => "oidc_issuer_mismatch",
        OidcFault::OtherKey => "oidc_signature_invalid",
        OidcFault::OtherNonce => "oidc_nonce_mismatch",
        OidcFault::ResponseIssuer => "oidc_response_issuer_mismatch",
        OidcFault::Unsigned => "oidc_algorithm_refused",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_declines_comes_back_to_the_site() {
    if !is_embedded("the demo") {
        return;
    }
    let demo = start().await;
    for user in [ALICE, BOB] {
        let mut browser = browser();
        let idp = at_idp(&demo, &mut browser, user).await;

        let home = press(&mut browser, &idp, "decline").await;

        assert!(home.url.as_str().starts_with(&demo.site.url("/callback")), "{}", home.url);
        assert!(home.text().contains("access_denied"), "{}", home.text());
    }
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_api_takes_tokens_for_itself_only() {
    if !is_embedded("the demo") {
        return;
    }
    let demo = start().await;
    let operator = operator(&demo);
    let other = "https://invoices.example/api";
    let scope = json!([{"value": "read:trips"}]);
    operator.create("/resource-servers", &json!({"identifier": other, "scopes": scope})).await;
    let client = json!({"client_id": "backend", "client_name": "Backend", "first_party": true,
        "grant_types": ["client_credentials"], "token_endpoint_auth_method": "client_secret_post"});
    let secret = operator.create("/clients", &client).await["client_secret"].clone();
    for audience in [API, other] {
        let grant = json!({"client_id": "backend", "audience": audience, "scopes": ["read:trips"], "subject_type": "client"});
        operator.create("/client-grants", &grant).await;
    }

    for (audience, status) in [(API, 200), (other, 401)] {
        let token = client_token(&demo, secret.as_str().unwrap(), audience).await;
        let asked = app::client().get(demo.api.url("/trips")).bearer_auth(&token);
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status(), status, "{audience}");
        if status == 401 {
            let challenge = answer.headers()["www-authenticate"].to_str().unwrap().to_owned();
            assert!(
                challenge.contains("invalid_token") && challenge.contains(other),
                "{challenge}"
            );
        }
    }
    let bare = app::client().get(demo.api.url("/trips")).send().await.unwrap();
    assert_eq!(bare.status(), 401);
    demo.stop().await;
}

async fn client_token(demo: &Demo, secret: &str, audience: &str) -> String {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "backend"),
        ("client_secret", secret),
        ("audience", audience),
    ];
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = app::client()
        .post(demo.broker.issuer().url("/oauth/token"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    let answer: Value =
        serde_json::from_slice(&request.send().await.unwrap().bytes().await.unwrap()).unwrap();
    answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_samples_answer_their_own_requests_only() {
    if !is_embedded("the demo") {
        return;
    }
    let demo = start().await;
    let mut browser = browser();
    let idp = at_idp(&demo, &mut browser, ALICE).await;
    let message = idp.form().unwrap().field("request").unwrap().to_owned();

    // a stranger's ACS or client never gets an answer
    let stranger = browser.get(&demo.saml_idp.served().url("/sso?SAMLRequest=AAAA")).await;
    assert_eq!(stranger.status, 400);
    let op = demo.oidc_idp.issuer();
    let unknown = format!(
        "{op}/authorize?response_type=code&client_id=stranger&redirect_uri=https://stranger.example/&scope=openid&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
    );
    assert_eq!(browser.get(&unknown).await.status, 400);

    // and a name that a web site points at loopback is not ours
    let mut url = Url::parse(&demo.saml_idp.served().url("/sso")).unwrap();
    url.query_pairs_mut().append_pair("SAMLRequest", &message);
    let rebound = app::client().get(url).header("host", "evil.example").send().await.unwrap();
    assert_eq!(rebound.status(), 421);
    demo.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_demos_run_side_by_side_and_leave_nothing_behind() {
    if !is_embedded("the demo") {
        return;
    }
    let (first, second) = (start().await, start().await);
    let folders = [&first, &second].map(|demo| demo.broker.data_folder().unwrap());
    assert_ne!(folders[0], folders[1]);
    assert!(folders.iter().all(|folder| folder.is_dir()));

    first.stop().await;
    second.stop().await;

    assert!(!folders.iter().any(|folder| folder.exists()));
    assert!(!std::path::Path::new("data").exists());
}
