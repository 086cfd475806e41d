//! What the pages have in common that show a signed-in user what is theirs.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::logout::refused;
use super::{reply, token};
use crate::app::App;
use crate::http::login::browser;
use crate::http::pages;
use crate::login::Browser;
use crate::login::session::{SessionCookie, SsoSession};
use crate::oauth::logout::{LogoutError, is_same};
use crate::oauth::params::Params;

#[derive(Template)]
#[template(path = "no_session.html")]
struct NoSessionPage;

/// The browser's session and the cookie that proves it.
///
/// # Errors
/// The page to answer with instead.
pub(super) async fn signed_in<'a>(
    app: &App,
    browser: &'a Browser,
) -> Result<(SsoSession, &'a SessionCookie), HttpResponse> {
    let live = app.sso_sessions().of_cookie(browser.session()).await;
    let live = live.map_err(|error| reply::trouble_page(&error.into()))?;
    let found = live.map(|live| live.session).zip(browser.session());
    found.ok_or_else(|| pages::page(StatusCode::OK, &NoSessionPage))
}

/// The session, and the fields of a form that its page sent; `form` is what the page's forms are bound to beside the session.
///
/// # Errors
/// The page to answer with instead.
pub(super) async fn submitted(
    app: &App,
    request: &HttpRequest,
    browser: &Browser,
    (form, body): (&str, &str),
) -> Result<(SsoSession, Params), HttpResponse> {
    let params = token::form(request, body).unwrap_or_default();
    let (session, cookie) = signed_in(app, browser).await?;
    let sent = params.get("token").unwrap_or_default();
    let ours = browser::posts_from_our_page(request, &app.config.issuer);
    if !ours || !is_same(&cookie.form_token(form), sent) {
        return Err(refused(app, request, &LogoutError::FormNotOurs).await);
    }
    Ok((session, params))
}
