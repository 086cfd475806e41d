//! `/clients/{id}/secrets`: two live secrets at a time, so that one replaces the other without a break.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use serde_json::json;

use crate::admin::author;
use crate::admin::failure::Failure;
use crate::admin::resource;
use crate::app::App;
use crate::catalog::{Client, ClientSecret, Versioned};
use crate::ids;

/// Live secrets of one client.
const MOST: usize = 2;

/// `GET /clients/{id}/secrets`: which there are, without the secrets.
pub(in crate::admin) async fn list(
    app: web::Data<App>,
    id: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    let found = resource::find::<Client>(&app, &id).await?;
    let shown = |secret: &ClientSecret| json!({"id": secret.id(), "created_at": secret.created_at});
    let items: Vec<_> = found.object.secrets.iter().map(shown).collect();
    Ok(HttpResponse::Ok().json(json!({ "items": items })))
}

/// `POST /clients/{id}/secrets`: the secret is in this answer only; we keep its SHA-256.
pub(in crate::admin) async fn create(
    app: web::Data<App>,
    id: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let found = resource::find::<Client>(&app, &id).await?;
    if !found.object.token_endpoint_auth_method.is_by_secret() {
        return Err(conflict("The client authenticates by another method than a secret."));
    }
    if found.object.secrets.len() >= MOST {
        return Err(conflict(
            "The client has two secrets already; delete the one that is no longer used.",
        ));
    }
    let (secret, kept) = new(&app, app.now());
    let answer = json!({"id": kept.id(), "created_at": kept.created_at, "client_secret": secret});
    let mut secrets = found.object.secrets.clone();
    secrets.push(kept);
    change(&app, &request, &found, secrets).await?;
    Ok(HttpResponse::Created().json(answer))
}

/// `DELETE /clients/{id}/secrets/{secret}`
pub(in crate::admin) async fn delete(
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let (id, secret) = path.into_inner();
    let found = resource::find::<Client>(&app, &id).await?;
    let rest: Vec<_> = found.object.secrets.iter().filter(|s| s.id() != secret).cloned().collect();
    if rest.len() == found.object.secrets.len() {
        return Err(Failure::not_found("secret"));
    }
    if rest.is_empty() {
        return Err(conflict("It is the only one: make another first, or disable the client."));
    }
    change(&app, &request, &found, rest).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A secret, and what is kept of it.
pub(super) fn new(app: &App, now: DateTime<Utc>) -> (String, ClientSecret) {
    let secret = ids::secret(app.random.as_ref());
    let kept = ClientSecret { sha256: ids::sha256_hex(&secret), created_at: now };
    (secret, kept)
}

async fn change(
    app: &App,
    request: &HttpRequest,
    found: &Versioned<Client>,
    secrets: Vec<ClientSecret>,
) -> Result<(), Failure> {
    let new = Client { secrets, updated_at: app.now(), ..Client::clone(&found.object) };
    // two changes at once never lose one another
    let expected = Some(found.revision);
    app.catalog.audited(author::of(app, request)).update(&new, expected).await?;
    Ok(())
}

fn conflict(text: &str) -> Failure {
    Failure::new(StatusCode::CONFLICT, text)
}
