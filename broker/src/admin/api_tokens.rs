//! `/api-tokens`: who may use the management API beside the holder of the bootstrap token.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::body;
use super::failure::Failure;
use super::fields::Fields;
use super::resource::{self, Shown};
use super::token;
use super::{author, caller};
use crate::app::App;
use crate::catalog::{ApiScope, ApiToken, CatalogError, Name, Organization};
use crate::ids;

/// A year and a day.
const LONGEST: TimeDelta = TimeDelta::days(366);
/// Tokens that made one another, in a row: each is asked for at every request.
const MOST_MAKERS: usize = 8;
/// Tokens that are read at once.
const PAGE: u32 = 200;
/// Actors that the audit log knows by these names already.
const RESERVED: [&str; 5] = ["bootstrap", "cli", "domains", "keys", "unknown"];

impl Shown for ApiToken {
    fn view(&self, _app: &App) -> Value {
        let scope = body::members(json!(self.scope));
        json!({
            "id": self.id,
            "name": self.name,
            "scope": scope.get("scope"),
            "organization": self.scope.organization(),
            "created_by": self.makers.last(),
            "expires_at": self.expires_at,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        })
    }

    /// What a token made ends with it. From its deletion on they open nothing, so this only clears them away.
    async fn ends(app: &App, request: &HttpRequest, old: &Self, new: Option<&Self>) {
        if new.is_none()
            && let Err(error) = delete_made_by(app, request, &old.id).await
        {
            tracing::warn!(%error, object.id = old.id, "tokens that it made are useless, but still listed");
        }
    }
}

/// `POST /api-tokens`: the token is in this answer only; we keep its SHA-256.
pub(super) async fn create(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Failure> {
    let mut fields = Fields::new(body::object(&request, &body)?);
    let now = app.now();
    let name = fields.parsed("name", name);
    let name = fields.require("name", name);
    let scope = read_scope(&app, &mut fields).await?;
    let expires_at = fields.parsed("expires_at", |text| end(&text, now));
    let expires_at = fields.require("expires_at", expires_at);
    let maker = caller::of(&request).ok_or_else(|| Failure::forbidden(Vec::new()))?.token;
    let makers = read_makers(&mut fields, maker.as_deref(), expires_at);
    let errors = fields.finish();
    let (Some(name), Some(scope), Some(expires_at), true) =
        (name, scope, expires_at, errors.is_empty())
    else {
        return Err(Failure::fields(errors));
    };
    let id = ids::id("apt", app.random.as_ref());
    let (token, token_sha256) = token::issue(&id, app.random.as_ref());
    let (created_at, updated_at) = (now, now);
    let kept =
        ApiToken { id, name, scope, makers, token_sha256, expires_at, created_at, updated_at };
    let once = Map::from_iter([("token".to_owned(), Value::String(token))]);
    resource::create(&app, &request, &kept, once).await
}

/// No token outlives the one that makes it.
fn read_makers(
    fields: &mut Fields,
    maker: Option<&ApiToken>,
    expires_at: Option<DateTime<Utc>>,
) -> Vec<String> {
    let Some(maker) = maker else { return Vec::new() };
    if expires_at.is_some_and(|end| end > maker.expires_at) {
        let end = maker.expires_at.to_rfc3339();
        fields.refuse("expires_at", format!("must not be after {end}, the end of your own token"));
    }
    if maker.makers.len() >= MOST_MAKERS {
        fields.refuse("name", "must be given by a token that is nearer to the bootstrap token");
    }
    maker.makers.iter().chain([&maker.id]).cloned().collect()
}

async fn delete_made_by(app: &App, request: &HttpRequest, id: &str) -> Result<(), CatalogError> {
    let mut cursor: Option<String> = None;
    loop {
        let page = app.catalog.list::<ApiToken>(PAGE, cursor.as_deref()).await?;
        for token in page.items.iter().filter(|token| token.makers.iter().any(|m| m == id)) {
            let audited = app.catalog.audited(author::of(app, request));
            match audited.delete::<ApiToken>(&token.id, None).await {
                Ok(()) | Err(CatalogError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Operator,
    Organization,
    ReadOnly,
}

/// `organization` goes with the scope of that name, and with no other.
async fn read_scope(app: &App, fields: &mut Fields) -> Result<Option<ApiScope>, Failure> {
    let kind = fields.choice::<Kind>("scope", "operator, organization or read_only");
    let kind = fields.require("scope", kind);
    let organization = fields.parsed("organization", Name::try_from);
    if let (Some(Kind::Operator | Kind::ReadOnly), Some(_)) = (&kind, &organization) {
        fields.refuse("organization", "is for the scope organization only");
    }
    let organization = match kind {
        None => return Ok(None),
        Some(Kind::Operator) => return Ok(Some(ApiScope::Operator)),
        Some(Kind::ReadOnly) => return Ok(Some(ApiScope::ReadOnly)),
        Some(Kind::Organization) => fields.require("organization", organization),
    };
    let Some(organization) = organization else { return Ok(None) };
    if app.catalog.get::<Organization>(organization.as_str()).await?.is_none() {
        fields.refuse("organization", "is not an organization");
    }
    Ok(Some(ApiScope::Organization { organization }))
}

fn name(text: String) -> Result<Name, String> {
    if RESERVED.contains(&text.as_str()) {
        return Err("is the name of another actor in the audit log".to_owned());
    }
    Name::try_from(text).map_err(|why| why.to_string())
}

fn end(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let end: DateTime<Utc> =
        text.parse().map_err(|_| "must be a time such as 2030-01-01T00:00:00Z".to_owned())?;
    if end <= now || end > now + LONGEST {
        return Err(format!("must be in the future, {} days ahead at most", LONGEST.num_days()));
    }
    Ok(end)
}
