//! `/login-traces`: what happened in each login.

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::failure::Failure;
use super::resource::Page;
use crate::app::App;

/// `GET /login-traces`: newest first.
pub(super) async fn list(
    app: web::Data<App>,
    page: web::Query<Page>,
) -> Result<HttpResponse, Failure> {
    let (limit, cursor) = page.bounds()?;
    let listed = app.catalog.list_traces(limit, cursor).await?;
    Ok(HttpResponse::Ok().json(json!({"items": listed.items, "next": listed.next})))
}

/// `GET /login-traces/{id}`: by id or by the reference that the user read out.
pub(super) async fn read(
    app: web::Data<App>,
    id: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    let found = app.catalog.trace(&id).await?;
    let trace = found.ok_or_else(|| Failure::not_found("login trace"))?;
    Ok(HttpResponse::Ok().json(trace))
}
