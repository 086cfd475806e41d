use super::harness::{Cookie, Site};
use super::op::Op;
use crate::catalog::{Connection, ConnectionOptions, ForeignDomains};
use crate::login::complete::finish;
use crate::login::fixtures::{organization, pattern, request};
use crate::login::{AuthorizationRequest, LoginError};

const CALLBACK: &str = "/callback/acme-oidc";

struct Begun {
    transaction: String,
    cookie: Cookie,
    nonce: String,
}

async fn sent(site: &Site) -> Begun {
    let request =
        AuthorizationRequest { login_hint: Some("alice@acme.example".to_owned()), ..request() };
    let (transaction, cookie, url) = site.sent(request).await;
    let nonce = url.query_pairs().find(|(n, _)| n == "nonce").unwrap().1.into_owned();
    Begun { transaction, cookie, nonce }
}

async fn code(error: Result<crate::login::CompletedLogin, LoginError>) -> (u16, &'static str) {
    match error.unwrap_err() {
        LoginError::Page(page) => (page.status, page.code),
        LoginError::ToClient(error) => (0, error.error),
    }
}

#[actix_web::test]
async fn the_code_is_redeemed_behind_the_cookie_check_only() {
    let op = Op::start().await;
    let site = Site::with(&[op.connection()]).await;
    let begun = sent(&site).await;
    op.will_say(&begun.nonce, |_| ());
    let path = format!("{CALLBACK}?code=c&state={}", begun.transaction);

    let without = site.get(&path, &[]).await;
    let other = site.cookie(&Cookie("B".repeat(43)));
    let wrong = site.get(&path, &[("cookie", &other)]).await;
    assert_eq!(site.trace(&without).await.code.as_deref(), Some("login_cookie_missing"));
    assert_eq!(site.trace(&wrong).await.code.as_deref(), Some("login_other_browser"));
    assert_eq!((without.status, wrong.status, op.redeemed()), (400, 400, 0));

    let own = site.cookie(&begun.cookie);
    let parked = site.get(&path, &[("cookie", &own)]).await;
    assert_eq!((parked.status, op.redeemed()), (303, 0), "{}", parked.body);
    let login = finish(site.app(), &begun.cookie.browser(), &begun.transaction).await.unwrap();
    assert_eq!(op.redeemed(), 1);
    assert_eq!(login.claims.name.as_deref(), Some("Alice"));
    assert_eq!(login.claims.email_verified, Some(true));
    site.running.stop().await;
    op.stop().await;
}

#[actix_web::test]
async fn a_form_post_is_parked_unredeemed_and_needs_its_browser() {
    let op = Op::start().await;
    let site = Site::with(&[op.connection()]).await;
    let begun = sent(&site).await;
    op.will_say(&begun.nonce, |_| ());

    let form = [("code", "c"), ("state", &*begun.transaction)];
    let parked = site.post(CALLBACK, &form, &[]).await;

    assert_eq!((parked.status, op.redeemed()), (303, 0), "{}", parked.body);
    let stranger = Cookie("B".repeat(43)).browser();
    let refused = finish(site.app(), &stranger, &begun.transaction).await;
    assert_eq!((code(refused).await, op.redeemed()), ((400, "login_other_browser"), 0));
    let own = begun.cookie.browser();
    assert!(finish(site.app(), &own, &begun.transaction).await.is_ok());
    site.running.stop().await;
    op.stop().await;
}

#[actix_web::test]
async fn an_id_token_of_another_login_ends_this_one() {
    let op = Op::start().await;
    let site = Site::with(&[op.connection()]).await;
    let begun = sent(&site).await;
    op.will_say("another", |_| ());
    let own = site.cookie(&begun.cookie);
    let path = format!("{CALLBACK}?code=c&state={}", begun.transaction);
    assert_eq!(site.get(&path, &[("cookie", &own)]).await.status, 303);

    let browser = begun.cookie.browser();
    let refused = finish(site.app(), &browser, &begun.transaction).await;
    let again = finish(site.app(), &browser, &begun.transaction).await;

    assert_eq!(code(refused).await, (400, "oidc_nonce_mismatch"));
    assert_eq!(code(again).await, (400, "login_already_completed"));
    site.running.stop().await;
    op.stop().await;
}

