//! `/signing-keys`: what we sign with, never the private part.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use homerealm_certs::{JwsAlgorithm, KeySet, KeyState};
use serde_json::{Value, json};

use super::author;
use super::body;
use super::failure::Failure;
use super::fields::Fields;
use crate::app::App;
use crate::catalog::CatalogError;
use crate::keys::{KeyInfo, KeyRingError};

/// `GET /signing-keys`: every published key and its state.
pub(super) async fn list(app: web::Data<App>) -> Result<HttpResponse, Failure> {
    let stored = app.keys.list().await?;
    let keys = app.keys.current();
    let items: Vec<Value> = stored.iter().map(|info| view(info, &keys)).collect();
    Ok(HttpResponse::Ok().json(json!({"items": items, "next": null})))
}

/// `POST /signing-keys/rotate`: the next key of an algorithm signs from now on, if it has been published for a day, or with
/// `now` in any case.
pub(super) async fn rotate(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Failure> {
    let mut fields = Fields::new(body::object(&request, &body)?);
    let algorithm = fields.choice::<JwsAlgorithm>("alg", "ES256, RS256 or EdDSA");
    let algorithm = fields.require("alg", algorithm);
    let at_once = fields.flag("now").unwrap_or(false);
    let errors = fields.finish();
    let Some(algorithm) = algorithm.filter(|_| errors.is_empty()) else {
        return Err(Failure::fields(errors));
    };
    let author = Some(author::of(&app, &request));
    if at_once {
        app.keys.rotate(algorithm, app.now(), author).await?;
    } else {
        app.keys.rotate_published(algorithm, app.now(), author).await?;
    }
    list(app).await
}

/// `POST /signing-keys/{kid}/retire`: what a retiring key signed is refused from now on.
pub(super) async fn retire(
    app: web::Data<App>,
    kid: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    app.keys.retire(&kid, Some(author::of(&app, &request))).await?;
    list(app).await
}

fn view(info: &KeyInfo, keys: &KeySet) -> Value {
    json!({
        "id": info.kid,
        "kid": info.kid,
        "alg": info.algorithm.as_str(),
        "state": match info.state {
            KeyState::Next => "next",
            KeyState::Active => "active",
            KeyState::Retiring => "retiring",
        },
        "since": info.since,
        "public_jwk": keys.by_kid(&info.kid).map(|key| key.public_jwk()),
    })
}

impl From<KeyRingError> for Failure {
    fn from(error: KeyRingError) -> Self {
        match error {
            KeyRingError::Catalog(CatalogError::NotFound) => {
                Self::not_found("retiring signing key")
            }
            KeyRingError::Catalog(error) => error.into(),
            too_new @ KeyRingError::TooNew { .. } => Self::new(
                StatusCode::CONFLICT,
                format!("{too_new}. Where it cannot wait, say `\"now\": true` (`--now`)."),
            ),
            other @ (KeyRingError::Key(_)
            | KeyRingError::KeySet(_)
            | KeyRingError::OtherKey { .. }
            | KeyRingError::Seal { .. }
            | KeyRingError::Stopped) => Self::internal("changing a signing key", &other),
        }
    }
}
