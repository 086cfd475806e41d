//! `GET /login/continue`: binds the answer of the IdP to this browser, and answers the client (RULES 3).

use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};

use super::answer::{error_page, set};
use super::browser;
use super::fields::{Pairs, transaction};
use crate::app::App;
use crate::http::oauth as reply;
use crate::login::complete;
use crate::oauth::answer::{self, AnswerError};

/// Ends in a 303, a form post, or an error page.
pub(super) async fn show(
    app: Data<App>,
    request: HttpRequest,
    query: Query<Pairs>,
) -> HttpResponse {
    let browser = browser::of(&request, &app.config);
    let transaction = transaction(query.into_inner());
    let login = match complete::finish(&app, &browser, &transaction).await {
        Ok(login) => login,
        Err(error) => return reply::login_error(&app, &error).await,
    };
    let connection = login.connection.clone();
    match answer::answer(&app, &browser, login, app.now()).await {
        Ok(answered) => {
            let mut response = reply::answered(&app, &answered);
            set(&mut response, &browser::realm_cookie(&app.config.issuer, &connection));
            response
        }
        Err(AnswerError::Page(page)) => error_page(&app, &page).await,
        Err(AnswerError::Trouble(trouble)) => reply::trouble_page(&trouble),
    }
}
