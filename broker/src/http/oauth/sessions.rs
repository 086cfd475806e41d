//! `GET|POST /sessions`: where a user is signed in, and the end of it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::logout::{LoggedOutPage, frame_sources, name_of};
use super::own_page::{signed_in, submitted};
use super::reply;
use crate::app::App;
use crate::catalog::{Client, Connection};
use crate::http::login::answer::{see_other, set};
use crate::http::login::browser;
use crate::http::pages;
use crate::login::Browser;
use crate::login::session::SsoSession;
use crate::oauth::error::Trouble;
use crate::oauth::logout::{By, ending};

#[derive(Template)]
#[template(path = "sessions.html")]
struct SessionsPage<'a> {
    name: &'a str,
    token: &'a str,
    sessions: &'a [Shown],
}

struct Shown {
    sid: String,
    is_this: bool,
    company: String,
    apps: String,
    since: String,
    since_words: String,
}

/// What the form of the page is bound to, beside the session.
const FORM: &str = "sessions";

pub(super) async fn show(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let own = browser::of(&request, &app.config);
    let (session, cookie) = match signed_in(&app, &own).await {
        Ok(found) => found,
        Err(page) => return page,
    };
    match list(&app, &session).await {
        Ok(sessions) => {
            let token = cookie.form_token(FORM);
            let page = SessionsPage { name: name_of(&session), token: &token, sessions: &sessions };
            pages::page(StatusCode::OK, &page)
        }
        Err(trouble) => reply::trouble_page(&trouble),
    }
}

/// `end` is a session's id, or `all`.
pub(super) async fn end(app: web::Data<App>, request: HttpRequest, body: String) -> HttpResponse {
    let own = browser::of(&request, &app.config);
    let (session, params) = match submitted(&app, &request, &own, (FORM, &body)).await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    match end_chosen(&app, &own, &session, params.get("end").unwrap_or_default()).await {
        Ok(response) => response,
        Err(trouble) => reply::trouble_page(&trouble),
    }
}

async fn end_chosen(
    app: &App,
    browser: &Browser,
    session: &SsoSession,
    chosen: &str,
) -> Result<HttpResponse, Trouble> {
    let mut sessions = app.sso_sessions().of_user(&session.user_id).await?;
    sessions.retain(|known| chosen == "all" || known.sid == chosen);
    let by = By::user(&session.user_id, browser.address());
    let mut ended = ending::end(app, &sessions, &by, app.now()).await?;
    let Some(own) = ended.iter().position(|ended| ended.session.sid == session.sid) else {
        return Ok(see_other(app.config.issuer.url("/sessions").as_str()));
    };
    let own = ended.swap_remove(own);
    let frames = frame_sources(Some(&own));
    let mut page = LoggedOutPage::default();
    page.tell(app, own).await;
    let mut response = pages::page_with_frames(&page, &frames);
    set(&mut response, &browser::no_session_cookie(&app.config.issuer));
    Ok(response)
}

/// This browser's first, then the latest.
async fn list(app: &App, own: &SsoSession) -> Result<Vec<Shown>, Trouble> {
    let mut sessions = app.sso_sessions().of_user(&own.user_id).await?;
    sessions
        .sort_by_key(|session| (session.sid != own.sid, std::cmp::Reverse(session.signed_in_at)));
    let mut all = Vec::with_capacity(sessions.len());
    for session in sessions {
        let mut apps = Vec::with_capacity(session.clients.len());
        for client_id in &session.clients {
            let client = app.catalog.get::<Client>(client_id).await?;
            apps.extend(client.map(|client| client.client_name.clone()));
        }
        let connection = app.catalog.get::<Connection>(session.connection.as_str()).await?;
        all.push(Shown {
            is_this: session.sid == own.sid,
            company: connection.map_or_else(String::new, |c| c.display_name.clone()),
            apps: apps.join(", "),
            since: session.signed_in_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            since_words: session.signed_in_at.format("%-d %B %Y, %H:%M UTC").to_string(),
            sid: session.sid,
        });
    }
    Ok(all)
}
