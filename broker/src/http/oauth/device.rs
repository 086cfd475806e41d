//! `POST /oauth/device/code`, and `/device`, where a user types what a device shows (RFC 8628 §3.3).

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{authorize, reply, token};
use crate::app::App;
use crate::counter::sender;
use crate::http::login::browser;
use crate::http::pages::{self, FieldProblem};
use crate::login;
use crate::oauth::answer::DeviceEnd;
use crate::oauth::consent::ConsentQuestion;
use crate::oauth::device::{self, UserCode};
use crate::oauth::params::Params;
use crate::oauth::token::TokenRequest;

/// What the form's token is bound to, beside the browser.
const FORM: &str = "device";

#[derive(Debug, Template)]
#[template(path = "device.html")]
struct DevicePage<'a> {
    token: &'a str,
    user_code: &'a str,
    problem: Option<FieldProblem<'a>>,
}

#[derive(Debug, Template)]
#[template(path = "device_confirm.html")]
struct ConfirmPage<'a> {
    question: &'a ConsentQuestion,
    user_code: &'a str,
}

/// `POST /oauth/device/code`
pub(super) async fn authorize(
    app: web::Data<App>,
    request: HttpRequest,
    body: String,
) -> HttpResponse {
    let codes = async |asked: TokenRequest<'_>| {
        let codes = device::authorize(&app, asked, app.now()).await?;
        Ok(token::uncached(StatusCode::OK).json(codes))
    };
    token::answered(&app, &request, &body, codes).await
}

/// `GET /device`: a code in the address is filled in, and still has to be compared and sent by a person.
pub(super) async fn show(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let params = Params::parse(request.query_string()).unwrap_or_default();
    let given = params.get("user_code").and_then(UserCode::parse);
    let shown = given.map(|code| code.to_string()).unwrap_or_default();
    page(&app, &request, StatusCode::OK, &shown, None)
}

/// `POST /device`: from the code to the login of whoever typed it.
pub(super) async fn submit(
    app: web::Data<App>,
    request: HttpRequest,
    body: String,
) -> HttpResponse {
    let params = token::form(&request, &body).unwrap_or_default();
    let own = browser::of(&request, &app.config);
    let ours = browser::posts_from_our_page(&request, &app.config.issuer);
    let typed: String = params.get("user_code").unwrap_or_default().chars().take(32).collect();
    let form_token = params.get("token").unwrap_or_default();
    if !ours || !own.made_form(FORM, form_token) {
        return again(&app, &request, &typed, NOT_OURS);
    }
    if let Err(too_many) = app.limits.guess(own.address().map(sender), form_token, app.now()) {
        return too_many.response("/device");
    }
    let Some(user_code) = UserCode::parse(&typed) else {
        return again(&app, &request, &typed, NOT_A_CODE);
    };
    let asked = match device::asked(&app, &user_code, app.now()).await {
        Ok(Some(asked)) => asked,
        Ok(None) => return again(&app, &request, &typed, UNKNOWN),
        Err(trouble) => return reply::trouble_page(&trouble),
    };
    authorize::begin(&app, &own, asked).await
}

/// Asks whether the device that shows this code may have what it asks for (RFC 8628 §5.4).
pub(super) fn confirmation(question: &ConsentQuestion, user_code: &str) -> HttpResponse {
    pages::page(StatusCode::OK, &ConfirmPage { question, user_code })
}

/// The end of it for the browser.
pub(super) fn ended(end: &DeviceEnd) -> HttpResponse {
    let (status, code, title, text) = match end {
        DeviceEnd::Allowed => (
            StatusCode::OK,
            "device_allowed",
            "Your device is signed in",
            "It goes on by itself in a few seconds. You can close this page.",
        ),
        DeviceEnd::Denied => (
            StatusCode::OK,
            "device_denied",
            "The device was not signed in",
            "You can close this page. If somebody sent you the code, tell your IT team.",
        ),
        DeviceEnd::TooLate { .. } => (
            StatusCode::BAD_REQUEST,
            "device_code_expired",
            "This code is not valid any more",
            "It was used before, or too long ago. Ask your device for a new code and start again.",
        ),
    };
    let reference = match end {
        DeviceEnd::TooLate { reference } => reference,
        DeviceEnd::Allowed | DeviceEnd::Denied => "",
    };
    let page = pages::ErrorPage { title, text, code, reference, link: None };
    pages::page(status, &page)
}

const NOT_A_CODE: FieldProblem<'static> = FieldProblem {
    text: "Enter the eight letters that your device shows, such as WDJB-MJHT.",
    advice: "",
};
const NOT_OURS: FieldProblem<'static> = FieldProblem {
    text: "Send the code again.",
    advice: "We could not tell that the form came from this page in this browser.",
};
const UNKNOWN: FieldProblem<'static> = FieldProblem {
    text: "No device waits with this code.",
    advice: "Compare it with what your device shows. A code is valid for 15 minutes and works once.",
};

fn again(app: &App, request: &HttpRequest, typed: &str, problem: FieldProblem<'_>) -> HttpResponse {
    page(app, request, StatusCode::BAD_REQUEST, typed, Some(problem))
}

/// The form is bound to the browser by the login cookie, which is set where there was none.
fn page(
    app: &App,
    request: &HttpRequest,
    status: StatusCode,
    user_code: &str,
    problem: Option<FieldProblem<'_>>,
) -> HttpResponse {
    let own = browser::of(request, &app.config);
    let secret = own.secret_or_new(app.random.as_ref());
    let form_token = login::transaction::form_token(&secret, FORM);
    let page = DevicePage { token: &form_token, user_code, problem };
    // the form leads on to the IdP
    let sources = crate::http::login::answer::form_sources(app, None);
    let mut response = pages::page_with_form_to(status, &page, &sources);
    if !own.has_cookie()
        && let Err(error) = response.add_cookie(&browser::cookie(&app.config.issuer, &secret))
    {
        tracing::error!(%error, "the login cookie was not set");
    }
    response
}
