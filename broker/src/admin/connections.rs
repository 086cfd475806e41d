//! `/connections`

mod draft;
mod metadata_source;
mod oauth2;
mod oidc;
mod password;
mod saml;
mod view;

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Map;

use self::draft::{Draft, Kept};
use self::view::writable;
use super::failure::Failure;
use super::resource;
use super::{body, delegated};
use crate::app::App;
use crate::catalog::{Connection, ConnectionOptions};
use crate::ids;

/// `POST /connections`
pub(super) async fn create(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Failure> {
    let object = body::object(&request, &body)?;
    let id = ids::id("con", app.random.as_ref());
    let connection = Draft::read(&app, id, object, None).await?;
    resource::create(&app, &request, &connection, Map::new()).await
}

/// `PATCH /connections/{id}`: options merge too; secrets that are left out are kept.
pub(super) async fn update(
    app: web::Data<App>,
    id: web::Path<String>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Failure> {
    let patch = body::object(&request, &body)?;
    let found = resource::find_own::<Connection>(&app, &request, &id).await?;
    let old = found.object.as_ref();
    let before = writable(old);
    let mut merged = before.clone();
    let kept = Kept::new(old, &patch);
    metadata_source::prefer_the_patch(&mut merged, &patch);
    body::merge(&mut merged, patch);
    delegated::only_changes(&request, &OWN, &before, &merged)?;
    let draft = Draft::read(&app, old.id.clone(), merged, Some(&kept)).await?;
    let same_strategy = draft.strategy() == old.strategy();
    for (field, same) in [("name", draft.name == old.name), ("strategy", same_strategy)] {
        if !same {
            return Err(Failure::field(field, "cannot be changed; create another connection"));
        }
    }
    if draft.organization != old.organization {
        return Err(Failure::field("organization", "cannot be changed; create another connection"));
    }
    let new = Connection { created_at: old.created_at, ..draft };
    resource::replace(&app, &request, &found, &new).await
}

/// What an organization's token may change of its own connection: how it is called, and what its IdP renews.
const OWN: [&str; 4] =
    ["display_name", "options.metadata_xml", "options.metadata_url", "options.client_secret"];

/// `PUT /connections/{id}/metadata`: takes the IdP's metadata as XML and answers what it says.
pub(super) async fn put_metadata(
    app: web::Data<App>,
    id: web::Path<String>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Failure> {
    let found = resource::find_own::<Connection>(&app, &request, &id).await?;
    let old = found.object.as_ref();
    let ConnectionOptions::Saml(options) = &old.options else {
        return Err(Failure::field("strategy", "is not saml: this connection has no metadata"));
    };
    let allow_http = app.config.upstream.allow_http;
    let mut metadata = metadata_source::checked(&body, allow_http, app.now())
        .map_err(|why| Failure::field("metadata", why))?;
    let before = saml::entity_id(&options.metadata_xml, app.now());
    if before.as_deref().is_some_and(|b| b != metadata.entity_id.as_str()) {
        metadata.warnings.push(format!(
            "the entity id was {} before: users are known by issuer and subject, so everyone who signed in before becomes \
             a new user",
            before.unwrap_or_default()
        ));
    }
    let mut new = old.clone();
    let mut options = options.as_ref().clone();
    options.metadata_xml = metadata_source::text(&body);
    options.metadata_url = None;
    new.options = ConnectionOptions::Saml(Box::new(options));
    new.updated_at = app.now();
    resource::replace(&app, &request, &found, &new).await?;
    Ok(HttpResponse::Ok().json(metadata.to_json()))
}

/// The one issuer or entity id whose users come by a connection; `None` where it takes several.
pub(super) fn issuer_of(app: &App, connection: &Connection) -> Option<String> {
    match &connection.options {
        ConnectionOptions::OAuth2(options) => options.server(),
        ConnectionOptions::Oidc(options) => options.issuer.clone(),
        ConnectionOptions::Password(_) => Some(app.config.issuer.as_str().to_owned()),
        ConnectionOptions::Saml(options) => saml::entity_id(&options.metadata_xml, app.now()),
    }
}

/// `POST /metadata/inspect`: what it says, saves nothing.
pub(super) async fn inspect(
    app: web::Data<App>,
    body: web::Bytes,
) -> Result<HttpResponse, Failure> {
    let now = app.now();
    let metadata =
        metadata_source::read(&body, now).map_err(|why| Failure::field("metadata", why))?;
    Ok(HttpResponse::Ok().json(metadata.to_json()))
}
