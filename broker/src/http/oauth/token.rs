//! `POST /oauth/token`.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};

use super::{Came, cors, reply};
use crate::app::App;
use crate::http::error;
use crate::http::limits::NoFailure;
use crate::oauth::client_authentication::registered;
use crate::oauth::params::Params;
use crate::oauth::token::{self, ErrorCode, TokenError};

pub(super) async fn token(app: web::Data<App>, request: HttpRequest, body: String) -> HttpResponse {
    let params = match form(&request, &body) {
        Ok(params) => params,
        Err(text) => return error::oauth(StatusCode::BAD_REQUEST, "invalid_request", Some(text)),
    };
    let mut response = match serve(&app, &request, &params).await {
        Ok(tokens) => tokens,
        Err(error) => refusal(&error),
    };
    share(&app, &request, &params, &mut response).await;
    response
}

/// What every answer of an endpoint for clients ends with: a nonce for who sends proofs, and whether the page may read it.
pub(super) async fn share(
    app: &App,
    request: &HttpRequest,
    params: &Params,
    response: &mut HttpResponse,
) {
    super::add_nonce(app, request, response);
    let client = match params.get("client_id") {
        Some(id) if request.headers().contains_key(header::ORIGIN) => {
            registered(&app.catalog, id).await.ok().flatten()
        }
        Some(_) | None => None,
    };
    cors::allow(request, client.as_deref(), response);
}

async fn serve(
    app: &App,
    request: &HttpRequest,
    params: &Params,
) -> Result<HttpResponse, TokenError> {
    let came = Came::with(app, request);
    let tokens = token::token(app, came.token_request(params), app.now()).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::PRAGMA, "no-cache"))
        .json(tokens))
}

/// The parameters of a form body, and of nothing else: a secret in the query is no secret (RFC 6749 §2.3.1).
pub(super) fn form(request: &HttpRequest, body: &str) -> Result<Params, &'static str> {
    if !request.content_type().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err("The body is application/x-www-form-urlencoded.");
    }
    Params::parse(body)
        .map_err(|_| "The body is not form-urlencoded UTF-8, or has too many parameters.")
}

/// RFC 6749 §5.2: 400, and 401 with a challenge for `invalid_client`.
pub(super) fn refusal(error: &TokenError) -> HttpResponse {
    match error {
        TokenError::Refused { code: ErrorCode::InvalidClient, description } => {
            let mut response =
                error::oauth(StatusCode::UNAUTHORIZED, "invalid_client", Some(description));
            let challenge = header::HeaderValue::from_static(r#"Basic realm="homerealm""#);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            response
        }
        TokenError::Refused { code, description } => {
            let mut response =
                error::oauth(StatusCode::BAD_REQUEST, code.as_str(), Some(description));
            let goes_on = [ErrorCode::AuthorizationPending, ErrorCode::UseDpopNonce];
            if goes_on.contains(code) {
                response.extensions_mut().insert(NoFailure);
            }
            response
        }
        TokenError::TooMany(too_many) => too_many.response("/oauth/token"),
        TokenError::Trouble(trouble) => reply::trouble(trouble),
    }
}
