//! Logins through a plain OAuth 2.0 server: ours in this process, with the answers that a test sets.

use std::sync::Mutex;

use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::{Value, json};

use super::harness::{Cookie, Site};
use crate::catalog::connection::OAuth2Options;
use crate::catalog::{Connection, ConnectionOptions, ForeignDomains, Vendor};
use crate::login::complete::finish;
use crate::login::fixtures::{oidc, request};
use crate::login::{AuthorizationRequest, CompletedLogin, LoginError, Prompt};

struct Server {
    origin: String,
    state: Data<State>,
    handle: ServerHandle,
}

struct State {
    user: Mutex<Value>,
    forms: Mutex<Vec<String>>,
}

impl Server {
    async fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let state = Data::new(State { user: Mutex::new(alice()), forms: Mutex::default() });
        let data = state.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .route("/token", web::post().to(token))
                .route("/user", web::get().to(user))
                .route("/user/emails", web::get().to(emails))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { origin, state, handle }
    }

    fn will_say(&self, user: Value) {
        *self.state.user.lock().unwrap() = user;
    }

    fn redeemed(&self) -> usize {
        self.state.forms.lock().unwrap().len()
    }

    /// `acme-hub` of acme, for acme.example, here.
    fn connection(&self) -> Connection {
        let at = |path: &str| format!("{}{path}", self.origin);
        Connection {
            id: "con_hub".to_owned(),
            name: crate::login::fixtures::name("acme-hub"),
            vendor: Vendor::Github,
            options: ConnectionOptions::OAuth2(OAuth2Options {
                authorization_url: at("/authorize"),
                token_url: at("/token"),
                userinfo_url: at("/user"),
                emails_url: Some(at("/user/emails")),
                issuer: None,
                client_id: "us".to_owned(),
                sealed_client_secret: None,
                token_endpoint_auth_method: None,
                scopes: vec!["user:email".to_owned()],
                pkce: true,
                subject_attribute: "id".to_owned(),
                forced_login_params: Default::default(),
                upstream_params: Default::default(),
                foreign_domains: ForeignDomains::Refuse,
            }),
            ..oidc()
        }
    }
}

fn alice() -> Value {
    json!({"id": 1, "login": "alice", "name": "Alice", "email": "public@evil.example",
           "avatar_url": "https://hub.example/a.png",
           "emails": [{"email": "alice@acme.example", "primary": true, "verified": true}]})
}

async fn token(state: Data<State>, body: String) -> HttpResponse {
    state.forms.lock().unwrap().push(body);
    HttpResponse::Ok().json(json!({"access_token": "a", "token_type": "bearer"}))
}

async fn user(state: Data<State>, request: HttpRequest) -> HttpResponse {
    let bearer = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    assert_eq!(bearer, Some("Bearer a"));
    HttpResponse::Ok().json(&*state.user.lock().unwrap())
}

async fn emails(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(&state.user.lock().unwrap()["emails"])
}

/// A login that is at the server.
async fn sent(site: &Site) -> (String, Cookie) {
    let login_hint = Some("alice@acme.example".to_owned());
    let (transaction, cookie, url) =
        site.sent(AuthorizationRequest { login_hint, ..request() }).await;
    assert!(!url.as_str().contains("alice"), "{url}");
    (transaction, cookie)
}

/// Sends the browser back with a code and finishes.
async fn finished(site: &Site) -> Result<CompletedLogin, LoginError> {
    let (transaction, cookie) = sent(site).await;
    let path = format!("/callback/acme-hub?code={transaction}&state={transaction}");
    let seen = site.get(&path, &[("cookie", &site.cookie(&cookie))]).await;
    assert_eq!(seen.status, 303, "{}", seen.body);
    finish(site.app(), &cookie.browser(), &transaction).await
}

fn code(outcome: Result<CompletedLogin, LoginError>) -> (u16, &'static str) {
    match outcome.unwrap_err() {
        LoginError::Page(page) => (page.status, page.code),
        LoginError::ToClient(error) => (0, error.error),
    }
}

#[actix_web::test]
async fn the_user_is_the_accounts_number_and_the_address_the_verified_one() {
    let server = Server::start().await;
    let site = Site::with(&[server.connection()]).await;

    let first = finished(&site).await.unwrap();
    let mut renamed = alice();
    renamed["login"] = json!("alice2");
    server.will_say(renamed);
    let again = finished(&site).await.unwrap();
    let mut other = alice();
    other["id"] = json!(2);
    server.will_say(other);
    let taken_over = finished(&site).await.unwrap();

    assert_eq!(first.claims.email.as_deref(), Some("alice@acme.example"));
    assert_eq!(first.claims.email_verified, Some(true));
    assert_eq!(first.claims.preferred_username.as_deref(), Some("alice"));
    assert_eq!(first.claims.picture.as_deref(), Some("https://hub.example/a.png"));
    assert_eq!(first.user.id, again.user.id);
    assert_ne!(first.user.id, taken_over.user.id, "the login is the same, the account is not");
    site.running.stop().await;
    server.handle.stop(false).await;
}

