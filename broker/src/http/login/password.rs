//! `/login/password`: our own sign-in page, for people whose company has no identity provider.

use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Form, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use zeroize::Zeroizing;

use super::fields::{Pairs, take, transaction};
use super::{answer, browser, form};
use crate::app::App;
use crate::http::pages::{self, FieldProblem, Hidden};
use crate::login::Browser;
use crate::login::password::{self, Problem, SignInPage, Submitted, Typed};

#[derive(Debug, Template)]
#[template(path = "password.html")]
struct PasswordPage<'a> {
    client_name: &'a str,
    hidden: Hidden<'a>,
    transaction: &'a str,
    email: &'a str,
    problem: Option<FieldProblem<'a>>,
    /// Whether it is the address that is to be looked at.
    is_about_the_address: bool,
}

pub(super) async fn show(
    app: Data<App>,
    request: HttpRequest,
    query: Query<Pairs>,
) -> HttpResponse {
    let browser = browser::of(&request, &app.config);
    let handle = transaction(query.into_inner());
    match password::page(&app, &browser, &handle).await {
        Ok(page) => render(&app, &browser, &page),
        Err(page) => answer::error_page(&app, &page).await,
    }
}

/// Sends `email` and `password`, and the hidden fields.
pub(super) async fn submit(
    app: Data<App>,
    request: HttpRequest,
    form: Form<Pairs>,
) -> HttpResponse {
    let browser = browser::of(&request, &app.config);
    let fields = read(form.into_inner());
    let (handle, _, typed) = match form::checked((&app, &request, &browser), fields, hidden) {
        Ok(fields) => fields,
        Err(failure) => return form::refuse(&app, &browser, failure).await,
    };
    match password::submit(&app, &browser, &handle, typed).await {
        Ok(Submitted::Continue(transaction)) => {
            let path = format!("/login/continue?transaction={transaction}");
            answer::see_other(app.config.issuer.url(&path).as_str())
        }
        Ok(Submitted::Page(page)) => render(&app, &browser, &page),
        Err(page) => answer::error_page(&app, &page).await,
    }
}

/// Handle, token, and what was typed.
type Fields = (String, String, Typed);

fn hidden((handle, token, _): &Fields) -> (&str, &str) {
    (handle, token)
}

/// `None` where a field was sent twice.
fn read(mut form: Pairs) -> Option<Fields> {
    let handle = take(&mut form, "transaction").ok()?.unwrap_or_default();
    let token = take(&mut form, "token").ok()?.unwrap_or_default();
    let email = take(&mut form, "email").ok()?.unwrap_or_default().trim().to_owned();
    let password = Zeroizing::new(take(&mut form, "password").ok()?.unwrap_or_default());
    Some((handle, token, Typed { email, password }))
}

/// 400 for what was not accepted, so that it counts as a failure (RULES 38); 429 for what came too early.
fn render(app: &App, browser: &Browser, page: &SignInPage) -> HttpResponse {
    let token = answer::token(browser, &page.handle);
    let wait = match page.problem {
        Some(Problem::TooEarly(early)) => Some(early.retry_after),
        _ => None,
    };
    let seconds = wait.map(wait_words).unwrap_or_default();
    let template = PasswordPage {
        client_name: &page.client_name,
        hidden: Hidden { transaction: &page.handle, token: &token },
        transaction: &page.transaction,
        email: page.email.as_deref().unwrap_or_default(),
        problem: page.problem.map(|problem| words(problem, &seconds)),
        is_about_the_address: matches!(
            page.problem,
            Some(Problem::CompanySignIn | Problem::NotAnAddress)
        ),
    };
    let sources = answer::form_sources(app, page.redirect_uri.as_deref());
    let mut response = pages::page_with_form_to(status(page.problem), &template, &sources);
    if let Some(wait) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, wait.into());
    }
    response
}

const fn status(problem: Option<Problem>) -> StatusCode {
    match problem {
        None | Some(Problem::CompanySignIn | Problem::NotAnAddress) => StatusCode::OK,
        Some(Problem::NotAccepted) => StatusCode::BAD_REQUEST,
        Some(Problem::TooEarly(_)) => StatusCode::TOO_MANY_REQUESTS,
    }
}

fn wait_words(seconds: i64) -> String {
    if seconds == 1 { "in a second.".to_owned() } else { format!("in {seconds} seconds.") }
}

fn words(problem: Problem, wait: &str) -> FieldProblem<'_> {
    match problem {
        Problem::CompanySignIn => FieldProblem {
            text: "This address signs in on its company's own page.",
            advice: "Go back and enter it there, and we take you to it.",
        },
        Problem::NotAccepted => FieldProblem {
            text: "This e-mail address and password do not belong together.",
            advice: "Check both, and whether Caps Lock is on.",
        },
        Problem::NotAnAddress => FieldProblem {
            text: "Enter your e-mail address, such as name@company.com.",
            advice: "",
        },
        Problem::TooEarly(_) => FieldProblem {
            text: "There were too many attempts with this address. Try again",
            advice: wait,
        },
    }
}
