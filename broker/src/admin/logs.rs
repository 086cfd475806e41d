//! `/logs`: the audit log.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;

use super::failure::Failure;
use super::resource::Page;
use crate::app::App;
use crate::catalog::AuditFilter;

/// Query of the list, beside `limit` and `cursor`.
#[derive(Debug, Deserialize)]
pub(super) struct Query {
    kind: Option<String>,
    object: Option<String>,
    actor: Option<String>,
    from: Option<String>,
    to: Option<String>,
}

/// `GET /logs`: newest first.
pub(super) async fn list(
    app: web::Data<App>,
    page: web::Query<Page>,
    query: web::Query<Query>,
) -> Result<HttpResponse, Failure> {
    let (limit, cursor) = page.bounds()?;
    let query = query.into_inner();
    let filter = AuditFilter {
        // `client-grants` and `client_grant` as well as `client grant`
        kind: query.kind.map(|kind| kind.replace(['-', '_'], " ")),
        object: query.object,
        actor: query.actor,
        from: time("from", query.from.as_deref())?,
        to: time("to", query.to.as_deref())?,
    };
    let listed = app.catalog.list_audit(&filter, limit, cursor).await?;
    Ok(HttpResponse::Ok().json(json!({"items": listed.items, "next": listed.next})))
}

fn time(field: &str, text: Option<&str>) -> Result<Option<DateTime<Utc>>, Failure> {
    let read = text.map(|text| text.parse::<DateTime<Utc>>()).transpose();
    read.map_err(|_| Failure::field(field, "must be a time such as 2030-01-01T00:00:00Z"))
}