/// RULES 19: the server's word alone verifies nothing.
#[actix_web::test]
async fn an_address_is_verified_only_in_a_domain_that_the_organization_holds() {
    let server = Server::start().await;
    let site = Site::with(&[server.connection()]).await;
    site.change_acme(|acme| acme.domains.clear()).await;

    let login = finished(&site).await.unwrap();

    assert_eq!(login.claims.email.as_deref(), Some("alice@acme.example"));
    assert_eq!(login.claims.email_verified, Some(false));
    let mut unverified = alice();
    unverified["emails"][0]["verified"] = json!(false);
    server.will_say(unverified);
    assert_eq!(finished(&site).await.unwrap().claims.email, None);
    let mut foreign = alice();
    foreign["emails"][0]["email"] = json!("alice@evil.example");
    server.will_say(foreign);
    assert_eq!(code(finished(&site).await), (403, "email_domain_foreign"));
    site.running.stop().await;
    server.handle.stop(false).await;
}

#[actix_web::test]
async fn a_refusal_is_a_page_with_its_trace() {
    let server = Server::start().await;
    let site = Site::with(&[server.connection()]).await;
    server.will_say(json!({"id": "alice", "emails": []}));
    let (transaction, cookie) = sent(&site).await;
    let path = format!("/callback/acme-hub?code=c&state={transaction}");
    site.get(&path, &[("cookie", &site.cookie(&cookie))]).await;

    let page = site.continued(&transaction, &cookie).await;

    assert_eq!(page.status, 400, "{}", page.body);
    let trace = site.trace(&page).await;
    assert_eq!(trace.code.as_deref(), Some("oauth2_subject_invalid"));
    let failed = trace.checks.last().unwrap();
    assert_eq!(failed.expected.as_deref(), Some("`id`: a whole number"));
    assert!(failed.fix.is_some() && !format!("{trace:?}").contains("\"alice\""));
    site.running.stop().await;
    server.handle.stop(false).await;
}

/// RFC 9700 §4.4.2.2: what came for one connection is not redeemed at another's server.
#[actix_web::test]
async fn a_code_that_comes_to_another_connections_callback_is_not_redeemed() {
    let (server, other) = (Server::start().await, Server::start().await);
    let second = Connection {
        id: "con_other".to_owned(),
        name: crate::login::fixtures::name("other-hub"),
        organization: None,
        domains: Vec::new(),
        ..other.connection()
    };
    let site = Site::with(&[server.connection(), second]).await;
    let (transaction, cookie) = sent(&site).await;

    let own = site.cookie(&cookie);
    let path = format!("/callback/other-hub?code=c&state={transaction}");
    let crossed = site.get(&path, &[("cookie", &own)]).await;
    let bare = format!("/callback/acme-hub?code=c&state={transaction}");
    let strange = site.get(&bare, &[]).await;

    assert_eq!(site.trace(&crossed).await.code.as_deref(), Some("login_other_connection"));
    assert_eq!(site.trace(&strange).await.code.as_deref(), Some("login_cookie_missing"));
    assert_eq!((server.redeemed(), other.redeemed()), (0, 0));
    site.running.stop().await;
    server.handle.stop(false).await;
    other.handle.stop(false).await;
}

/// RULES 18: what the server cannot be asked for is refused before anybody is sent there.
#[actix_web::test]
async fn a_forced_login_is_refused_where_the_server_cannot_be_asked_for_it() {
    let server = Server::start().await;
    let site = Site::with(&[server.connection()]).await;
    let forced = AuthorizationRequest {
        login_hint: Some("alice@acme.example".to_owned()),
        prompt: vec![Prompt::Login],
        ..request()
    };
    let begun =
        crate::login::start(site.app(), &crate::login::Browser::default(), forced.clone()).await;
    let LoginError::Page(page) = begun.unwrap_err() else { panic!("a page") };
    assert_eq!((page.status, page.code), (400, "oauth2_forced_login_unsupported"));

    site.change("acme-hub", |connection| {
        if let ConnectionOptions::OAuth2(options) = &mut connection.options {
            options.forced_login_params = [("prompt".to_owned(), "login".to_owned())].into();
        }
    })
    .await;
    let (_, _, url) = site.sent(forced).await;
    assert!(url.query().unwrap().ends_with("prompt=login"), "{url}");
    site.running.stop().await;
    server.handle.stop(false).await;
}
