//! Every address that the broker answers at, and the methods that it takes there. What is not in this table is not reachable.

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ResourceDef, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};

use super::error;

/// Says the same to everybody and changes nothing: only here is HEAD taken (RFC 9110 §9.3.2), never where a GET has effects.
const DOCUMENT: &[Method] = &[Method::GET, Method::HEAD];
const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];
const PUT: &[Method] = &[Method::PUT];
const DELETE: &[Method] = &[Method::DELETE];
const GET_POST: &[Method] = &[Method::GET, Method::POST];
const GET_DELETE: &[Method] = &[Method::GET, Method::DELETE];
const GET_PATCH_DELETE: &[Method] = &[Method::GET, Method::PATCH, Method::DELETE];
const GET_PUT_DELETE: &[Method] = &[Method::GET, Method::PUT, Method::DELETE];
/// Pages of clients may call these, after a preflight.
const POST_OPTIONS: &[Method] = &[Method::POST, Method::OPTIONS];
const GET_POST_OPTIONS: &[Method] = &[Method::GET, Method::POST, Method::OPTIONS];

/// Pattern and methods.
const ROUTES: &[(&str, &[Method])] = &[
    ("/healthz", DOCUMENT),
    ("/readyz", DOCUMENT),
    ("/assets/{name}", DOCUMENT),
    ("/login", GET_POST),
    ("/login/continue", GET),
    ("/login/password", GET_POST),
    ("/saml/{connection}/acs", POST),
    ("/saml/{connection}/metadata", DOCUMENT),
    ("/callback/{connection}", GET_POST),
    ("/home-realm", GET),
    ("/authorize", GET_POST),
    ("/consent", GET_POST),
    ("/consents", GET_POST),
    ("/device", GET_POST),
    ("/sessions", GET_POST),
    ("/oauth/device/code", POST_OPTIONS),
    ("/oauth/token", POST_OPTIONS),
    ("/oauth/par", POST_OPTIONS),
    ("/oauth/revoke", POST_OPTIONS),
    ("/oauth/introspect", POST),
    ("/oidc/logout", GET_POST),
    ("/oidc/register", POST),
    ("/oidc/register/{client_id}", GET_PUT_DELETE),
    ("/userinfo", GET_POST_OPTIONS),
    ("/.well-known/openid-configuration", DOCUMENT),
    ("/.well-known/oauth-authorization-server", DOCUMENT),
    ("/.well-known/jwks.json", DOCUMENT),
    ("/api/v1/openapi.json", DOCUMENT),
    ("/api/v1/organizations", GET_POST),
    ("/api/v1/organizations/{id}", GET_PATCH_DELETE),
    ("/api/v1/organizations/{id}/domains", GET_POST),
    ("/api/v1/organizations/{id}/domains/{domain}", GET_DELETE),
    ("/api/v1/organizations/{id}/domains/{domain}/verify", POST),
    ("/api/v1/organizations/{id}/domains/{domain}/transfer", POST),
    ("/api/v1/connections", GET_POST),
    ("/api/v1/connections/{id}", GET_PATCH_DELETE),
    ("/api/v1/connections/{id}/metadata", PUT),
    ("/api/v1/connections/{id}/migrations", GET_POST),
    ("/api/v1/connections/{id}/migrations/{migration}", DELETE),
    ("/api/v1/invitations", GET_POST),
    ("/api/v1/invitations/{id}", GET_DELETE),
    ("/api/v1/clients", GET_POST),
    ("/api/v1/clients/{id}", GET_PATCH_DELETE),
    ("/api/v1/clients/{id}/history", GET),
    ("/api/v1/clients/{id}/revert", POST),
    ("/api/v1/clients/{id}/secrets", GET_POST),
    ("/api/v1/clients/{id}/secrets/{secret}", DELETE),
    ("/api/v1/resource-servers", GET_POST),
    ("/api/v1/resource-servers/{id}", GET_PATCH_DELETE),
    ("/api/v1/client-grants", GET_POST),
    ("/api/v1/client-grants/{id}", GET_PATCH_DELETE),
    ("/api/v1/users", GET_POST),
    ("/api/v1/users/{id}", GET_PATCH_DELETE),
    ("/api/v1/users/{id}/erase", POST),
    ("/api/v1/users/{id}/export", GET),
    ("/api/v1/users/{id}/sessions", GET_DELETE),
    ("/api/v1/users/{id}/sessions/{sid}", DELETE),
    ("/api/v1/users/{id}/consents", GET),
    ("/api/v1/users/{id}/consents/{client_id}", DELETE),
    ("/api/v1/password-accounts", GET_POST),
    ("/api/v1/password-accounts/{id}", GET_PATCH_DELETE),
    ("/api/v1/registration-tokens", GET_POST),
    ("/api/v1/registration-tokens/{id}", GET_DELETE),
    ("/api/v1/api-tokens", GET_POST),
    ("/api/v1/api-tokens/{id}", GET_DELETE),
    ("/api/v1/metadata/inspect", POST),
    ("/api/v1/login-traces", GET),
    ("/api/v1/login-traces/{id}", GET),
    ("/api/v1/doctor", GET),
    ("/api/v1/logs", GET),
    ("/api/v1/signing-keys", GET),
    ("/api/v1/signing-keys/rotate", POST),
    ("/api/v1/signing-keys/{id}/retire", POST),
    ("/api/v1/simulate/home-realm", POST),
];

static KNOWN: LazyLock<Vec<(ResourceDef, &[Method])>> = LazyLock::new(|| {
    ROUTES.iter().map(|(pattern, methods)| (ResourceDef::new(*pattern), *methods)).collect()
});

/// All patterns, in the order of the table.
#[cfg(test)]
pub(super) fn patterns() -> impl Iterator<Item = &'static str> {
    ROUTES.iter().map(|(pattern, _)| *pattern)
}

/// Middleware: 404 where there is nothing, 405 with `Allow` (RFC 9110 §15.5.6) where there is something that does not take
/// the method. HEAD is answered as GET; the server leaves the body out.
///
/// # Errors
/// As the services below.
pub async fn gate<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    // what the router will look at: decoded, but for what would change the segments
    let path = request.match_info().unprocessed();
    let methods = KNOWN.iter().find(|(known, _)| known.is_match(path)).map(|(_, methods)| *methods);
    let refused = match methods {
        None => Some(error::nothing_at(request.path())),
        Some(methods) if !methods.contains(request.method()) => {
            Some(not_allowed(request.path(), methods))
        }
        Some(_) => None,
    };
    if let Some(refused) = refused {
        return Ok(request.into_response(refused).map_into_right_body());
    }
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    Ok(next.call(request).await?.map_into_left_body())
}

fn not_allowed(path: &str, methods: &[Method]) -> HttpResponse {
    let text = "This address does not take that method.";
    let mut response = error::answer(path, StatusCode::METHOD_NOT_ALLOWED, text);
    if let Ok(value) = HeaderValue::try_from(listed(methods)) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}

fn listed(methods: &[Method]) -> String {
    methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ")
}
