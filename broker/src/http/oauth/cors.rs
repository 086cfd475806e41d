//! Cross-origin reading of `/oauth/token`, `/oauth/revoke` and `/userinfo`: by the pages of the client that the answer is for, no others.

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};

use crate::catalog::Client;
use crate::oauth::origins;

/// Seconds that a browser may remember the preflight's answer.
const PREFLIGHT_SECONDS: &str = "600";

/// What a page must read of an answer beside its body (RFC 9449 §8.1).
const EXPOSED: &str = "dpop-nonce, www-authenticate";

/// A preflight names no client, so it promises nothing: whether the page may read the answer is decided with the answer.
/// No cookie is ever involved.
pub(super) async fn preflight(request: HttpRequest) -> HttpResponse {
    let mut response = HttpResponse::NoContent();
    if let Some(origin) = request.headers().get(header::ORIGIN) {
        response
            .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()))
            .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"))
            .insert_header((
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                "authorization, content-type, dpop",
            ))
            .insert_header((header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS))
            .insert_header((header::VARY, "Origin"));
    }
    response.finish()
}

/// Lets any page read a refusal that says nothing about anybody: whose token it was may not be known.
pub(super) fn allow_refusal(request: &HttpRequest, response: &mut HttpResponse) {
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = request.headers().get(header::ORIGIN) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }
}

/// Lets the requesting page read the answer if it is one of the client's.
pub(super) fn allow(request: &HttpRequest, client: Option<&Client>, response: &mut HttpResponse) {
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = request.headers().get(header::ORIGIN) else { return };
    let is_own = |text: &str| client.is_some_and(|client| origins::is_of_client(client, text));
    if origin.to_str().is_ok_and(is_own) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }
}
