//! Who may sign in through what, right now: asked at the start and again at the end of each login (DESIGN §5.2).

use std::sync::Arc;

use url::Url;

use super::access::{Closed, closed_between};
use super::failure::{Barred, Failure};
use super::request::AuthorizationRequest;
use crate::app::App;
use crate::catalog::{Client, Connection, Name, Organization};

/// A client, its connection and the connection's owner, all enabled and open to each other.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The client.
    pub client: Arc<Client>,
    /// The connection.
    pub connection: Arc<Connection>,
    /// The connection's owner.
    pub organization: Option<Arc<Organization>>,
}

/// The client, if it may have logins at all.
///
/// # Errors
/// [`Barred::Client`] or [`Barred::Organization`], or the catalog is away.
pub async fn client(app: &App, client_id: &str) -> Result<Arc<Client>, Failure> {
    let found = app.catalog.get::<Client>(client_id).await?.map(|found| found.object);
    let counts = |client: &Arc<Client>| client.enabled && is_admitted(app, client);
    let client = found.filter(counts).ok_or(Failure::Barred(Barred::Client))?;
    if let Some(name) = client.organization() {
        enabled_organization(app, name).await?;
    }
    Ok(client)
}

/// Whether a client may be one: one that is known by its own document only as long as the operator takes documents of its
/// host, for its organization. All others may.
pub fn is_admitted(app: &App, client: &Client) -> bool {
    if !is_address(&client.client_id) {
        return true;
    }
    app.config.client_id_documents.as_ref().is_some_and(|settings| {
        let address = Url::parse(&client.client_id);
        client.organization() == Some(&settings.organization)
            && address.is_ok_and(|address| settings.names(address.host_str()))
    })
}

/// Whether a `client_id` is the address of its client's document.
pub fn is_address(client_id: &str) -> bool {
    client_id.contains("://")
}

/// The client, if its answer may still go where it was to go: what it has given up since the request, somebody else may
/// hold (DESIGN §5, invariant 9).
///
/// # Errors
/// As [`client`], and [`Barred::RedirectUri`].
pub async fn answerable(app: &App, request: &AuthorizationRequest) -> Result<Arc<Client>, Failure> {
    let client = client(app, &request.client_id).await?;
    if request.redirect_uri().is_none_or(|uri| client.has_redirect_uri(uri)) {
        Ok(client)
    } else {
        Err(Failure::Barred(Barred::RedirectUri))
    }
}

/// Everything that a login rests on, as it is at its end.
///
/// # Errors
/// [`Failure::Barred`] with what is disabled, gone or closed, or the catalog is away.
pub async fn at_the_end(
    app: &App,
    client_id: &str,
    connection: &Name,
) -> Result<Standing, Failure> {
    let client = client(app, client_id).await?;
    let found = app.catalog.get::<Connection>(connection.as_str()).await?;
    let barred = |closed| Failure::Barred(Barred::Connection(closed));
    let connection = found.map(|found| found.object).ok_or(barred(Closed::Gone))?;
    if !connection.enabled {
        return Err(barred(Closed::Disabled));
    }
    if let Some(closed) = closed_between(&client, &connection) {
        return Err(barred(closed));
    }
    let organization = match &connection.organization {
        Some(owner) => Some(enabled_organization(app, owner).await?),
        None => None,
    };
    Ok(Standing { client, connection, organization })
}

/// An organization that exists and is enabled.
///
/// # Errors
/// [`Barred::Organization`], or the catalog is away.
pub async fn enabled_organization(app: &App, name: &Name) -> Result<Arc<Organization>, Failure> {
    let found = app.catalog.get::<Organization>(name.as_str()).await?;
    let organization = found.map(|found| found.object).filter(|o| o.enabled);
    organization.ok_or(Failure::Barred(Barred::Organization))
}