#[actix_web::test]
async fn errors_of_the_op_are_pages_and_a_denial_goes_to_the_client() {
    let op = Op::start().await;
    let site = Site::with(&[op.connection()]).await;
    let begun = sent(&site).await;
    let own = site.cookie(&begun.cookie);
    let ask = async |query: &str| {
        site.get(&format!("{CALLBACK}?state={}&{query}", begun.transaction), &[("cookie", &own)])
            .await
    };

    for (query, expected) in [
        ("error=server_error", "oidc_idp_error"),
        ("error=access_denied&code=c", "oidc_callback_malformed"),
        ("code=c&code=d", "oidc_callback_malformed"),
        ("iss=x", "oidc_callback_malformed"),
    ] {
        let seen = ask(query).await;
        assert_eq!(seen.status, 400, "{query}");
        assert_eq!(site.trace(&seen).await.code.as_deref(), Some(expected), "{query}");
    }
    assert_eq!(ask("error=access_denied").await.status, 303);
    let told = finish(site.app(), &begun.cookie.browser(), &begun.transaction).await;
    assert_eq!(code(told).await, (0, "access_denied"));
    site.running.stop().await;
    op.stop().await;
}

#[actix_web::test]
async fn unknown_states_and_other_connections_are_refused() {
    let op = Op::start().await;
    let site = Site::with(&[op.connection()]).await;

    for query in ["code=c&state=x", &format!("code=c&state={}", "0".repeat(40))] {
        let seen = site.get(&format!("{CALLBACK}?{query}"), &[]).await;
        assert_eq!(site.trace(&seen).await.code.as_deref(), Some("login_expired"), "{query}");
    }
    let nobody = site.get("/callback/nobody?code=c&state=x", &[]).await;
    assert_eq!(site.trace(&nobody).await.code.as_deref(), Some("connection_unknown"));
    site.running.stop().await;
    op.stop().await;
}

/// THREATS X2: acme holds `*.acme.example`, globex a name below it; neither speaks for the other's addresses.
#[actix_web::test]
async fn an_address_in_a_domain_that_another_organization_holds_is_foreign() {
    let op = Op::start().await;
    let wide = Connection { domains: vec![pattern("*.acme.example")], ..op.connection() };
    let site = Site::with(&[wide]).await;
    site.change_acme(|acme| {
        acme.domains =
            organization("acme", &[("acme.example", true), ("*.acme.example", true)]).domains;
    })
    .await;
    let login = async |address: &str| {
        let asked = AuthorizationRequest { connection: Some("acme-oidc".to_owned()), ..request() };
        let (transaction, cookie, url) = site.sent(asked).await;
        let nonce = url.query_pairs().find(|(n, _)| n == "nonce").unwrap().1.into_owned();
        op.will_say(&nonce, |claims| claims["email"] = address.into());
        let path = format!("{CALLBACK}?code=c&state={transaction}");
        site.get(&path, &[("cookie", &site.cookie(&cookie))]).await;
        finish(site.app(), &cookie.browser(), &transaction).await
    };
    let claims = login("alice@eu.acme.example").await.unwrap().claims;
    assert_eq!(claims.email_verified, Some(true), "nobody else holds it yet");

    let globex = organization("globex", &[("eu.acme.example", true)]);
    site.app().catalog.insert(&globex).await.unwrap();

    let refused = code(login("alice@eu.acme.example").await).await;
    assert_eq!(refused, (403, "email_domain_foreign"));
    assert!(login("alice@us.acme.example").await.is_ok());
    site.change("acme-oidc", |connection| {
        if let ConnectionOptions::Oidc(options) = &mut connection.options {
            options.foreign_domains = ForeignDomains::OmitEmail;
        }
    })
    .await;
    let claims = login("alice@eu.acme.example").await.unwrap().claims;
    assert_eq!((claims.email, claims.email_verified), (None, None));
    site.running.stop().await;
    op.stop().await;
}
