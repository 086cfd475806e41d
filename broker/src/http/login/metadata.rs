//! `GET /saml/{connection}/metadata`: our SAML metadata for one connection.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::catalog::{Connection, ConnectionOptions};
use crate::http::error;
use crate::login::connectors::sp_metadata;

/// A disabled connection has metadata too: an IT admin needs it before the connection goes live.
pub(super) async fn show(app: Data<App>, request: HttpRequest, name: Path<String>) -> HttpResponse {
    let unavailable = || {
        let status = actix_web::http::StatusCode::SERVICE_UNAVAILABLE;
        error::answer(request.path(), status, "The database does not answer.")
    };
    let none = || {
        let status = actix_web::http::StatusCode::NOT_FOUND;
        error::answer(request.path(), status, "There is no SAML connection of this name.")
    };
    let found = match app.catalog.get::<Connection>(&name).await {
        Ok(found) => found.filter(|found| found.object.name.as_str() == name.as_str()),
        Err(_) => return unavailable(),
    };
    let Some(connection) = found.map(|found| found.object) else {
        return none();
    };
    let ConnectionOptions::Saml(options) = &connection.options else {
        return none();
    };
    match sp_metadata(&connection, options, app.surroundings()) {
        Ok(xml) => HttpResponse::Ok().content_type("application/samlmetadata+xml").body(xml),
        Err(problem) => {
            tracing::error!(connection.id = connection.id, %problem, "no SP metadata");
            let status = actix_web::http::StatusCode::INTERNAL_SERVER_ERROR;
            error::answer(request.path(), status, "This connection is not set up correctly.")
        }
    }
}
