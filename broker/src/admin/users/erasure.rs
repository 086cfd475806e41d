//! `POST /users/{id}/erase`: deletes a user and what else is known of them (Regulation (EU) 2016/679, Article 17).

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use crate::admin::failure::Failure;
use crate::admin::{author, sessions};
use crate::app::App;
use crate::catalog::{CatalogError, User};

/// The user goes first, so that nothing lets them in while the rest is looked for; where that is broken off it can be asked for
/// again.
pub(in crate::admin) async fn erase(
    app: web::Data<App>,
    id: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    match app.catalog.audited(author::of(&app, &request)).delete::<User>(&id, None).await {
        Ok(()) => tracing::info!(object.kind = "user", object.id = %id, "erased"),
        Err(CatalogError::NotFound) if app.catalog.was_deleted::<User>(&id).await? => {}
        Err(CatalogError::NotFound) => return Err(Failure::not_found("user")),
        Err(other) => return Err(other.into()),
    }
    sessions::end_all_of(&app, &request, &id).await;
    let erased = app.catalog.erase_traces_of(&id).await?;
    Ok(HttpResponse::Ok().json(json!({
        "user": *id,
        "audit_entries": erased.audit_entries,
        "login_traces": erased.login_traces,
    })))
}
