//! What the authorization server's answers look like in HTTP.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use homerealm_certs::SystemRandom;
use url::Url;

use crate::app::App;
use crate::http::error;
use crate::http::login::answer::{error_page, see_other, set};
use crate::http::login::browser;
use crate::http::pages;
use crate::ids;
use crate::login::LoginError;
use crate::oauth::answer::{Answer, Answered, error_answer};
use crate::oauth::error::Trouble;

/// An answer to the client: 303, so that a form is not posted on (RFC 9700 §4.12), or a form that posts itself.
pub fn answer(answer: &Answer) -> HttpResponse {
    match answer {
        Answer::Redirect { url } => see_other(url),
        Answer::FormPost { action, fields } => match Url::parse(action) {
            Ok(action) => pages::auto_submit("Going back to the app", &action, fields),
            Err(_) => trouble_page(&Trouble::Broken("a redirect URI is not a URL".to_owned())),
        },
        Answer::Stay(end) => super::device::ended(end),
    }
}

/// An answer, and the browser's session with it.
pub fn answered(app: &App, answered: &Answered) -> HttpResponse {
    let mut response = answer(&answered.answer);
    if let Some(cookie) = &answered.cookie {
        set(&mut response, &browser::session_cookie(&app.config.issuer, cookie));
    }
    response
}

/// How a login that does not succeed is answered: our page, or an error for the client.
pub async fn login_error(app: &App, error: &LoginError) -> HttpResponse {
    match error {
        LoginError::Page(page) => error_page(app, page).await,
        LoginError::ToClient(told) => {
            let error = (told.error, told.description);
            match error_answer(app, &told.request, error, app.now()).await {
                Ok(told) => answer(&told),
                Err(trouble) => trouble_page(&trouble),
            }
        }
    }
}

/// A page that says that this is on our side.
pub fn trouble_page(trouble: &Trouble) -> HttpResponse {
    let (status, code, reference) = noted(trouble);
    let page = pages::ErrorPage {
        title: "Sign-in is not available right now",
        text: "This is on our side, and nothing was lost. Try again in a minute.",
        code,
        reference: &reference,
        link: None,
    };
    pages::page(status, &page)
}

/// The same for programs (RFC 6749 §5.2).
pub(super) fn trouble(trouble: &Trouble) -> HttpResponse {
    let (status, code, reference) = noted(trouble);
    let text = format!("This is on our side. The reference is {reference}.");
    error::oauth(status, code, Some(&text))
}

/// 503, or 500 for what only we can mend; the log says what, under the reference that is shown.
fn noted(trouble: &Trouble) -> (StatusCode, &'static str, String) {
    let (status, code) = match trouble {
        Trouble::Away(_) => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
        Trouble::Broken(_) => (StatusCode::INTERNAL_SERVER_ERROR, "server_error"),
    };
    let reference = ids::reference(&SystemRandom);
    tracing::error!(error = %trouble, login.reference = reference, "a request could not be served");
    (status, code, reference)
}
