//! `GET|POST /consent`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use url::Url;

use super::{device, reply, token};
use crate::app::App;
use crate::catalog::TraceOutcome;
use crate::http::login::browser;
use crate::http::pages;
use crate::login::trace::Trail;
use crate::login::{AnswerTo, Browser};
use crate::oauth::consent::{self, AskedApi, ConsentError, ConsentQuestion, Decision};
use crate::oauth::params::Params;

#[derive(Debug, Template)]
#[template(path = "consent.html")]
struct ConsentPage<'a> {
    client_name: &'a str,
    client_uri: Option<&'a str>,
    host: Option<&'a str>,
    is_ours: bool,
    organization: &'a str,
    account: Option<&'a str>,
    permissions: &'a [String],
    apis: &'a [AskedApi],
    return_to: &'a str,
    handle: &'a str,
    token: &'a str,
}

pub(super) async fn show(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let params = Params::parse(request.query_string()).unwrap_or_default();
    let handle = params.get("consent").unwrap_or_default();
    let own = browser::of(&request, &app.config);
    match consent::question(&app, &own, handle, app.now()).await {
        Ok(question) => page(&question),
        Err(error) => refusal(&app, &own, &error).await,
    }
}

pub(super) async fn decide(
    app: web::Data<App>,
    request: HttpRequest,
    body: String,
) -> HttpResponse {
    let own = browser::of(&request, &app.config);
    let params = token::form(&request, &body).unwrap_or_default();
    if !browser::posts_from_our_page(&request, &app.config.issuer) {
        return refusal(&app, &own, &ConsentError::OtherBrowser).await;
    }
    let decision = match params.get("decision") {
        Some("allow") => Decision::Allow,
        Some("deny") => Decision::Deny,
        Some(_) | None => return refusal(&app, &own, &ConsentError::Expired).await,
    };
    let form = (params.get("consent").unwrap_or_default(), params.get("token").unwrap_or_default());
    match consent::decide(&app, &own, form, decision, app.now()).await {
        Ok(answer) => reply::answer(&answer),
        Err(error) => refusal(&app, &own, &error).await,
    }
}

/// The form ends in a redirect to the client, which its policy must allow (RULES 30).
fn page(question: &ConsentQuestion) -> HttpResponse {
    let way = match &question.answer {
        AnswerTo::Client(way) => way,
        AnswerTo::Device { user_code, .. } => return device::confirmation(question, user_code),
    };
    let target = Url::parse(&way.redirect_uri);
    let return_to = target.as_ref().map(address).unwrap_or_default();
    let page = ConsentPage {
        client_name: &question.client_name,
        client_uri: question.client_uri.as_deref(),
        host: question.host.as_deref(),
        is_ours: question.is_ours,
        organization: &question.organization,
        account: question.account.as_deref(),
        permissions: &question.permissions,
        apis: &question.apis,
        return_to: &return_to,
        handle: &question.handle,
        token: &question.form_token,
    };
    let target = target.as_ref().map(pages::source_of);
    let sources = format!("https: {}", target.unwrap_or_default());
    pages::page_with_form_to(StatusCode::OK, &page, sources.trim_end())
}

/// What people compare with the app that they came from: host and port, or an app's own scheme.
fn address(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => url.scheme().to_owned(),
    }
}

/// As at the end of any login: a page with its reference, and a trace.
async fn refusal(app: &App, browser: &Browser, error: &ConsentError) -> HttpResponse {
    let (outcome, code, title, text) = match error {
        ConsentError::Barred(code) => (
            TraceOutcome::Denied,
            *code,
            "This sign-in is not allowed any more",
            "Something was switched off while you decided. Ask your IT team.",
        ),
        ConsentError::Expired => (
            TraceOutcome::Failed,
            "consent_expired",
            "This question is not open any more",
            "It was answered before, or too long ago. Start again from the app.",
        ),
        ConsentError::OtherBrowser => (
            TraceOutcome::Failed,
            "consent_other_browser",
            "We could not tell that this form is yours",
            "It came from another page or another browser. Start again from the app.",
        ),
        ConsentError::Trouble(trouble) => return reply::trouble_page(trouble),
    };
    let status = match outcome {
        TraceOutcome::Denied => StatusCode::FORBIDDEN,
        TraceOutcome::Failed | TraceOutcome::Succeeded => StatusCode::BAD_REQUEST,
    };
    let reference = Trail::at(browser.address()).refused(app, outcome, code, None).await;
    let page = pages::ErrorPage { title, text, code, reference: &reference, link: None };
    pages::page(status, &page)
}
