//! The demo's own pages: askama templates with a look of their own, so that nobody takes them for the broker's.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, ServiceConfig};
use askama::Template;
use homerealm_connectors::check::{Check, Outcome};
use serde_json::Value;

use super::seed::APP;
use super::user::SampleUser;
use crate::catalog::{LoginTrace, TraceOutcome};

/// A sample IdP's sign-in page.
#[derive(Debug, Template)]
#[template(path = "demo/idp.html")]
pub(super) struct IdpPage<'a> {
    pub(super) protocol: &'a str,
    pub(super) user: &'a SampleUser,
    pub(super) action: &'a str,
    /// The request, sent back with the click.
    pub(super) hidden: &'a [(&'a str, &'a str)],
    pub(super) faults: &'a [FaultChoice],
}

/// A button that sends a faulty response.
#[derive(Clone, Copy, Debug)]
pub(super) struct FaultChoice {
    pub(super) value: &'static str,
    /// Completes "Send a response …".
    pub(super) label: &'static str,
}

/// A form that a served script submits at once.
#[derive(Template)]
#[template(path = "demo/post.html")]
pub(super) struct PostPage<'a> {
    pub(super) action: &'a str,
    pub(super) fields: &'a [(&'a str, String)],
}

/// The sample site, nobody signed in.
#[derive(Debug, Template)]
#[template(path = "demo/home.html")]
pub(super) struct HomePage<'a> {
    pub(super) operator: &'a str,
    /// Title and text of what went wrong.
    pub(super) problem: Option<(&'a str, &'a str)>,
}

/// The sample site, somebody signed in.
#[derive(Template)]
#[template(path = "demo/account.html")]
pub(super) struct AccountPage<'a> {
    pub(super) name: &'a str,
    pub(super) email: &'a str,
    pub(super) claims: &'a str,
    pub(super) token_header: &'a str,
    pub(super) token_payload: &'a str,
    pub(super) token: &'a str,
    pub(super) api: &'a str,
    pub(super) answer: &'a ApiAnswer,
    pub(super) refusal: &'a ApiAnswer,
    pub(super) operator: &'a str,
}

/// What the sample API answered.
#[derive(Debug)]
pub(super) struct ApiAnswer {
    /// 0: not at all.
    pub(super) status: u16,
    pub(super) body: String,
}

/// The last logins.
#[derive(Debug, Template)]
#[template(path = "demo/traces.html")]
pub(super) struct TracesPage<'a> {
    pub(super) traces: &'a [LoginTrace],
    pub(super) site: &'a str,
    pub(super) issuer: &'a str,
}

/// One login, check by check.
#[derive(Debug, Template)]
#[template(path = "demo/trace.html")]
pub(super) struct TracePage<'a> {
    pub(super) trace: &'a LoginTrace,
    pub(super) issuer: &'a str,
}

#[derive(Debug, Template)]
#[template(path = "demo/problem.html")]
struct ProblemPage<'a> {
    title: &'a str,
    text: &'a str,
}

/// Style sheet and script of the demo.
pub(super) fn assets(routes: &mut ServiceConfig) {
    routes
        .route("/assets/demo.css", web::get().to(style))
        .route("/assets/submit.js", web::get().to(script));
}

/// A page with this status.
pub(super) fn page(status: StatusCode, template: &impl Template) -> HttpResponse {
    match template.render() {
        Ok(html) => HttpResponse::build(status).content_type("text/html; charset=utf-8").body(html),
        Err(_) => HttpResponse::InternalServerError().body("The page could not be made."),
    }
}

/// A page that says what is wrong.
pub(super) fn problem(status: StatusCode, title: &str, text: &str) -> HttpResponse {
    page(status, &ProblemPage { title, text })
}

/// Indented JSON.
pub(super) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

async fn style() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .body(include_str!("../../assets/demo.css"))
}

async fn script() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/javascript; charset=utf-8")
        .body(include_str!("../../assets/submit.js"))
}

/// What a list says of a login.
fn outcome(trace: &LoginTrace) -> &'static str {
    match trace.outcome {
        TraceOutcome::Denied => "Denied",
        TraceOutcome::Failed => "Failed",
        TraceOutcome::Succeeded => "Signed in",
    }
}

/// The class of its mark.
fn mark(trace: &LoginTrace) -> &'static str {
    match trace.outcome {
        TraceOutcome::Denied => "denied",
        TraceOutcome::Failed => "failed",
        TraceOutcome::Succeeded => "passed",
    }
}

/// The class and word of a check.
fn verdict(check: &Check) -> &'static str {
    match check.outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "failed",
        Outcome::Skipped => "skipped",
    }
}

/// A check's code in words: `saml_audience_mismatch` is "audience mismatch".
fn words(code: &str) -> String {
    let rest = code.strip_prefix("saml_").or_else(|| code.strip_prefix("oidc_")).unwrap_or(code);
    rest.replace('_', " ")
}

fn time(trace: &LoginTrace) -> String {
    trace.at.format("%H:%M:%S UTC").to_string()
}

/// Tokens and SAML responses are not for logs.
macro_rules! redacted {
    ($($page:ident),*) => {$(
        impl std::fmt::Debug for $page<'_> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($page), "(..)"))
            }
        }
    )*};
}

redacted!(AccountPage, PostPage);
