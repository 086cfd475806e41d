//! A form of a login's page, as it came back.

use actix_web::{HttpRequest, HttpResponse};

use super::{answer, browser};
use crate::app::App;
use crate::login::Browser;
use crate::login::failure::Failure;
use crate::login::trace::Trail;
use crate::login::transaction::TransactionError;

/// The fields, if the form is one of ours, sent by the browser that it was made for (RULES 30); `None` are fields of which one
/// was sent twice. `hidden` gives the handle and the token among them.
///
/// # Errors
/// [`Failure::FormNotOurs`]; [`TransactionError::CookieMissing`] where no form can be the browser's.
pub(super) fn checked<T>(
    (app, request, browser): (&App, &HttpRequest, &Browser),
    fields: Option<T>,
    hidden: impl Fn(&T) -> (&str, &str),
) -> Result<T, Failure> {
    let Some(fields) = fields else { return Err(Failure::FormNotOurs) };
    if !browser.has_cookie() {
        return Err(TransactionError::CookieMissing.into());
    }
    let (handle, token) = hidden(&fields);
    let ours = browser::posts_from_our_page(request, &app.config.issuer);
    if ours && browser.made_form(handle, token) { Ok(fields) } else { Err(Failure::FormNotOurs) }
}

/// The page for a form that was not taken; the trace says why.
pub(super) async fn refuse(app: &App, browser: &Browser, failure: Failure) -> HttpResponse {
    let page = Trail::at(browser.address()).failed(app, failure).await;
    answer::error_page(app, &page).await
}
