//! Handlers of a login: thin; what they do is in [`crate::login`].

pub mod answer;
pub mod browser;
mod fields;
mod finish;
mod form;
mod home_realm;
mod metadata;
mod page;
mod password;
#[cfg(test)]
pub(crate) mod tests;
mod upstream;

use actix_web::web;

use super::body;

/// `/login`, `/login/continue`, `/saml/…`, `/callback/…`, `/home-realm`.
pub(super) fn routes(routes: &mut web::ServiceConfig) {
    routes
        .service(
            web::resource("/login")
                .route(web::get().to(page::show))
                .route(web::post().to(page::submit)),
        )
        .route("/login/continue", web::get().to(finish::show))
        .service(
            web::resource("/login/password")
                .route(web::get().to(password::show))
                .route(web::post().to(password::submit)),
        )
        .service(
            web::resource("/saml/{connection}/acs")
                .app_data(body::form(body::SAML_FORM_BYTES))
                .route(web::post().to(upstream::acs)),
        )
        .route("/saml/{connection}/metadata", web::get().to(metadata::show))
        .service(
            web::resource("/callback/{connection}")
                .route(web::get().to(upstream::callback))
                .route(web::post().to(upstream::form_post)),
        )
        .route("/home-realm", web::get().to(home_realm::show));
}
