//! `/oidc/register`: clients that register themselves (RFC 7591) and manage what they registered (RFC 7592).
//!
//! Off unless `registration.enabled`. A client gets in with an initial access token of one organization, and is that
//! organization's third-party client: exact https callbacks, grants of users only, no API but by a grant of its own or the
//! default of third-party clients, both of which only somebody of ours makes. Its metadata is read by the rules of `/api/v1/clients`.

pub mod document;
mod metadata;
mod refusal;
mod token;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use self::refusal::Refusal;
use super::auth::bearer;
use super::clients::new_secret;
use super::token::is_of;
use super::{author, body};
use crate::app::App;
use crate::catalog::client::ClientRegistration;
use crate::catalog::{Actor, ActorKind, Author, Client, ClientAuthMethod, ClientGrant, Versioned};
use crate::ids;

/// `/oidc/register` and one address for each client that it made.
pub(super) fn routes(routes: &mut web::ServiceConfig) {
    routes.service(web::resource("/oidc/register").route(web::post().to(register))).service(
        web::resource("/oidc/register/{client_id}")
            .route(web::get().to(read))
            .route(web::put().to(replace))
            .route(web::delete().to(delete)),
    );
}

/// RFC 7591 §3.1.
async fn register(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    served(&app)?;
    let now = app.now();
    let presented = bearer(request.headers()).ok_or(Refusal::NoToken)?;
    let initial = token::find(&app, presented).await?;
    let asked = metadata::read(object(&request, &body)?)?;
    let draft = asked.into_draft(&app, &initial.organization).await?;
    let (id, secret) = (ids::id("tpc", app.random.as_ref()), new_secret(&app, &draft));
    let management = ids::secret(app.random.as_ref());
    let kept = secret.as_ref().map(|(_, kept)| kept.clone());
    let client = Client {
        registration: ClientRegistration {
            registration_token_sha256: Some(ids::sha256_hex(&management)),
            registered_with: Some(initial.id.clone()),
            document_until: None,
        },
        ..draft.into_client(id, kept.into_iter().collect(), now)
    };
    // a use is spent before anything is made
    token::spend(&app, &request, &initial).await?;
    let made = app.catalog.audited(by(&app, &request, &initial.id)).insert(&client).await?;
    tracing::info!(client.id = client.client_id, "a client registered itself");
    let secret = secret.map(|(secret, _)| secret);
    Ok(answer(&app, StatusCode::CREATED, &made, &management, secret))
}

/// RFC 7592 §2.1. The token stays as it is: an answer that is lost must not lock the client out.
async fn read(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Refusal> {
    let (found, presented) = own(&app, request.headers(), &id).await?;
    Ok(answer(&app, StatusCode::OK, &found, presented, None))
}

/// RFC 7592 §2.2: what is left out is gone; the token is a new one from then on.
async fn replace(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let (found, _) = own(&app, request.headers(), &id).await?;
    let old = found.object.as_ref();
    let asked = metadata::read_update(object(&request, &body)?, old)?;
    let draft = asked.into_draft_of(&app, old).await?;
    if !is_alike(draft.token_endpoint_auth_method, old.token_endpoint_auth_method) {
        return Err(Refusal::metadata(
            "token_endpoint_auth_method: a client keeps its secret, its keys or neither; register another",
        ));
    }
    let management = ids::secret(app.random.as_ref());
    let new = Client {
        updated_at: app.now(),
        registration: ClientRegistration {
            registration_token_sha256: Some(ids::sha256_hex(&management)),
            ..old.registration.clone()
        },
        ..draft.into_client(old.client_id.clone(), old.secrets.clone(), old.created_at)
    };
    let author = by(&app, &request, &old.client_id);
    let made = app.catalog.audited(author).update(&new, Some(found.revision)).await?;
    Ok(answer(&app, StatusCode::OK, &made, &management, None))
}

/// A secret is made at registration only, and no client becomes public.
fn is_alike(new: ClientAuthMethod, old: ClientAuthMethod) -> bool {
    let public = |method| method == ClientAuthMethod::None;
    new.is_by_secret() == old.is_by_secret() && public(new) == public(old)
}

/// RFC 7592 §2.3: its grants go with it, and everything that was issued to it counts no longer.
async fn delete(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse, Refusal> {
    let (found, _) = own(&app, request.headers(), &id).await?;
    let client_id = found.object.client_id.as_str();
    for grant in app.catalog.grants_of_client(client_id).await? {
        let author = by(&app, &request, client_id);
        app.catalog.audited(author).delete::<ClientGrant>(&grant.id, None).await?;
    }
    let author = by(&app, &request, client_id);
    app.catalog.audited(author).delete::<Client>(client_id, Some(found.revision)).await?;
    tracing::info!(client.id = client_id, "a client ended its registration");
    Ok(HttpResponse::NoContent().finish())
}

/// Off looks like not there.
fn served(app: &App) -> Result<(), Refusal> {
    if app.config.registration.enabled { Ok(()) } else { Err(Refusal::NotServed) }
}

/// The client that this registration token manages, and the token.
async fn own<'r>(
    app: &App,
    headers: &'r HeaderMap,
    client_id: &str,
) -> Result<(Versioned<Client>, &'r str), Refusal> {
    served(app)?;
    let presented = bearer(headers).ok_or(Refusal::NoToken)?;
    let found = app.catalog.get::<Client>(client_id).await?;
    let known =
        found.as_ref().and_then(|f| f.object.registration.registration_token_sha256.as_deref());
    let proven = is_of(presented, known);
    let found = found.filter(|_| proven).ok_or(Refusal::InvalidToken)?;
    token::organization_is_enabled(app, found.object.organization()).await?;
    if !found.object.enabled {
        return Err(Refusal::InvalidToken);
    }
    Ok((found, presented))
}

fn object(request: &HttpRequest, body: &web::Bytes) -> Result<Map<String, Value>, Refusal> {
    body::object(request, body).map_err(|failure| Refusal::of_body(&failure))
}

/// Who changes something, for the audit log: the initial access token, or the client itself.
fn by(app: &App, request: &HttpRequest, name: &str) -> Author {
    author::by(app, request, Actor::new(ActorKind::Registration, name))
}

/// RFC 7591 §3.2.1, RFC 7592 §3.
fn answer(
    app: &App,
    status: StatusCode,
    client: &Versioned<Client>,
    management: &str,
    secret: Option<String>,
) -> HttpResponse {
    let client = client.object.as_ref();
    let mut members = metadata::shown(client);
    let uri = app.config.issuer.url(&format!("/oidc/register/{}", client.client_id));
    members.extend(body::members(json!({
        "client_id": client.client_id,
        "client_id_issued_at": client.created_at.timestamp(),
        "registration_access_token": management,
        "registration_client_uri": uri.as_str(),
    })));
    if let Some(secret) = secret {
        members.insert("client_secret".to_owned(), Value::String(secret));
    }
    if !client.secrets.is_empty() {
        // RFC 7591 §3.2.1: 0 is never
        members.insert("client_secret_expires_at".to_owned(), json!(0));
    }
    HttpResponse::build(status)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::PRAGMA, "no-cache"))
        .json(members)
}
