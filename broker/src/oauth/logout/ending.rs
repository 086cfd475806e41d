//! The end of sessions: out of the store first, then into the audit log, then to the clients.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde_json::json;
use url::Url;

use super::notifier::Telling;
use crate::app::App;
use crate::catalog::{Action, Actor, ActorKind, AuditObject, Author, Client};
use crate::ids;
use crate::login::session::{SsoSession, Written};
use crate::oauth::error::Trouble;

/// Who ends sessions, for the audit log.
#[derive(Clone, Debug)]
pub struct By {
    /// Who.
    pub actor: Actor,
    /// From where.
    pub address: Option<IpAddr>,
}

/// A session that has ended.
#[derive(Debug)]
pub struct Ended {
    /// What it was.
    pub session: SsoSession,
    /// Clients that are being told by a logout token.
    pub told: Vec<Telling>,
    /// What a page opens in frames to tell further ones.
    pub frames: Vec<Frame>,
    /// Names of the clients that registered no way to be told.
    pub silent: Vec<String>,
}

/// A client that is told by a frame (Front-Channel Logout §2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Frame {
    /// The client's name.
    pub client_name: String,
    /// With `iss` and `sid`.
    pub url: Url,
}

/// The kind of audit entries about sessions.
pub const SESSION: &str = "session";

/// Ends sessions and begins to tell their clients.
///
/// # Errors
/// [`Trouble`]; some may have ended then.
pub async fn end(
    app: &App,
    sessions: &[SsoSession],
    by: &By,
    now: DateTime<Utc>,
) -> Result<Vec<Ended>, Trouble> {
    let ended = app.sso_sessions().end(sessions).await?;
    let mut all = Vec::with_capacity(ended.len());
    for session in ended {
        all.push(tell(app, session, by, now).await);
    }
    Ok(all)
}

/// Ends every session of a user.
///
/// # Errors
/// [`Trouble`]; some may have ended then.
pub async fn end_all_of(
    app: &App,
    user_id: &str,
    by: &By,
    now: DateTime<Utc>,
) -> Result<Vec<Ended>, Trouble> {
    let sessions = app.sso_sessions().of_user(user_id).await?;
    end(app, &sessions, by, now).await
}

/// After a login took the place of another session: its clients are told, and so are those of a session too many. The login
/// stands whatever comes of that.
pub async fn after(app: &App, written: Written, now: DateTime<Utc>) {
    let mut ended = written.ended;
    if let Some(member) = written.let_go {
        match app.sso_sessions().end_let_go(member).await {
            Ok(session) => ended.extend(session),
            Err(error) => tracing::warn!(%error, "a session too many was not ended"),
        }
    }
    for session in ended {
        let by = By::user(&session.user_id, None);
        tell(app, session, &by, now).await;
    }
}

async fn tell(app: &App, session: SsoSession, by: &By, now: DateTime<Utc>) -> Ended {
    let author = by.author(app, now);
    let object = AuditObject {
        kind: SESSION.to_owned(),
        id: session.sid.clone(),
        name: session.sid.clone(),
    };
    let before = json!({"user_id": session.user_id, "connection": session.connection, "clients": session.clients});
    let entry = author.entry(Action::SignedOut, object, Some(before), None);
    if let Err(error) = app.catalog.record_audit(&entry).await {
        tracing::error!(%error, session.id = session.sid, "the end of a session is not in the audit log");
    }
    let mut ended = Ended { told: Vec::new(), frames: Vec::new(), silent: Vec::new(), session };
    for client_id in ended.session.clients.clone() {
        match app.catalog.get::<Client>(&client_id).await {
            Ok(Some(client)) => to_client(app, &client, &mut ended),
            Ok(None) => {}
            Err(error) => {
                tracing::error!(%error, client.id = client_id, session.id = ended.session.sid, "a client is not told of a logout");
            }
        }
    }
    ended
}

fn to_client(app: &App, client: &Client, ended: &mut Ended) {
    let name = client.client_name.clone();
    let wants = &client.session;
    if wants.backchannel_logout_uri.is_some() {
        ended.told.push(app.logout.tell(client, &ended.session));
    }
    if let Some(mut url) = wants.frontchannel_logout_uri.as_deref().and_then(|u| Url::parse(u).ok())
    {
        url.query_pairs_mut()
            .append_pair("iss", app.config.issuer.as_str())
            .append_pair("sid", &ended.session.sid);
        ended.frames.push(Frame { client_name: name, url });
    } else if wants.backchannel_logout_uri.is_none() {
        ended.silent.push(name);
    }
}

impl By {
    /// A user.
    pub fn user(user_id: &str, address: Option<IpAddr>) -> Self {
        Self { actor: Actor::new(ActorKind::User, user_id), address }
    }

    /// As the audit log names them.
    pub fn author(&self, app: &App, now: DateTime<Utc>) -> Author {
        Author {
            id: ids::id("aud", app.random.as_ref()),
            actor: self.actor.clone(),
            address: self.address,
            at: now,
        }
    }
}

impl From<&Author> for By {
    fn from(author: &Author) -> Self {
        Self { actor: author.actor.clone(), address: author.address }
    }
}
