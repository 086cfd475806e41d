//! What a login's steps look like in HTTP.

use actix_web::HttpResponse;
use actix_web::cookie::Cookie;
use actix_web::http::{StatusCode, header};
use homerealm_connectors::connector::Begun;
use url::Url;

use super::browser;
use crate::app::App;
use crate::catalog::Client;
use crate::http::pages;
use crate::login::{Browser, ErrorPage, Started, Step};

/// A login that has begun: to our page or to the IdP, with the login cookie.
pub fn started(app: &App, started: Started) -> HttpResponse {
    let mut response = match started.step {
        Step::Page => see_other(
            app.config.issuer.url(&format!("/login?transaction={}", started.transaction)).as_str(),
        ),
        Step::Upstream(begun) => upstream(begun),
    };
    let issuer = &app.config.issuer;
    set(&mut response, &browser::cookie(issuer, &started.browser_secret));
    if started.is_first {
        let own = browser::first_cookie(issuer, &started.transaction, &started.browser_secret);
        set(&mut response, &own);
    }
    response
}

/// Adds a cookie to an answer.
pub fn set(response: &mut HttpResponse, cookie: &Cookie<'_>) {
    if let Err(error) = response.add_cookie(cookie) {
        tracing::error!(%error, "a cookie was not set");
    }
}

/// To the IdP.
pub fn upstream(begun: Begun) -> HttpResponse {
    match begun {
        Begun::Redirect { url } => see_other(url.as_str()),
        Begun::Form { action, fields } => {
            pages::auto_submit("Going to your company's sign-in page", &action, &fields)
        }
    }
}

/// 303: the next request is a GET (RFC 9110 §15.4.4).
pub fn see_other(url: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, url))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}

/// A login's error page, with a link where one helps.
pub async fn error_page(app: &App, page: &ErrorPage) -> HttpResponse {
    let status = StatusCode::from_u16(page.status).unwrap_or(StatusCode::BAD_REQUEST);
    let (url, text) = match &page.continue_with {
        Some(transaction) => {
            let path = format!("/login/continue?transaction={transaction}");
            (Some(app.config.issuer.url(&path).to_string()), "Continue".to_owned())
        }
        None => match home_page(app, page.client_id.as_deref()).await {
            Some((url, name)) => (Some(url), format!("Go to {name}")),
            None => (None, String::new()),
        },
    };
    let link = url.as_deref().map(|url| pages::Link { url, text: &text });
    let template = pages::ErrorPage {
        title: page.words.title,
        text: page.words.text,
        code: page.code,
        reference: &page.reference,
        link,
    };
    pages::page(status, &template)
}

/// The client's registered home page and name, where the link is safe: https, or http on this machine.
async fn home_page(app: &App, client_id: Option<&str>) -> Option<(String, String)> {
    let client = app.catalog.get::<Client>(client_id?).await.ok()??;
    let url = Url::parse(client.object.client_uri.as_deref()?).ok()?;
    let local = || matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let safe = url.scheme() == "https" || (url.scheme() == "http" && local());
    safe.then(|| (url.to_string(), client.object.client_name.clone()))
}

/// Where a form of this login may end: the IdP, and the client after it, if the browser goes there (RULES 30).
pub fn form_sources(app: &App, redirect_uri: Option<&str>) -> String {
    let mut sources = vec!["https:".to_owned()];
    if app.config.upstream.allow_http {
        sources.push("http:".to_owned());
    }
    let client =
        redirect_uri.and_then(|uri| Url::parse(uri).ok()).map(|url| pages::source_of(&url));
    sources.extend(client.filter(|source| source != "https:"));
    sources.join(" ")
}

/// The form token of this browser; without a cookie no form can be valid.
pub(super) fn token(browser: &Browser, transaction: &str) -> String {
    browser.form_token(transaction).unwrap_or_default()
}
