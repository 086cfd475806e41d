//! `/doctor`: what is wrong, or about to be.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::failure::Failure;
use crate::app::App;
use crate::doctor;

/// Query.
#[derive(Debug, Deserialize)]
pub(super) struct Query {
    reach: Option<String>,
}

/// `GET /doctor`: calls on the identity providers too, unless `reach=false`.
pub(super) async fn examine(
    app: web::Data<App>,
    query: web::Query<Query>,
) -> Result<HttpResponse, Failure> {
    let reach = match query.reach.as_deref() {
        None | Some("true") => true,
        Some("false") => false,
        Some(_) => return Err(Failure::field("reach", "must be true or false")),
    };
    let findings = doctor::examine(&app, reach).await?;
    Ok(HttpResponse::Ok().json(json!({"items": findings, "next": null})))
}
