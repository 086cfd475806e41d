//! `/clients/{id}/history` and `/clients/{id}/revert`: what was changed of a client, and how to undo it.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::callbacks;
use crate::admin::body;
use crate::admin::caller::{self, Caller};
use crate::admin::failure::Failure;
use crate::admin::fields::Fields;
use crate::admin::resource::{self, Page};
use crate::app::App;
use crate::catalog::{Actor, AuditEntry, AuditFilter, Client, Resource as _};

/// `GET /clients/{id}/history`: its entries of the audit log, newest first.
pub(in crate::admin) async fn list(
    app: web::Data<App>,
    id: web::Path<String>,
    page: web::Query<Page>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let (limit, cursor) = page.bounds()?;
    let found = resource::find_own::<Client>(&app, &request, &id).await?;
    let caller = caller::of(&request).ok_or_else(|| Failure::forbidden(Vec::new()))?;
    let filter = AuditFilter {
        kind: Some(Client::KIND.to_owned()),
        object: Some(found.client_id.clone()),
        ..AuditFilter::default()
    };
    let listed = app.catalog.list_audit(&filter, limit, cursor).await?;
    let items: Vec<AuditEntry> =
        listed.items.into_iter().map(|entry| as_seen_by(&caller, entry)).collect();
    Ok(HttpResponse::Ok().json(json!({"items": items, "next": listed.next})))
}

/// `POST /clients/{id}/revert`: the callbacks that a change touched become what they were before it; later changes of the
/// same lists go with it.
pub(in crate::admin) async fn revert(
    app: web::Data<App>,
    id: web::Path<String>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Failure> {
    let mut fields = Fields::new(body::object(&request, &body)?);
    let found = resource::find_own::<Client>(&app, &request, &id).await?;
    let entry = fields.text("entry");
    let entry = fields.require("entry", entry);
    let errors = fields.finish();
    let Some(entry) = entry.filter(|_| errors.is_empty()) else {
        return Err(Failure::fields(errors));
    };
    let entry = app.catalog.audit_entry(&entry).await?;
    let of_client = |entry: &AuditEntry| {
        entry.object.kind == Client::KIND && entry.object.id == found.client_id
    };
    let patch = entry.filter(of_client).and_then(undoing);
    let patch = patch
        .ok_or_else(|| Failure::field("entry", "is not a change of this client's callbacks"))?;
    super::apply(&app, &request, &found, patch).await
}

/// A patch that undoes what a change did to callbacks; `None` where it did nothing to them.
fn undoing(entry: AuditEntry) -> Option<Map<String, Value>> {
    let (before, after) = (entry.before?, entry.after?);
    let mut patch = Map::new();
    for field in callbacks::OWN {
        let old = before.get(field).cloned().unwrap_or_else(|| json!([]));
        if Some(&old) != after.get(field) {
            patch.insert(field.to_owned(), old);
        }
    }
    (!patch.is_empty()).then_some(patch)
}

/// Who of the operator's did something, and from where, is nothing that a customer is told.
fn as_seen_by(caller: &Caller, entry: AuditEntry) -> AuditEntry {
    match caller.organization() {
        Some(own) if entry.actor.organization.as_ref() != Some(own) => {
            let actor = Actor::new(entry.actor.kind, "other");
            AuditEntry { actor, address: None, ..entry }
        }
        Some(_) | None => entry,
    }
}
