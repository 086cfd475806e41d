//! `POST /oauth/token`.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder, web};

use super::{Came, cors, reply};
use crate::app::App;
use crate::http::error;
use crate::http::limits::NoFailure;
use crate::oauth::client_authentication::registered;
use crate::oauth::params::Params;
use crate::oauth::token::{self, ErrorCode, TokenError, TokenRequest};

pub(super) async fn token(app: web::Data<App>, request: HttpRequest, body: String) -> HttpResponse {
    let tokens = async |asked: TokenRequest<'_>| {
        let tokens = token::token(&app, asked, app.now()).await?;
        Ok(uncached(StatusCode::OK).insert_header((header::PRAGMA, "no-cache")).json(tokens))
    };
    answered(&app, &request, &body, tokens).await
}

/// An endpoint that clients send a form to, and that their pages may read where their client is known.
pub(super) async fn answered(
    app: &App,
    request: &HttpRequest,
    body: &str,
    serve: impl AsyncFnOnce(TokenRequest<'_>) -> Result<HttpResponse, TokenError>,
) -> HttpResponse {
    let params = match form(request, body) {
        Ok(params) => params,
        Err(why) => return unreadable(why),
    };
    let came = Came::with(app, request);
    let served = serve(came.token_request(&params)).await;
    let mut response = served.unwrap_or_else(|error| refusal(&error));
    share(app, request, &params, &mut response).await;
    response
}

/// The beginning of an answer that is for its client alone.
pub(super) fn uncached(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    response
}

/// What every answer of an endpoint for clients ends with: a nonce for who sends proofs, and whether the page may read it.
async fn share(app: &App, request: &HttpRequest, params: &Params, response: &mut HttpResponse) {
    super::add_nonce(app, request, response);
    let client = match params.get("client_id") {
        Some(id) if request.headers().contains_key(header::ORIGIN) => {
            registered(&app.catalog, id).await.ok().flatten()
        }
        Some(_) | None => None,
    };
    cors::allow(request, client.as_deref(), response);
}

/// The answer to a body that [`form`] cannot read.
pub(super) fn unreadable(why: &str) -> HttpResponse {
    error::oauth(StatusCode::BAD_REQUEST, "invalid_request", Some(why))
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
