//! The single sign-on session of a browser: what a login established, for the next client too.
//!
//! Its record stands under its public id, which clients know as `sid`. The browser's cookie holds that id and a secret of
//! 256 bits, of which the record has the SHA-256; every login makes a new secret, so that a planted cookie never becomes
//! somebody's session.

mod cookie;
#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;
mod write;

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use homerealm_connectors::assertion::Subject;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

pub use cookie::SessionCookie;
pub use write::{SessionWrite, Written};

use crate::catalog::{Identity, Name, NormalizedClaims};
use crate::config::Session as Lifetimes;
use crate::ids;
use crate::sessions::record::{Batch, Record, Records, Stored, Ticket};
use crate::sessions::{Member, StoreError};

/// Kind of the index of a user's sessions.
const OF_USER: &str = "sso-user";

/// What is remembered of a browser that signed in.
#[derive(Clone, Deserialize, Serialize)]
pub struct SsoSession {
    /// Public and stable: `sid` in ID tokens and logout tokens.
    pub sid: String,
    /// SHA-256 of the cookie's secret, hexadecimal.
    secret: String,
    /// Local subject.
    pub user_id: String,
    /// The connection that they came by.
    pub connection: Name,
    /// The organization that they signed in to.
    pub organization: Option<Name>,
    /// When the user authenticated, if that is known.
    pub auth_time: Option<DateTime<Utc>>,
    /// Authentication context, if the connection's table has it.
    pub acr: Option<String>,
    /// Authentication methods, likewise.
    pub amr: Vec<String>,
    /// Claims of the login.
    pub claims: NormalizedClaims,
    /// The session at the IdP.
    pub upstream: UpstreamSession,
    /// Clients that got a code in it, in the order of their first one.
    pub clients: Vec<String>,
    /// When the IdP's answer came.
    pub signed_in_at: DateTime<Utc>,
    /// When it served a client last.
    pub used_at: DateTime<Utc>,
    /// When it ends, however much it is used.
    pub ends_at: DateTime<Utc>,
}

/// The session at the IdP, for its logout.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct UpstreamSession {
    /// OIDC issuer or SAML entity id.
    pub issuer: String,
    /// The user as the IdP names them.
    pub subject: Subject,
    /// SAML SessionIndex or OIDC `sid`.
    pub session_index: Option<String>,
    /// SAML SessionNotOnOrAfter.
    pub ends_at: Option<DateTime<Utc>>,
}

/// The sessions in the store, at one moment.
#[derive(Clone, Copy, Debug)]
pub struct SsoSessions<'a> {
    records: &'a Records,
    lifetimes: Lifetimes,
    now: DateTime<Utc>,
}

/// A session as it was read, with what changing it compares against.
#[derive(Debug)]
pub struct LiveSession {
    /// What was read.
    pub session: SsoSession,
    stored: Stored<SsoSession>,
}

impl Record for SsoSession {
    const KIND: &'static str = "sso";
    /// As long as `session.absolute_minutes` can say; each record ends by its own times.
    const LIFETIME: TimeDelta = TimeDelta::days(90);
}

impl<'a> SsoSessions<'a> {
    /// As they are `now`.
    pub const fn new(records: &'a Records, lifetimes: Lifetimes, now: DateTime<Utc>) -> Self {
        Self { records, lifetimes, now }
    }

    /// The session that a cookie belongs to.
    ///
    /// # Errors
    /// [`StoreError`]; then nobody knows.
    pub async fn of_cookie(
        &self,
        cookie: Option<&SessionCookie>,
    ) -> Result<Option<LiveSession>, StoreError> {
        let Some(cookie) = cookie else { return Ok(None) };
        let found = self.find(&cookie.sid).await?;
        Ok(found.filter(|live| live.session.has_secret(&cookie.secret)))
    }

    /// The session with this public id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find(&self, sid: &str) -> Result<Option<LiveSession>, StoreError> {
        let found = self.records.get::<SsoSession>(sid, self.now).await?;
        Ok(found.filter(|stored| self.lives(&stored.record)).map(LiveSession::from))
    }

    /// As [`Self::find`], in a batch: whether it lives, by [`Self::was_there`].
    pub fn look(&self, batch: &mut Batch<'_>, sid: &str) -> Ticket<Option<Stored<SsoSession>>> {
        batch.get::<SsoSession>(sid)
    }

    /// What [`Self::look`] found.
    pub fn was_there(&self, found: Option<&Stored<SsoSession>>) -> bool {
        found.is_some_and(|stored| self.lives(&stored.record))
    }

    /// The sessions of a user that live, the latest one last.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn of_user(&self, user_id: &str) -> Result<Vec<SsoSession>, StoreError> {
        let members = self.records.index_members((OF_USER, user_id), self.now).await?;
        let mut batch = self.records.batch(self.now);
        let tickets: Vec<_> =
            members.iter().map(|member| batch.get::<SsoSession>(member)).collect();
        if tickets.is_empty() {
            return Ok(Vec::new());
        }
        let mut outcomes = batch.run().await?;
        let mut sessions = Vec::with_capacity(tickets.len());
        for ticket in tickets {
            sessions.extend(outcomes.of(ticket)?.map(|stored| stored.record));
        }
        sessions.retain(|session| session.user_id == user_id && self.lives(session));
        Ok(sessions)
    }

    /// Ends sessions: of many that try one gets each.
    ///
    /// # Errors
    /// [`StoreError`]; some may have ended then.
    pub async fn end(&self, sessions: &[SsoSession]) -> Result<Vec<SsoSession>, StoreError> {
        if sessions.is_empty() {
            return Ok(Vec::new());
        }
        let mut batch = self.records.batch(self.now);
        let mut tickets = Vec::with_capacity(sessions.len());
        for session in sessions {
            tickets.push(batch.take::<SsoSession>(&session.sid));
            batch.index_remove((OF_USER, &session.user_id), &session.sid);
        }
        let mut outcomes = batch.run().await?;
        let mut ended = Vec::with_capacity(tickets.len());
        for ticket in tickets {
            ended.extend(outcomes.of(ticket)?.map(|stored| stored.record));
        }
        Ok(ended)
    }

    /// Ends the session behind a member that a full index let go of.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_let_go(&self, member: Member) -> Result<Option<SsoSession>, StoreError> {
        self.records.take(&member, self.now).await
    }

    /// Both lifetimes as they are set now, which may be shorter than when it began.
    fn lives(&self, session: &SsoSession) -> bool {
        self.until(session) > self.now
    }

    fn until(&self, session: &SsoSession) -> DateTime<Utc> {
        let idle = session.used_at + self.lifetimes.idle;
        let absolute = session.signed_in_at + self.lifetimes.absolute;
        idle.min(absolute).min(session.ends_at)
    }
}

impl SsoSession {
    /// The identity that signed in.
    pub fn identity(&self) -> Identity {
        Identity {
            connection: self.connection.clone(),
            issuer: self.upstream.issuer.clone(),
            subject: self.upstream.subject.account_key(),
        }
    }

    fn has_secret(&self, secret: &str) -> bool {
        ids::sha256_hex(secret).as_bytes().ct_eq(self.secret.as_bytes()).into()
    }
}

impl From<Stored<SsoSession>> for LiveSession {
    fn from(stored: Stored<SsoSession>) -> Self {
        Self { session: stored.record.clone(), stored }
    }
}

/// Shows which session and whose, not what is known of them.
impl fmt::Debug for SsoSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SsoSession")
            .field("sid", &self.sid)
            .field("user_id", &self.user_id)
            .field("connection", &self.connection)
            .field("clients", &self.clients)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for UpstreamSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamSession").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
