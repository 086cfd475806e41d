//! The management API `/api/v1`: one file a resource, handlers thin, every refusal a problem document.

mod access;
mod api_tokens;
mod auth;
mod author;
mod body;
mod caller;
mod client_grants;
mod clients;
mod connections;
mod consents;
mod delegated;
mod doctor;
mod domains;
mod failure;
mod fields;
mod identity_migrations;
mod invitations;
mod login_traces;
mod logs;
mod openapi;
mod organizations;
mod password_accounts;
pub mod registration;
mod registration_tokens;
mod resource;
mod resource_servers;
mod sessions;
mod signing_keys;
mod simulate;
#[cfg(test)]
mod tests;
mod token;
mod users;

use actix_web::http::StatusCode;
use actix_web::middleware::from_fn;
use actix_web::{Route, web};

use self::failure::Failure;
use self::resource::{Shown, delete, list, read};
use crate::catalog::{
    ApiToken, Client, ClientGrant, Connection, Invitation, Organization, PasswordAccount,
    RegistrationToken, ResourceServer, User,
};
use crate::http::body::METADATA_BYTES;

/// Every route of the management API, behind its bearer token.
pub fn routes(routes: &mut web::ServiceConfig) {
    let api = web::scope("/api/v1")
        .wrap(from_fn(auth::guard))
        .app_data(web::PayloadConfig::new(METADATA_BYTES))
        .app_data(web::QueryConfig::default().error_handler(|fault, _| {
            Failure::new(StatusCode::BAD_REQUEST, fault.to_string()).into()
        }))
        .configure(objects)
        .configure(delegation)
        .route("/clients/{id}/secrets", web::get().to(clients::secrets::list))
        .route("/clients/{id}/secrets", web::post().to(clients::secrets::create))
        .route("/clients/{id}/secrets/{secret}", web::delete().to(clients::secrets::delete))
        .route("/connections/{id}/metadata", web::put().to(connections::put_metadata))
        .route("/users/{id}/erase", web::post().to(users::erasure::erase))
        .route("/users/{id}/export", web::get().to(users::export::read))
        .route("/users/{id}/sessions", web::get().to(sessions::list))
        .route("/users/{id}/sessions", web::delete().to(sessions::end_all))
        .route("/users/{id}/sessions/{sid}", web::delete().to(sessions::end_one))
        .route("/metadata/inspect", web::post().to(connections::inspect))
        .service(
            web::resource("/registration-tokens")
                .route(web::get().to(list::<RegistrationToken>))
                .route(web::post().to(registration_tokens::create)),
        )
        .service(
            web::resource("/registration-tokens/{id}")
                .route(web::get().to(read::<RegistrationToken>))
                .route(web::delete().to(delete::<RegistrationToken>)),
        )
        .service(
            web::resource("/connections/{id}/migrations")
                .route(web::get().to(identity_migrations::list))
                .route(web::post().to(identity_migrations::create)),
        )
        .route(
            "/connections/{id}/migrations/{migration}",
            web::delete().to(identity_migrations::delete),
        )
        .service(
            web::resource("/invitations")
                .route(web::get().to(list::<Invitation>))
                .route(web::post().to(invitations::create)),
        )
        .service(
            web::resource("/invitations/{id}")
                .route(web::get().to(read::<Invitation>))
                .route(web::delete().to(delete::<Invitation>)),
        )
        .route("/users/{id}/consents", web::get().to(consents::list))
        .route("/users/{id}/consents/{client_id}", web::delete().to(consents::withdraw))
        .route("/login-traces", web::get().to(login_traces::list))
        .route("/login-traces/{id}", web::get().to(login_traces::read))
        .route("/doctor", web::get().to(doctor::examine))
        .route("/logs", web::get().to(logs::list))
        .route("/signing-keys", web::get().to(signing_keys::list))
        .route("/signing-keys/rotate", web::post().to(signing_keys::rotate))
        .route("/signing-keys/{id}/retire", web::post().to(signing_keys::retire))
        .route("/simulate/home-realm", web::post().to(simulate::home_realm));
    // what the API is, is no secret: tools read it before they have a token
    routes.route("/api/v1/openapi.json", web::get().to(openapi::document));
    routes.service(api);
    registration::routes(routes);
}

/// What can be created, listed, read, updated and deleted.
fn objects(api: &mut web::ServiceConfig) {
    kind::<Organization>(
        api,
        "/organizations",
        web::post().to(organizations::create),
        web::patch().to(organizations::update),
    );
    kind::<Connection>(
        api,
        "/connections",
        web::post().to(connections::create),
        web::patch().to(connections::update),
    );
    kind::<Client>(
        api,
        "/clients",
        web::post().to(clients::create),
        web::patch().to(clients::update),
    );
    kind::<ResourceServer>(
        api,
        "/resource-servers",
        web::post().to(resource_servers::create),
        web::patch().to(resource_servers::update),
    );
    kind::<ClientGrant>(
        api,
        "/client-grants",
        web::post().to(client_grants::create),
        web::patch().to(client_grants::update),
    );
    kind::<PasswordAccount>(
        api,
        "/password-accounts",
        web::post().to(password_accounts::create),
        web::patch().to(password_accounts::update),
    );
    kind::<User>(api, "/users", web::post().to(users::create), web::patch().to(users::update));
}

/// By what others than the operator come to use the API.
fn delegation(api: &mut web::ServiceConfig) {
    let tokens = web::resource("/api-tokens")
        .route(web::get().to(list::<ApiToken>))
        .route(web::post().to(api_tokens::create));
    let token = web::resource("/api-tokens/{id}")
        .route(web::get().to(read::<ApiToken>))
        .route(web::delete().to(delete::<ApiToken>));
    let all = web::resource("/organizations/{id}/domains")
        .route(web::get().to(domains::list))
        .route(web::post().to(domains::claim));
    let one = web::resource("/organizations/{id}/domains/{domain}")
        .route(web::get().to(domains::read))
        .route(web::delete().to(domains::delete));
    api.service(tokens)
        .service(token)
        .service(all)
        .service(one)
        .route("/organizations/{id}/domains/{domain}/verify", web::post().to(domains::verify))
        .route("/organizations/{id}/domains/{domain}/transfer", web::post().to(domains::transfer))
        .route("/clients/{id}/history", web::get().to(clients::history::list))
        .route("/clients/{id}/revert", web::post().to(clients::history::revert));
}

/// The five operations of one kind of object.
fn kind<T: Shown>(api: &mut web::ServiceConfig, path: &str, create: Route, update: Route) {
    let all = web::resource(path).route(web::get().to(list::<T>)).route(create);
    let one = web::resource(format!("{path}/{{id}}"))
        .route(web::get().to(read::<T>))
        .route(update)
        .route(web::delete().to(delete::<T>));
    api.service(all).service(one);
}
