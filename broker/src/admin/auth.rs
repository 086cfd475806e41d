//! Who may use the management API.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, ResponseError, web};

use super::caller::Caller;
use super::failure::Failure;
use super::{access, caller};
use crate::app::App;

/// Lets a request through only with the bootstrap token or a live API token as a bearer token (RFC 6750 §2.1), and only to
/// what that is good for. Access tokens of our own and cookies are never accepted here (RULES 35).
pub(super) async fn guard(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match admit(&request).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.call(request).await
        }
        Err(refusal) => Ok(request.into_response(refusal.error_response())),
    }
}

async fn admit(request: &ServiceRequest) -> Result<Caller, Failure> {
    let no_token = || {
        let text = "Send the management API's token as `Authorization: Bearer …`.";
        Failure::new(StatusCode::UNAUTHORIZED, text)
    };
    let app = request.app_data::<web::Data<App>>().ok_or_else(no_token)?;
    let caller = caller::identify(app, request.headers(), app.now()).await?;
    let caller = caller.ok_or_else(no_token)?;
    if access::allows(&caller.scope, request.method(), request.match_info().as_str()) {
        return Ok(caller);
    }
    tracing::info!(api_token.name = caller.actor.name, "beyond what the token is good for");
    Err(Failure::forbidden(Vec::new()))
}

/// The token of `Authorization: Bearer …` (RFC 6750 §2.1).
pub(super) fn bearer(headers: &header::HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
