//! `/clients`

mod callbacks;
pub(super) mod draft;
pub(super) mod history;
mod home_realm;
mod keys;
pub(super) mod secrets;
mod session;
mod tokens;

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value};

use self::draft::{Draft, writable};
use super::failure::Failure;
use super::resource::{self, Shown};
use super::{body, delegated};
use crate::app::App;
use crate::catalog::{Client, ClientAuthMethod, ClientSecret, Name, Versioned};
use crate::ids;

impl Shown for Client {
    /// First-party clients are the operator's, also where they are tied to an organization.
    fn owner(&self) -> Option<&Name> {
        self.organization().filter(|_| self.is_third_party())
    }

    fn view(&self, _app: &App) -> Value {
        resource::complete(writable(self), &self.client_id, (self.created_at, self.updated_at))
    }
}

/// `POST /clients`: the secret is in this answer only; we keep its SHA-256.
pub(super) async fn create(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Failure> {
    let now = app.now();
    let draft = Draft::read(&app, body::object(&request, &body)?, None).await?;
    let prefix = if draft.kind.is_third_party() { "tpc" } else { "app" };
    let client_id = draft.client_id.clone().unwrap_or_else(|| ids::id(prefix, app.random.as_ref()));
    let mut once = Map::new();
    let mut secrets = Vec::new();
    if let Some((secret, kept)) = new_secret(&app, &draft) {
        secrets.push(kept);
        once.insert("client_secret".to_owned(), Value::String(secret));
    }
    let client = draft.into_client(client_id, secrets, now);
    resource::create(&app, &request, &client, once).await
}

/// A secret for a client that needs one, and what we keep of it.
pub(super) fn new_secret(app: &App, draft: &Draft) -> Option<(String, ClientSecret)> {
    draft.token_endpoint_auth_method.is_by_secret().then(|| secrets::new(app, app.now()))
}

/// `PATCH /clients/{id}`
pub(super) async fn update(
    app: web::Data<App>,
    id: web::Path<String>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Failure> {
    let patch = body::object(&request, &body)?;
    let found = resource::find_own::<Client>(&app, &request, &id).await?;
    apply(&app, &request, &found, patch).await
}

/// Merges a patch into a client, as far as the caller may.
async fn apply(
    app: &App,
    request: &HttpRequest,
    found: &Versioned<Client>,
    patch: Map<String, Value>,
) -> Result<HttpResponse, Failure> {
    let old = found.object.as_ref();
    let before = writable(old);
    let mut merged = before.clone();
    body::merge(&mut merged, patch);
    delegated::only_changes(request, &callbacks::OWN, &before, &merged)?;
    let draft = Draft::read(app, merged, old.connections.as_deref()).await?;
    let is_public = |method| method == ClientAuthMethod::None;
    for (field, same) in [
        ("client_id", draft.client_id.as_deref() == Some(&old.client_id)),
        ("first_party", draft.kind.is_third_party() == old.is_third_party()),
        ("organization", draft.kind.organization() == old.organization()),
        (
            "token_endpoint_auth_method",
            is_public(draft.token_endpoint_auth_method)
                == is_public(old.token_endpoint_auth_method),
        ),
    ] {
        if !same {
            return Err(Failure::field(field, "cannot be changed; create another client"));
        }
    }
    // secrets that cannot be used any more do not wait for the method to come back
    let by_secret = draft.token_endpoint_auth_method.is_by_secret();
    let secrets = if by_secret { old.secrets.clone() } else { Vec::new() };
    let new = draft.into_client(old.client_id.clone(), secrets, old.created_at);
    let registration = old.registration.clone();
    let new = Client { updated_at: app.now(), registration, ..new };
    callbacks::stay_within_domains(app, request, old, &new).await?;
    resource::replace(app, request, found, &new).await
}
