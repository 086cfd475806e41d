//! Reads the catalog for the home realm's facts.

use std::sync::Arc;

use super::failure::Failure;
use super::home_realm::{Asked, Asking, Candidate, EmailFact, Facts};
use super::standing;
use crate::app::App;
use crate::catalog::{Client, Connection, EmailAddress, Name, Organization};

/// What a client asks, and what is known of its user.
#[derive(Clone, Copy, Debug, Default)]
pub struct Question<'a> {
    /// The `connection` parameter: name or id.
    pub connection: Option<&'a str>,
    /// The `organization` parameter: name or id.
    pub organization: Option<&'a str>,
    /// The e-mail address, understood.
    pub email: Option<&'a EmailAddress>,
    /// The connection that the browser says it used last: a name, believed by nobody.
    pub remembered: Option<&'a str>,
}

/// All facts of a client that may have logins at all: how logins ask, and the simulation.
///
/// # Errors
/// As [`standing::client`].
pub async fn of_client(
    app: &App,
    client_id: &str,
    question: Question<'_>,
) -> Result<Facts, Failure> {
    gather(app, standing::client(app, client_id).await?, question).await
}

/// All facts for [`super::home_realm::decide`].
///
/// # Errors
/// The catalog is away.
pub async fn gather(
    app: &App,
    client: Arc<Client>,
    question: Question<'_>,
) -> Result<Facts, Failure> {
    Ok(Facts {
        otherwise: named(app, &client.home_realm.otherwise_connections).await?,
        client,
        connection: connection(app, question.connection).await?,
        organization: organization(app, question.organization).await?,
        email: email(app, question.email).await?,
        remembered: remembered(app, question.remembered).await?,
    })
}

async fn connection(app: &App, asked: Option<&str>) -> Result<Asked<Candidate>, Failure> {
    let Some(asked) = asked else { return Ok(Asked::Absent) };
    match app.catalog.get::<Connection>(asked).await? {
        Some(found) => Ok(Asked::Found(candidate(app, found.object).await?)),
        None => Ok(Asked::Unknown),
    }
}

/// Those that still exist.
async fn named(app: &App, names: &[Name]) -> Result<Vec<Candidate>, Failure> {
    let mut candidates = Vec::new();
    for name in names {
        if let Some(found) = app.catalog.get::<Connection>(name.as_str()).await? {
            candidates.push(candidate(app, found.object).await?);
        }
    }
    Ok(candidates)
}

async fn remembered(app: &App, name: Option<&str>) -> Result<Option<Candidate>, Failure> {
    let name = name.and_then(|name| Name::try_from(name.to_owned()).ok());
    Ok(named(app, name.as_slice()).await?.pop())
}

async fn organization(app: &App, asked: Option<&str>) -> Result<Asked<Asking>, Failure> {
    let Some(asked) = asked else { return Ok(Asked::Absent) };
    let Some(found) = app.catalog.get::<Organization>(asked).await? else {
        return Ok(Asked::Unknown);
    };
    let connections = app.catalog.connections_of_organization(&found.object.name).await?;
    Ok(Asked::Found(Asking { organization: found.object, connections }))
}

async fn email(app: &App, address: Option<&EmailAddress>) -> Result<EmailFact, Failure> {
    let Some(address) = address else { return Ok(EmailFact::Absent) };
    let mut candidates = Vec::new();
    for found in app.catalog.connections_for_domain(address.domain()).await? {
        candidates.push(candidate(app, found).await?);
    }
    Ok(EmailFact::Domain(candidates))
}

async fn candidate(app: &App, connection: Arc<Connection>) -> Result<Candidate, Failure> {
    let organization_enabled = match &connection.organization {
        None => true,
        Some(owner) => {
            let found = app.catalog.get::<Organization>(owner.as_str()).await?;
            found.is_some_and(|found| found.object.enabled)
        }
    };
    Ok(Candidate { connection, organization_enabled })
}
