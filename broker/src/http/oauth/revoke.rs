//! `POST /oauth/revoke` (RFC 7009).

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};

use super::{Came, token};
use crate::app::App;
use crate::http::error;
use crate::oauth::revocation;

pub(super) async fn revoke(
    app: web::Data<App>,
    request: HttpRequest,
    body: String,
) -> HttpResponse {
    let params = match token::form(&request, &body) {
        Ok(params) => params,
        Err(text) => return error::oauth(StatusCode::BAD_REQUEST, "invalid_request", Some(text)),
    };
    let came = Came::with(&app, &request);
    let mut response = match revocation::revoke(&app, came.token_request(&params), app.now()).await
    {
        // §2.2: the status says everything
        Ok(()) => HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).finish(),
        Err(error) => token::refusal(&error),
    };
    token::share(&app, &request, &params, &mut response).await;
    response
}
