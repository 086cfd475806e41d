//! `POST /oauth/par` (RFC 9126).

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::token::{answered, uncached};
use crate::app::App;
use crate::counter::sender;
use crate::http::{client_address, error};
use crate::oauth::par::{self, ParError};
use crate::oauth::token::TokenRequest;

pub(super) async fn push(app: web::Data<App>, request: HttpRequest, body: String) -> HttpResponse {
    let pushed = async |asked: TokenRequest<'_>| {
        let sender = client_address::of(&request, &app.config.http.trusted_proxies).map(sender);
        match par::push(&app, asked, sender, app.now()).await {
            Ok(pushed) => Ok(uncached(StatusCode::CREATED).json(pushed)),
            Err(ParError::Refused { error, description }) => {
                Ok(error::oauth(StatusCode::BAD_REQUEST, error, Some(&description)))
            }
            Err(ParError::Token(error)) => Err(error),
        }
    };
    answered(&app, &request, &body, pushed).await
}
