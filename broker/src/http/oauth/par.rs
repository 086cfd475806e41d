//! `POST /oauth/par` (RFC 9126).

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};

use super::{Came, token};
use crate::app::App;
use crate::counter::sender;
use crate::http::{client_address, error};
use crate::oauth::par::{self, ParError};
use crate::oauth::params::Params;

pub(super) async fn push(app: web::Data<App>, request: HttpRequest, body: String) -> HttpResponse {
    let params = match token::form(&request, &body) {
        Ok(params) => params,
        Err(text) => return error::oauth(StatusCode::BAD_REQUEST, "invalid_request", Some(text)),
    };
    let mut response = serve(&app, &request, &params).await;
    token::share(&app, &request, &params, &mut response).await;
    response
}

async fn serve(app: &App, request: &HttpRequest, params: &Params) -> HttpResponse {
    let came = Came::with(app, request);
    let sender = client_address::of(request, &app.config.http.trusted_proxies).map(sender);
    match par::push(app, came.token_request(params), sender, app.now()).await {
        Ok(pushed) => {
            HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(pushed)
        }
        Err(ParError::Refused { error, description }) => {
            error::oauth(StatusCode::BAD_REQUEST, error, Some(&description))
        }
        Err(ParError::Token(error)) => token::refusal(&error),
    }
}
