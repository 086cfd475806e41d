//! `/signing-keys`: what we sign with, never the private part.

use actix_web::{HttpResponse, web};
use homerealm_certs::KeyState;
use serde_json::{Value, json};

use crate::app::App;

/// `GET /signing-keys`: every published key and its state.
pub(super) async fn list(app: web::Data<App>) -> HttpResponse {
    let keys = app.keys.current();
    let items: Vec<Value> = keys
        .iter()
        .map(|(state, key)| {
            json!({
                "id": key.kid(),
                "kid": key.kid(),
                "alg": key.algorithm().as_str(),
                "state": match state {
                    KeyState::Next => "next",
                    KeyState::Active => "active",
                    KeyState::Retiring => "retiring",
                },
                "public_jwk": key.public_jwk(),
            })
        })
        .collect();
    HttpResponse::Ok().json(json!({"items": items, "next": null}))
}
