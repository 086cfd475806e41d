//! The routes of the authorization server: thin, each hands over to `oauth` or `login`.

mod authorize;
mod consent;
mod consents;
mod cors;
mod device;
mod discovery;
mod introspect;
mod logout;
mod own_page;
mod par;
mod reply;
mod revoke;
#[cfg(test)]
mod sender_tests;
mod sessions;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;
mod token;
mod userinfo;

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use homerealm_certs::ClientCertificate;

use crate::app::App;
use crate::http::client_certificate;
use crate::oauth::dpop::{ProofHeader, nonce};
use crate::oauth::params::Params;
use crate::oauth::sender_constraint::Sender;
use crate::oauth::token::{Authorization, TokenRequest};

pub use reply::{answer, answered, login_error, trouble_page};

const DPOP: HeaderName = HeaderName::from_static("dpop");
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// A body of `/authorize` or `/oidc/logout`: an ID token as a hint may name many groups.
const AUTHORIZE_BYTES: usize = 32 * 1024;

/// Routes of DESIGN §3.3 that are the authorization server's.
pub fn routes(routes: &mut ServiceConfig) {
    routes
        .service(
            web::resource("/authorize")
                .app_data(web::PayloadConfig::new(AUTHORIZE_BYTES))
                .route(web::get().to(authorize::by_query))
                .route(web::post().to(authorize::by_form)),
        )
        .service(
            web::resource("/consent")
                .route(web::get().to(consent::show))
                .route(web::post().to(consent::decide)),
        )
        .service(
            web::resource("/consents")
                .route(web::get().to(consents::show))
                .route(web::post().to(consents::withdraw)),
        )
        .service(
            web::resource("/device")
                .route(web::get().to(device::show))
                .route(web::post().to(device::submit)),
        )
        .service(
            web::resource("/oauth/device/code")
                .route(web::post().to(device::authorize))
                .route(web::method(Method::OPTIONS).to(cors::preflight)),
        )
        .service(
            web::resource("/oidc/logout")
                .app_data(web::PayloadConfig::new(AUTHORIZE_BYTES))
                .route(web::get().to(logout::by_query))
                .route(web::post().to(logout::by_form)),
        )
        .service(
            web::resource("/sessions")
                .route(web::get().to(sessions::show))
                .route(web::post().to(sessions::end)),
        )
        .service(
            web::resource("/oauth/token")
                .route(web::post().to(token::token))
                .route(web::method(Method::OPTIONS).to(cors::preflight)),
        )
        .service(
            web::resource("/oauth/par")
                .route(web::post().to(par::push))
                .route(web::method(Method::OPTIONS).to(cors::preflight)),
        )
        .service(
            web::resource("/oauth/revoke")
                .route(web::post().to(revoke::revoke))
                .route(web::method(Method::OPTIONS).to(cors::preflight)),
        )
        .service(web::resource("/oauth/introspect").route(web::post().to(introspect::introspect)))
        .service(
            web::resource("/userinfo")
                .route(web::get().to(userinfo::by_header))
                .route(web::post().to(userinfo::by_header_or_form))
                .route(web::method(Method::OPTIONS).to(cors::preflight)),
        )
        .route(discovery::OPENID_PATH, web::get().to(discovery::discovery))
        .route(discovery::OAUTH_PATH, web::get().to(discovery::discovery))
        .route(discovery::JWKS_PATH, web::get().to(discovery::jwks));
}

/// What comes with a request of a client beside its body.
struct Came<'r> {
    request: &'r HttpRequest,
    certificate: Option<ClientCertificate>,
}

impl<'r> Came<'r> {
    fn with(app: &App, request: &'r HttpRequest) -> Self {
        let certificate = client_certificate::of(request, &app.config.client_certificates);
        Self { request, certificate }
    }

    fn token_request<'a>(&'a self, params: &'a Params) -> TokenRequest<'a> {
        let authorization = authorization(self.request).map(Authorization);
        TokenRequest { authorization, sender: self.sender(), params }
    }

    /// What tokens are bound to, or what bound ones are used with.
    fn sender(&self) -> Sender<'_> {
        let mut headers = self.request.headers().get_all(DPOP);
        let proof = match (headers.next(), headers.next()) {
            (None, _) => ProofHeader::Absent,
            (Some(only), None) => only.to_str().map_or(ProofHeader::Unusable, ProofHeader::One),
            (Some(_), Some(_)) => ProofHeader::Unusable,
        };
        Sender { proof, certificate: self.certificate.as_ref() }
    }
}

/// Whoever sends proofs gets a nonce for the next one with every answer (RFC 9449 §8.2).
fn add_nonce(app: &App, request: &HttpRequest, response: &mut HttpResponse) {
    if !request.headers().contains_key(DPOP) {
        return;
    }
    let nonce = nonce::issue(&app.sealer, app.now());
    if let Some(value) = nonce.and_then(|nonce| HeaderValue::try_from(nonce).ok()) {
        response.headers_mut().insert(DPOP_NONCE, value);
    }
}

/// The `Authorization` header. Two of them, or one that is not text, are not one that is absent: what comes back then
/// authenticates nobody.
fn authorization(request: &HttpRequest) -> Option<&str> {
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    match (headers.next(), headers.next()) {
        (None, _) => None,
        (Some(only), None) => Some(only.to_str().unwrap_or_default()),
        (Some(_), Some(_)) => Some(""),
    }
}
