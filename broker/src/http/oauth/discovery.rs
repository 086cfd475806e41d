//! Discovery and keys: public, cacheable, readable from any page.

use actix_web::http::header;
use actix_web::{HttpResponse, HttpResponseBuilder, web};

use crate::app::App;
use crate::oauth::discovery::Discovery;

pub(super) const OPENID_PATH: &str = "/.well-known/openid-configuration";
pub(super) const OAUTH_PATH: &str = "/.well-known/oauth-authorization-server";
pub(super) const JWKS_PATH: &str = "/.well-known/jwks.json";

/// A new key is published long before it signs, so that five minutes hide nothing.
const CACHING: &str = "public, max-age=300";

pub(super) async fn discovery(app: web::Data<App>) -> HttpResponse {
    cacheable().json(Discovery::new(&app.config.issuer).with(&app.config))
}

pub(super) async fn jwks(app: web::Data<App>) -> HttpResponse {
    cacheable().content_type("application/json").body(app.keys.current().jwks().to_owned())
}

fn cacheable() -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CACHE_CONTROL, CACHING))
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"));
    response
}
