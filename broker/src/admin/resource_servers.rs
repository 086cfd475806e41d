//! `/resource-servers`

use actix_web::{HttpRequest, HttpResponse, web};
use homerealm_certs::JwsAlgorithm;
use serde_json::{Map, Value, json};
use url::Url;

use super::body;
use super::failure::Failure;
use super::fields::Fields;
use super::resource::{self, Shown};
use crate::app::App;
use crate::catalog::{Client, ClientAuthMethod, ResourceServer, Scope, SubjectType};
use crate::ids;
use crate::oauth::client_authentication::registered;
use crate::oauth::scope;

impl Shown for ResourceServer {
    fn view(&self, _app: &App) -> Value {
        resource::complete(writable(self), &self.id, (self.created_at, self.updated_at))
    }
}

/// `POST /resource-servers`
pub(super) async fn create(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Failure> {
    let now = app.now();
    let draft = read(&app, body::object(&request, &body)?).await?;
    let id = ids::id("api", app.random.as_ref());
    let server = ResourceServer { id, created_at: now, updated_at: now, ..draft };
    resource::create(&app, &request, &server, Map::new()).await
}

/// `PATCH /resource-servers/{id}`
pub(super) async fn update(
    app: web::Data<App>,
    id: web::Path<String>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Failure> {
    let (found, merged) = resource::patched(&app, &id, (&request, &body), writable).await?;
    let old: &ResourceServer = &found.object;
    let draft = read(&app, merged).await?;
    if draft.identifier != old.identifier {
        return Err(Failure::field("identifier", "cannot be changed"));
    }
    let new = ResourceServer { id: old.id.clone(), created_at: old.created_at, ..draft };
    resource::replace(&app, &request, &found, &new).await
}

/// Reads a POST body; id and times are the caller's.
async fn read(app: &App, object: Map<String, Value>) -> Result<ResourceServer, Failure> {
    let mut fields = Fields::new(object);
    let identifier = fields.parsed("identifier", |text| identifier(app, text));
    let identifier = fields.require("identifier", identifier);
    let name = fields.label("name");
    let scopes = read_scopes(&mut fields);
    let token_lifetime_seconds =
        fields.number("token_lifetime_seconds", 60..=86_400).unwrap_or(3600);
    let signing_alg =
        fields.choice("signing_alg", "ES256, RS256 or EdDSA").unwrap_or(JwsAlgorithm::Es256);
    let default = fields.flag("default").unwrap_or(false);
    let allowed_subject_types = read_subject_types(&mut fields);
    let introspection_clients = introspection_clients(app, &mut fields).await?;
    let errors = fields.finish();
    let Some(identifier) = identifier.filter(|_| errors.is_empty()) else {
        return Err(Failure::fields(errors));
    };
    let now = app.now();
    Ok(ResourceServer {
        id: String::new(),
        name: name.unwrap_or_else(|| identifier.clone()),
        identifier,
        scopes,
        token_lifetime_seconds,
        signing_alg,
        default,
        allowed_subject_types,
        introspection_clients,
        created_at: now,
        updated_at: now,
    })
}

/// RFC 8707 §2: an absolute URI without a fragment; and never our own issuer, which is the audience of `/userinfo`.
fn identifier(app: &App, text: String) -> Result<String, &'static str> {
    let url = Url::parse(&text)
        .map_err(|_| "must be an absolute URI, for example https://api.example")?;
    if url.fragment().is_some() || text.contains(char::is_whitespace) {
        return Err("must not hold a fragment or white space");
    }
    if text.trim_end_matches('/') == app.config.issuer.as_str() {
        return Err("must not be this broker's own address");
    }
    Ok(text)
}

/// An API that takes no tokens at all is none.
fn read_subject_types(fields: &mut Fields) -> Vec<SubjectType> {
    const FIELD: &str = "allowed_subject_types";
    let mut types = fields
        .choices(FIELD, "user and client")
        .unwrap_or_else(|| vec![SubjectType::User, SubjectType::Client]);
    if types.is_empty() {
        fields.refuse(FIELD, "must name user, client or both");
    }
    types.sort_unstable_by_key(|subject_type| *subject_type == SubjectType::Client);
    types.dedup();
    types
}

/// RFC 7662 §2.1: clients that authenticate.
async fn introspection_clients(app: &App, fields: &mut Fields) -> Result<Vec<String>, Failure> {
    let clients = fields.texts("introspection_clients").unwrap_or_default();
    for (place, id) in clients.iter().enumerate() {
        let client = registered(&app.catalog, id).await?;
        let proves = |c: &Client| c.token_endpoint_auth_method != ClientAuthMethod::None;
        if !client.is_some_and(|client| proves(&client)) {
            let why = format!("`{id}` is not a client that authenticates");
            fields.refuse(&format!("introspection_clients.{place}"), why);
        }
    }
    Ok(clients)
}

fn read_scopes(fields: &mut Fields) -> Vec<Scope> {
    let mut scopes: Vec<Scope> = Vec::new();
    for mut inner in fields.objects("scopes").unwrap_or_default() {
        let value = inner.parsed("value", scope_token);
        let value = inner.require("value", value);
        let description = inner.label("description");
        if let Some(value) = value {
            if scopes.iter().any(|s| s.value == value) {
                inner.refuse("value", "is listed twice");
            }
            scopes.push(Scope { value, description });
        }
        fields.absorb(inner);
    }
    scopes
}

/// RFC 6749 §3.3.
fn scope_token(text: String) -> Result<String, &'static str> {
    if scope::is_reserved(&text) {
        return Err("is reserved by OpenID Connect");
    }
    if text.len() > 128 || !scope::is_scope_token(&text) {
        return Err(
            "must be printable ASCII without spaces, quotes and backslashes, 128 characters at most",
        );
    }
    Ok(text)
}

fn writable(server: &ResourceServer) -> Map<String, Value> {
    body::members(json!({
        "identifier": server.identifier,
        "name": server.name,
        "scopes": server.scopes,
        "token_lifetime_seconds": server.token_lifetime_seconds,
        "signing_alg": server.signing_alg,
        "default": server.default,
        "allowed_subject_types": server.allowed_subject_types,
        "introspection_clients": server.introspection_clients,
    }))
}
