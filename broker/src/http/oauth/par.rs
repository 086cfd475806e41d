//! `POST /oauth/par` (RFC 9126).

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};

use super::{Came, token};
use crate::app::App;
use crate::counter::{TooMany, sender};
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

/// RULES 38: what anybody can push in a public client's name counts by address, as at `/authorize`.
fn counted(app: &App, came: &Came<'_>, params: &Params) -> Result<(), TooMany> {
    let bare = !params.has("client_secret") && !params.has("client_assertion");
    if !bare || came.certificate.is_some() || super::authorization(came.request).is_some() {
        return Ok(());
    }
    let address = client_address::of(came.request, &app.config.http.trusted_proxies);
    address.map_or(Ok(()), |address| app.limits.open(sender(address), app.now()))
}

async fn serve(app: &App, request: &HttpRequest, params: &Params) -> HttpResponse {
    let came = Came::with(app, request);
    if let Err(too_many) = counted(app, &came, params) {
        return too_many.response(par::PATH);
    }
    match par::push(app, came.token_request(params), app.now()).await {
        Ok(pushed) => {
            HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(pushed)
        }
        Err(ParError::Refused { error, description }) => {
            error::oauth(StatusCode::BAD_REQUEST, error, Some(&description))
        }
        Err(ParError::Token(error)) => token::refusal(&error),
    }
}
