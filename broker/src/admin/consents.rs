//! `/users/{id}/consents`: what a user allows third-party clients, and ending it.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::author;
use super::failure::Failure;
use super::resource;
use crate::app::App;
use crate::catalog::{CatalogError, Client, Consent, User};
use crate::oauth::consent::{Allowed, allowed};

/// `GET /users/{id}/consents`
pub(super) async fn list(
    app: web::Data<App>,
    id: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    let user = resource::find::<User>(&app, &id).await?;
    let items = of(&app, &user.object.id).await?;
    Ok(HttpResponse::Ok().json(json!({"items": items, "next": null})))
}

/// Everything that a user allows.
pub(super) async fn of(app: &App, user_id: &str) -> Result<Vec<Value>, Failure> {
    let mut items = Vec::new();
    for consent in app.catalog.consents_of(user_id).await? {
        let client = app.catalog.get::<Client>(&consent.client_id).await?;
        let name = client.as_ref().map(|client| client.object.client_name.as_str());
        let by_organization = allowed(&consent.scopes);
        items.extend(by_organization.into_iter().map(|part| view(&consent, part, name)));
    }
    Ok(items)
}

/// `DELETE /users/{id}/consents/{client_id}`: the client's refresh tokens for this user end with it.
pub(super) async fn withdraw(
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let (id, client_id) = path.into_inner();
    let user = resource::find::<User>(&app, &id).await?;
    let audited = app.catalog.audited(author::of(&app, &request));
    match audited.withdraw_consent(&user.object.id, &client_id).await {
        Ok(()) => Ok(HttpResponse::NoContent().finish()),
        Err(CatalogError::NotFound) => Err(Failure::not_found("consent")),
        Err(other) => Err(other.into()),
    }
}

fn view(
    consent: &Consent,
    (organization, allowed): (Option<&str>, Allowed<'_>),
    client_name: Option<&str>,
) -> Value {
    let Allowed { scopes, apis } = allowed;
    let apis: Vec<Value> = apis
        .into_iter()
        .map(|(audience, scopes)| json!({"audience": audience, "scopes": scopes}))
        .collect();
    let members: Map<String, Value> = super::body::members(json!({
        "client_id": consent.client_id,
        "client_name": client_name,
        "organization": organization,
        "scopes": scopes,
        "apis": apis,
        "since": consent.since,
    }));
    Value::Object(members)
}
