//! The routes of the authorization server: thin, each hands over to `oauth` or `login`.

mod authorize;
mod consent;
mod cors;
mod device;
mod discovery;
mod reply;
#[cfg(test)]
mod tests;
mod token;
mod userinfo;

use actix_web::HttpRequest;
use actix_web::http::{Method, header};
use actix_web::web::{self, ServiceConfig};

pub use reply::{answer, login_error, trouble_page};

/// A body of `/authorize` fits into a query.
const AUTHORIZE_BYTES: usize = 8 * 1024 - 64;

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
            web::resource("/oauth/token")
                .route(web::post().to(token::token))
                .route(web::method(Method::OPTIONS).to(cors::preflight)),
        )
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
