use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use url::Url;

use super::harness::Site;
use super::idp::{Idp, Says};
use super::op::Op;
use crate::catalog::{Action, AuditFilter, ClientSecret};
use crate::ids::sha256_hex;
use crate::login::fixtures::now;

/// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn authorize(more: &str) -> String {
    format!(
        "/authorize?response_type=code&client_id=app&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&scope=openid%20email&state=st&nonce=no&code_challenge={CHALLENGE}&code_challenge_method=S256&{more}"
    )
}

/// Starts at the client; what the IdP was asked, and the browser's cookie.
pub(super) async fn start(site: &Site, more: &str) -> (Url, String) {
    let seen = site.get(&authorize(more), &[]).await;
    assert_eq!(seen.status, 303, "{}", seen.body);
    let cookie = seen.cookie.unwrap();
    (Url::parse(&seen.location.unwrap()).unwrap(), cookie.split(';').next().unwrap().to_owned())
}

pub(super) fn parameter(url: &Url, name: &str) -> String {
    url.query_pairs().find(|(n, _)| n == name).unwrap().1.into_owned()
}

pub(super) fn path(location: Option<&str>) -> String {
    let url = Url::parse(location.unwrap()).unwrap();
    format!("{}?{}", url.path(), url.query().unwrap())
}

/// From the code to `/userinfo`.
async fn userinfo(site: &Site, back: &Url) -> Value {
    assert!(back.as_str().starts_with("https://app.example/cb?"), "{back}");
    assert_eq!(parameter(back, "state"), "st");
    assert_eq!(parameter(back, "iss"), site.running.issuer().as_str());
    let secret = ClientSecret { sha256: sha256_hex("s3cret"), created_at: now() };
    site.change_app(|client| client.secrets = vec![secret]).await;
    let basic = format!("Basic {}", STANDARD.encode("app:s3cret"));
    let code = parameter(back, "code");
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", "https://app.example/cb"),
        ("code_verifier", VERIFIER),
    ];
    let answer = site.post("/oauth/token", &form, &[("authorization", &basic)]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let tokens: Value = serde_json::from_str(&answer.body).unwrap();
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let answer = site.get("/userinfo", &[("authorization", &bearer)]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

#[actix_web::test]
async fn a_saml_login_ends_in_a_token() {
    let idp = Idp::new();
    let site = Site::with(&[idp.connection()]).await;
    let (asked, cookie) = start(&site, "connection=acme-saml").await;
    let handle = parameter(&asked, "RelayState");

    let says = Says::good(site.running.issuer(), &handle);
    let form = [("SAMLResponse", &*idp.response(&says)), ("RelayState", &*handle)];
    let parked = site.post("/saml/acme-saml/acs", &form, &[]).await;
    let go_on = path(parked.location.as_deref());
    let stranger = site.get(&go_on, &[]).await;
    assert_eq!(stranger.status, 400, "the cookie is missing");
    let done = site.get(&go_on, &[("cookie", &cookie)]).await;

    assert_eq!(done.status, 303, "{}", done.body);
    let claims = userinfo(&site, &Url::parse(&done.location.unwrap()).unwrap()).await;
    assert_eq!(claims["email"], "alice@acme.example");
    assert_eq!(claims["email_verified"], true);
    let again = site.get(&go_on, &[("cookie", &cookie)]).await;
    assert_eq!(again.status, 400);
    assert!(again.body.contains("Login already completed"), "{}", again.body);
    let audit = site.running.app.catalog.list_audit(&AuditFilter::default(), 9, None).await;
    let entries = audit.unwrap().items;
    let [entry] = entries.as_slice() else { panic!("one login: {entries:?}") };
    assert_eq!(
        (entry.action, &*entry.actor.name),
        (Action::SignedIn, claims["sub"].as_str().unwrap())
    );
    assert_eq!(entry.address, Some("127.0.0.1".parse().unwrap()));
    assert!(!format!("{entry:?}").contains("alice"), "{entry:?}");
    site.running.stop().await;
}

#[actix_web::test]
async fn an_oidc_login_ends_in_a_token() {
    let op = Op::start().await;
    let site = Site::with(&[op.connection()]).await;
    let (asked, cookie) = start(&site, "login_hint=alice%40acme.example").await;
    op.will_say(&parameter(&asked, "nonce"), |_| ());

    let callback = format!("/callback/acme-oidc?code=c&state={}", parameter(&asked, "state"));
    let parked = site.get(&callback, &[("cookie", &cookie)]).await;
    let done = site.get(&path(parked.location.as_deref()), &[("cookie", &cookie)]).await;

    assert_eq!(done.status, 303, "{}", done.body);
    let claims = userinfo(&site, &Url::parse(&done.location.unwrap()).unwrap()).await;
    assert_eq!(claims["email"], "alice@acme.example");
    site.running.stop().await;
    op.stop().await;
}

#[actix_web::test]
async fn two_tabs_of_one_browser_do_not_disturb_each_other() {
    let idp = Idp::new();
    let site = Site::with(&[idp.connection()]).await;
    let (first, cookie) = start(&site, "connection=acme-saml").await;
    let second = site.get(&authorize("connection=acme-saml"), &[("cookie", &cookie)]).await;
    let second = Url::parse(&second.location.unwrap()).unwrap();

    for asked in [second, first] {
        let handle = parameter(&asked, "RelayState");
        let says = Says::good(site.running.issuer(), &handle);
        let form = [("SAMLResponse", &*idp.response(&says)), ("RelayState", &*handle)];
        let parked = site.post("/saml/acme-saml/acs", &form, &[]).await;
        let done = site.get(&path(parked.location.as_deref()), &[("cookie", &cookie)]).await;
        assert_eq!(done.status, 303, "{}", done.body);
    }
    site.running.stop().await;
}

#[actix_web::test]
async fn a_denial_at_the_idp_and_a_silent_request_go_back_to_the_client() {
    let op = Op::start().await;
    let site = Site::with(&[op.connection()]).await;
    let (asked, cookie) = start(&site, "connection=acme-oidc").await;

    let state = parameter(&asked, "state");
    let callback = format!("/callback/acme-oidc?error=access_denied&state={state}");
    let noted = site.get(&callback, &[("cookie", &cookie)]).await;
    let told = site.get(&path(noted.location.as_deref()), &[("cookie", &cookie)]).await;
    let back = Url::parse(&told.location.unwrap()).unwrap();
    assert_eq!(parameter(&back, "error"), "access_denied");
    assert_eq!(parameter(&back, "state"), "st");

    let silent = site.get(&authorize("prompt=none"), &[]).await;
    let back = Url::parse(&silent.location.unwrap()).unwrap();
    assert_eq!(parameter(&back, "error"), "login_required");
    site.running.stop().await;
    op.stop().await;
}
