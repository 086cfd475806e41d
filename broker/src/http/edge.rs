//! What every request passes first and every answer carries.

use actix_web::Error;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;

use super::{body, error};
use crate::app::App;
use crate::config::Issuer;

/// Bytes of all header names and values together.
const HEAD_BYTES: usize = 16 * 1024;
/// Bytes of the path and query.
const TARGET_BYTES: usize = 8 * 1024;

/// Pages that end in a redirect elsewhere send their own policy (RULES 30).
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// On every answer that does not say otherwise.
const ALWAYS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Middleware: refuses oversized heads and foreign hosts, gives the body a deadline, adds the headers.
///
/// # Errors
/// As the services below.
pub async fn guard<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let app = request.app_data::<Data<App>>();
    let issuer = app.map(|app| app.config.issuer.clone());
    let stopping = app.is_some_and(|app| app.is_stopping());
    let refusal = refuse(&request, issuer.as_ref());
    let mut response = match refusal {
        Some((status, text)) => {
            let refused = error::answer(request.path(), status, &text);
            request.into_response(refused).map_into_right_body()
        }
        None => {
            body::with_deadline(&mut request);
            let response = next.call(request).await?;
            match body::unread(&response) {
                Some(refused) => response.into_response(refused).map_into_right_body(),
                None => response.map_into_left_body(),
            }
        }
    };
    protect(response.headers_mut(), issuer.as_ref());
    if stopping {
        // whoever is in front opens its next connection elsewhere, instead of losing a request when this one ends
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    Ok(response)
}

fn refuse(request: &ServiceRequest, issuer: Option<&Issuer>) -> Option<(StatusCode, String)> {
    let head: usize = request.headers().iter().map(|(n, v)| n.as_str().len() + v.len()).sum();
    if head > HEAD_BYTES {
        let text = "The header is too large.".to_owned();
        return Some((StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, text));
    }
    if request.uri().path_and_query().is_some_and(|t| t.as_str().len() > TARGET_BYTES) {
        return Some((StatusCode::URI_TOO_LONG, "The address is too long.".to_owned()));
    }
    let issuer = issuer?;
    let probe = matches!(request.path(), "/healthz" | "/readyz");
    if !probe && !is_meant_for(request, issuer) {
        return Some((
            StatusCode::MISDIRECTED_REQUEST,
            format!("This broker answers at {issuer} only."),
        ));
    }
    None
}

/// RULES 37: on a developer's machine any web site can point a name at loopback; only our own name is answered.
fn is_meant_for(request: &ServiceRequest, issuer: &Issuer) -> bool {
    if issuer.is_https() {
        return true;
    }
    let named = request
        .uri()
        .authority()
        .map(|a| a.as_str())
        .or_else(|| request.headers().get(header::HOST).and_then(|host| host.to_str().ok()));
    named.is_some_and(|named| named.eq_ignore_ascii_case(issuer.authority()))
}

fn protect(headers: &mut HeaderMap, issuer: Option<&Issuer>) {
    for (name, value) in ALWAYS {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if issuer.is_some_and(Issuer::is_https) {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
}
