//! `GET|POST /authorize`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use url::Url;

use super::{reply, token};
use crate::admin::registration::document::{self, DocumentError};
use crate::app::App;
use crate::catalog::TraceOutcome;
use crate::http::login::answer::started;
use crate::http::login::browser;
use crate::http::pages;
use crate::login::trace::Trail;
use crate::login::{self, AuthorizationRequest, Browser};
use crate::oauth::authorize::{AuthorizeError, Refusal, ignored, validate};
use crate::oauth::params::Params;
use crate::oauth::silent::{self, Silent};

pub(super) async fn by_query(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    serve(&app, &request, Params::parse(request.query_string()).ok()).await
}

/// OIDC Core §3.1.2.1: the same parameters as a form.
pub(super) async fn by_form(
    app: web::Data<App>,
    request: HttpRequest,
    body: String,
) -> HttpResponse {
    let params = token::form(&request, &body).ok();
    match params {
        Some(params) if comes_from_another_site(&request) => {
            let ends_at = params.get("redirect_uri");
            from_our_page(&app, "/authorize", &params, ends_at)
        }
        params => serve(&app, &request, params).await,
    }
}

/// Another site's form brings no `Lax` cookie, and a login cookie that we set anew would end the logins in this browser's
/// other tabs. Sent again from a page of ours it does bring the cookie, and no hint gets into an address, which others log.
/// The page allows where the request will end (RULES 30); that is checked when it comes again.
pub(super) fn from_our_page(
    app: &App,
    path: &str,
    params: &Params,
    ends_at: Option<&str>,
) -> HttpResponse {
    let ends_at = ends_at.and_then(|url| Url::parse(url).ok());
    pages::sent_again(&app.config.issuer.url(path), &params.pairs(), ends_at.as_ref())
}

pub(super) fn comes_from_another_site(request: &HttpRequest) -> bool {
    let site = request.headers().get("sec-fetch-site").and_then(|site| site.to_str().ok());
    matches!(site, Some("cross-site" | "same-site"))
}

async fn serve(app: &App, request: &HttpRequest, params: Option<Params>) -> HttpResponse {
    let browser = browser::of(request, &app.config);
    let Some(params) = params else {
        return refused(app, &browser, &Refusal::unreadable()).await;
    };
    if let Some(client_id) = params.get("client_id")
        && let Err(error) = document::bring_up_to_date(app, &browser, client_id).await
    {
        return match error {
            DocumentError::Refused(why) => refused(app, &browser, &Refusal::document(why)).await,
            DocumentError::Trouble(trouble) => reply::trouble_page(&trouble),
        };
    }
    let asked = match validate(app, &params).await {
        Ok(asked) => asked,
        Err(AuthorizeError::Answer(answer, refusal)) => {
            note(app, &browser, &refusal, &params).await;
            return reply::answer(&answer);
        }
        Err(AuthorizeError::Page(refusal)) => {
            let reference = note(app, &browser, &refusal, &params).await;
            return page(&refusal, &reference);
        }
        Err(AuthorizeError::Trouble(trouble)) => return reply::trouble_page(&trouble),
    };
    begin(app, &browser, asked).await
}

/// From the browser's session where that will do, else by a login.
pub(super) async fn begin(
    app: &App,
    browser: &Browser,
    asked: AuthorizationRequest,
) -> HttpResponse {
    let begun = match silent::answer(app, browser, asked, app.now()).await {
        Ok(Silent::Answer(answer)) => return reply::answer(&answer),
        Ok(Silent::AskForAccount(asked)) => {
            login::begin::ask_for_account(app, browser, *asked).await
        }
        Ok(Silent::Login(asked)) => login::start(app, browser, *asked).await,
        Err(trouble) => return reply::trouble_page(&trouble),
    };
    match begun {
        Ok(begun) => started(app, begun),
        Err(error) => reply::login_error(app, &error).await,
    }
}

async fn refused(app: &App, browser: &Browser, refusal: &Refusal) -> HttpResponse {
    page(refusal, &note(app, browser, refusal, &Params::default()).await)
}

/// The trace, also of what the client alone is told; its reference.
async fn note(app: &App, browser: &Browser, refusal: &Refusal, params: &Params) -> String {
    let client_id = refusal.client_id.clone();
    let trail = Trail { client_id, ignored: ignored(params), ..Trail::at(browser.address()) };
    let expected = Some(refusal.detail.clone());
    trail.refused(app, TraceOutcome::Failed, refusal.code, expected).await
}

/// Our page: nothing goes to an address that nobody has vouched for.
fn page(refusal: &Refusal, reference: &str) -> HttpResponse {
    let link_text = refusal.link.as_ref().map(|link| format!("Go to {}", link.name));
    let link = refusal.link.as_ref().zip(link_text.as_deref());
    let page = pages::ErrorPage {
        title: "This app sent a sign-in request that we cannot accept",
        text: "Nothing is wrong with your account. Go back to the app and try again. If it happens again, give the reference to the people who make the app.",
        code: refusal.code,
        reference,
        link: link.map(|(link, text)| pages::Link { url: &link.url, text }),
    };
    pages::page(StatusCode::BAD_REQUEST, &page)
}
