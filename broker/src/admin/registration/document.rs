//! Clients whose identifier is the address of their own metadata (draft-ietf-oauth-client-id-metadata-document).
//!
//! Off unless the operator names an organization, whose third-party clients they are, and the hosts that are called. A
//! document is fetched when a login asks for it, kept for as long as it says within bounds, and read like any registration;
//! what is stricter: no secrets, and callbacks at the document's own origin only.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use homerealm_certs::strict_json;
use homerealm_connectors::http::Fetched;
use serde_json::{Map, Value};
use url::Url;

use super::metadata;
use super::refusal::Refusal;
use crate::app::App;
use crate::catalog::client::ClientRegistration;
use crate::catalog::{Actor, ActorKind, Author, CatalogError, Client, ClientAuthMethod, Versioned};
use crate::config::ClientIdDocuments;
use crate::ids;
use crate::login::{Browser, standing};
use crate::oauth::error::Trouble;

/// Why a client's document does not make it a client.
#[derive(Debug)]
pub enum DocumentError {
    /// It, or its address, is not as it must be; says what.
    Refused(String),
    /// Ours to mend.
    Trouble(Trouble),
}

/// Bytes of a document.
const LARGEST: usize = 5 * 1024;
/// Of an address.
const LONGEST: usize = 255;
/// However short the document says that it is valid.
const FLOOR: Duration = Duration::from_mins(5);
/// However long.
const CEILING: Duration = Duration::from_hours(24);
/// Where it does not say.
const USUAL: Duration = Duration::from_hours(1);
/// One address is called once in this time; meanwhile what is known of it still counts.
const BRAKE: TimeDelta = TimeDelta::seconds(1);
/// How long after its end a document still counts while it is fetched anew.
const OVERTIME: TimeDelta = TimeDelta::minutes(1);

/// Makes the client, or brings it up to date, where `client_id` is such an address; does nothing for all others.
///
/// # Errors
/// [`DocumentError`]; the client may not begin anything then.
pub async fn bring_up_to_date(
    app: &App,
    browser: &Browser,
    client_id: &str,
) -> Result<(), DocumentError> {
    if !standing::is_address(client_id) {
        return Ok(());
    }
    let Some(settings) = &app.config.client_id_documents else {
        return refuse("clients with an address as client_id are switched off");
    };
    let url = address(app, settings, client_id)?;
    let now = app.now();
    let known = app.catalog.get::<Client>(client_id).await?;
    let until = known.as_ref().and_then(|known| known.object.registration.document_until);
    if until.is_some_and(|until| now < until) {
        return Ok(());
    }
    let first = app.records.first_use("client-document", client_id, now + BRAKE, now);
    if !first.await.map_err(Trouble::from)? {
        let counts = until.is_some_and(|until| now < until + OVERTIME);
        return if counts { Ok(()) } else { refuse("the document was just asked for; try again") };
    }
    let fetched = app.outbound.get(&url, "application/json", LARGEST).await;
    let fetched = fetched.or_else(|e| refuse(&format!("the document was not received: {e}")))?;
    let client = read(app, settings, &url, &fetched, (known.as_ref(), now)).await?;
    let author = Author {
        id: ids::id("aud", app.random.as_ref()),
        actor: Actor::new(ActorKind::Registration, client_id),
        address: browser.address(),
        at: now,
    };
    let audited = app.catalog.audited(author);
    let written = match known {
        Some(known) => audited.update(&client, Some(known.revision)).await,
        None => audited.insert(&client).await,
    };
    match written {
        // another login was faster
        Ok(_) | Err(CatalogError::Stale | CatalogError::Conflict { .. }) => Ok(()),
        Err(CatalogError::Tombstoned { .. }) => refuse("the client was deleted here"),
        Err(other) => Err(other.into()),
    }
}

/// https with a path, and nothing else that could make two texts of one address; at a host that the operator named.
fn address(app: &App, settings: &ClientIdDocuments, client_id: &str) -> Result<Url, DocumentError> {
    let Ok(url) = Url::parse(client_id) else { return refuse("client_id is not an address") };
    let web = url.scheme() == "https" || (url.scheme() == "http" && app.config.upstream.allow_http);
    let plain = url.as_str() == client_id
        && client_id.len() <= LONGEST
        && url.path() != "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !web || !plain {
        return refuse("client_id must be https with a path, without query, fragment and user");
    }
    if settings.names(url.host_str()) {
        Ok(url)
    } else {
        refuse("client_id is at a host that is not in client_id_documents.hosts")
    }
}

fn life(fetched: &Fetched) -> Duration {
    fetched.max_age.unwrap_or(USUAL).clamp(FLOOR, CEILING)
}

async fn read(
    app: &App,
    settings: &ClientIdDocuments,
    url: &Url,
    fetched: &Fetched,
    (known, now): (Option<&Versioned<Client>>, DateTime<Utc>),
) -> Result<Client, DocumentError> {
    let mut document = object(fetched)?;
    if document.get("client_id").and_then(Value::as_str) != Some(url.as_str()) {
        return refuse("the document's client_id is not its address");
    }
    if ["client_secret", "client_secret_expires_at"].iter().any(|m| document.contains_key(*m)) {
        return refuse("the document holds a secret");
    }
    // RFC 7591 §2 would have a secret where it is left out
    document.entry("token_endpoint_auth_method").or_insert_with(|| "none".into());
    let asked = metadata::read(document)?;
    let draft = match known {
        Some(known) => asked.into_draft_of(app, &known.object).await?,
        None => asked.into_draft(app, &settings.organization).await?,
    };
    if draft.token_endpoint_auth_method != ClientAuthMethod::None {
        return refuse("token_endpoint_auth_method must be none");
    }
    let at = known.map_or(now, |known| known.object.created_at);
    let client = draft.into_client(url.as_str().to_owned(), Vec::new(), at);
    if !client.redirect_uris.iter().all(|uri| is_at(uri, url)) {
        return refuse("redirect_uris must be at the document's own host and port");
    }
    let registration = ClientRegistration {
        document_until: Some(now + life(fetched)),
        ..ClientRegistration::default()
    };
    Ok(Client { registration, updated_at: now, ..client })
}

fn object(fetched: &Fetched) -> Result<Map<String, Value>, DocumentError> {
    if fetched.status != 200 || !fetched.is_json() {
        return refuse("the document is not JSON with status 200");
    }
    match strict_json(&fetched.body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) | Err(_) => refuse("the document is not a JSON object"),
    }
}

/// Callbacks are https, and so is the document.
fn is_at(redirect_uri: &str, document: &Url) -> bool {
    Url::parse(redirect_uri).is_ok_and(|uri| {
        uri.host() == document.host()
            && uri.port_or_known_default() == document.port_or_known_default()
    })
}

fn refuse<T>(why: &str) -> Result<T, DocumentError> {
    Err(DocumentError::Refused(why.to_owned()))
}

impl From<Refusal> for DocumentError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Away(cause) => Self::Trouble(Trouble::Away(cause)),
            Refusal::Metadata(text) | Refusal::RedirectUri(text) => Self::Refused(text),
            other @ (Refusal::Body { .. }
            | Refusal::InvalidToken
            | Refusal::NoToken
            | Refusal::NotServed
            | Refusal::SoftwareStatement) => Self::Refused(other.to_string()),
        }
    }
}

impl From<CatalogError> for DocumentError {
    fn from(error: CatalogError) -> Self {
        Self::Trouble(error.into())
    }
}

impl From<Trouble> for DocumentError {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}
