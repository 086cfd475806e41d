//! Who may use the management API.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError, web};

use super::failure::Failure;
use crate::app::App;

/// Lets a request through only with the bootstrap token as a bearer token (RFC 6750 §2.1). Access tokens of our own and
/// cookies are never accepted here (RULES 35).
pub(super) async fn guard(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if is_operator(&request) {
        return next.call(request).await;
    }
    let refusal = Failure::new(
        StatusCode::UNAUTHORIZED,
        "Send the management API's token as `Authorization: Bearer …`.",
    );
    Ok(request.into_response(refusal.error_response()))
}

fn is_operator(request: &ServiceRequest) -> bool {
    let Some(app) = request.app_data::<web::Data<App>>() else { return false };
    bearer(request.headers()).is_some_and(|token| app.admin_token.is(token))
}

/// The token of `Authorization: Bearer …` (RFC 6750 §2.1).
pub(super) fn bearer(headers: &header::HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
