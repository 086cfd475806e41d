//! `GET|POST /oidc/logout`.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use tokio::time::Instant;
use url::Url;

use super::authorize::{comes_from_another_site, from_our_page};
use super::{reply, token};
use crate::app::App;
use crate::catalog::{Connection, TraceOutcome};
use crate::http::login::answer::{see_other, set};
use crate::http::login::browser;
use crate::http::pages;
use crate::login::session::SsoSession;
use crate::login::trace::Trail;
use crate::oauth::logout::{
    Confirmation, Ended, LoggedOut, Logout, LogoutError, LogoutRequest, ask, confirm,
};
use crate::oauth::params::Params;

#[derive(Template)]
#[template(path = "logout.html")]
struct ConfirmPage<'a> {
    client_name: &'a str,
    name: &'a str,
    fields: &'a [(&'static str, String)],
    token: &'a str,
}

/// What a page says of what else ended.
#[derive(Default, Template)]
#[template(path = "logged_out.html")]
pub(super) struct LoggedOutPage {
    client_name: String,
    return_url: Option<String>,
    goes_back: bool,
    ended: Vec<String>,
    not_reached: Vec<String>,
    not_told: Vec<String>,
    frames: Vec<String>,
    company: Option<String>,
}

/// How long the page waits for the clients' answers.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) async fn by_query(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    match Params::parse(request.query_string()) {
        Ok(params) => serve(&app, &request, &params).await,
        Err(_) => refused(&app, &request, &unreadable()).await,
    }
}

/// RP-Initiated Logout §2: the same as a form; and our own page's form.
pub(super) async fn by_form(
    app: web::Data<App>,
    request: HttpRequest,
    body: String,
) -> HttpResponse {
    let Ok(params) = token::form(&request, &body) else {
        return refused(&app, &request, &unreadable()).await;
    };
    if params.has("confirm") {
        return confirmed(&app, &request, &params).await;
    }
    if comes_from_another_site(&request) {
        let ends_at = params.get("post_logout_redirect_uri");
        return from_our_page(&app, "/oidc/logout", &params, ends_at);
    }
    serve(&app, &request, &params).await
}

async fn serve(app: &App, request: &HttpRequest, params: &Params) -> HttpResponse {
    let asked = match LogoutRequest::read(app, params).await {
        Ok(asked) => asked,
        Err(error) => return refused(app, request, &error).await,
    };
    match ask(app, &browser::of(request, &app.config), asked, app.now()).await {
        Ok(Logout::Confirm(question)) => question_page(&question),
        Ok(Logout::Done(done)) => finish(app, *done).await,
        Err(error) => refused(app, request, &error).await,
    }
}

async fn confirmed(app: &App, request: &HttpRequest, params: &Params) -> HttpResponse {
    if !browser::posts_from_our_page(request, &app.config.issuer) {
        return refused(app, request, &LogoutError::FormNotOurs).await;
    }
    let asked = match LogoutRequest::read(app, params).await {
        Ok(asked) => asked,
        Err(error) => return refused(app, request, &error).await,
    };
    let form_token = params.get("token").unwrap_or_default();
    match confirm(app, &browser::of(request, &app.config), asked, form_token, app.now()).await {
        Ok(done) => finish(app, done).await,
        Err(error) => refused(app, request, &error).await,
    }
}

fn question_page(question: &Confirmation) -> HttpResponse {
    let client = question.request.client.as_ref();
    let page = ConfirmPage {
        client_name: client.map_or("", |client| &client.client_name),
        name: name_of(&question.session),
        fields: &question.request.fields(),
        token: &question.form_token,
    };
    let way_back = question.request.way_back();
    let target = way_back.as_deref().and_then(|url| Url::parse(url).ok());
    match target {
        Some(target) => pages::page_with_form_to(StatusCode::OK, &page, &pages::source_of(&target)),
        None => pages::page(StatusCode::OK, &page),
    }
}

/// Back to the client at once where it may be and no page is needed to tell others; else a page that says what ended.
async fn finish(app: &App, done: LoggedOut) -> HttpResponse {
    let way_back = done.request.way_back();
    let has_frames = done.ended.as_ref().is_some_and(|ended| !ended.frames.is_empty());
    let mut response = match &way_back {
        Some(url) if done.may_redirect && !has_frames => see_other(url),
        Some(_) | None => {
            let frames = frame_sources(done.ended.as_ref());
            pages::page_with_frames(&page(app, done).await, &frames)
        }
    };
    set(&mut response, &browser::no_session_cookie(&app.config.issuer));
    response
}

async fn page(app: &App, done: LoggedOut) -> LoggedOutPage {
    let client = done.request.client.as_ref();
    let mut page = LoggedOutPage {
        client_name: client.map(|client| client.client_name.clone()).unwrap_or_default(),
        return_url: done.request.way_back(),
        goes_back: done.may_redirect && done.request.return_to.is_some(),
        ..LoggedOutPage::default()
    };
    if let Some(ended) = done.ended {
        page.tell(app, ended).await;
    }
    page
}

impl LoggedOutPage {
    /// Adds what became of a session's clients, and of the session at the IdP.
    pub(super) async fn tell(&mut self, app: &App, ended: Ended) {
        let deadline = Instant::now() + PATIENCE;
        for telling in ended.told {
            let name = telling.client_name.clone();
            let list =
                if telling.took(deadline).await { &mut self.ended } else { &mut self.not_reached };
            list.push(name);
        }
        self.frames.extend(ended.frames.into_iter().map(|frame| frame.url.to_string()));
        self.not_told.extend(ended.silent);
        let connection = app.catalog.get::<Connection>(ended.session.connection.as_str()).await;
        self.company =
            connection.ok().flatten().map(|connection| connection.object.display_name.clone());
    }
}

/// Only these may be shown in a frame.
pub(super) fn frame_sources(ended: Option<&Ended>) -> String {
    let frames = ended.map(|ended| ended.frames.as_slice()).unwrap_or_default();
    let origins = frames.iter().map(|frame| frame.url.origin().ascii_serialization());
    origins.collect::<Vec<_>>().join(" ")
}

/// A session's user as they know themselves.
pub(super) fn name_of(session: &SsoSession) -> &str {
    let claims = &session.claims;
    let names = [&claims.name, &claims.email, &claims.preferred_username];
    names.into_iter().flatten().next().map_or("your account", String::as_str)
}

const fn unreadable() -> LogoutError {
    LogoutError::Invalid("The parameters are form-urlencoded UTF-8, a hundred at most.")
}

pub(super) async fn refused(app: &App, request: &HttpRequest, error: &LogoutError) -> HttpResponse {
    let (code, title, text) = match error {
        LogoutError::FormNotOurs => (
            "logout_form_not_ours",
            "We could not tell that this form is yours",
            "It came from another page or another browser. Nobody was signed out; start again from the app.",
        ),
        LogoutError::Invalid(_) => (
            "logout_request_invalid",
            "This app sent a sign-out request that we cannot accept",
            "Nobody was signed out. Go back to the app and try again. If it happens again, give the reference to the people who make the app.",
        ),
        LogoutError::Trouble(trouble) => return reply::trouble_page(trouble),
    };
    let detail = Some(error.to_string());
    let trail = Trail::at(browser::of(request, &app.config).address());
    let reference = trail.refused(app, TraceOutcome::Failed, code, detail).await;
    let page = pages::ErrorPage { title, text, code, reference: &reference, link: None };
    pages::page(StatusCode::BAD_REQUEST, &page)
}
