//! Writing a session: one operation of the batch that also writes what is issued in it (RULES 40).

use chrono::{DateTime, Utc};
use homerealm_certs::Random;

use super::{LiveSession, OF_USER, SessionCookie, SsoSession, SsoSessions};
use crate::ids;
use crate::login::completed::CompletedLogin;
use crate::sessions::record::{Batch, Outcomes, Stored, Ticket};
use crate::sessions::{Member, StoreError};

/// A session that is about to be written.
#[derive(Debug)]
pub struct SessionWrite {
    /// As it will be.
    pub session: SsoSession,
    /// What it takes the place of; `None`: it begins.
    read: Option<Stored<SsoSession>>,
    /// Another user's session in this browser, which ends.
    replaces: Option<SsoSession>,
    /// Whether the index of the user's sessions learns of it.
    indexes: bool,
}

/// What became of a written session.
#[derive(Debug, Default)]
pub struct Written {
    /// Sessions that ended with it.
    pub ended: Vec<SsoSession>,
    /// The user's session that would have ended first, of too many; the caller ends it.
    pub let_go: Option<Member>,
}

/// Stands for the outcomes of a [`SessionWrite`].
#[derive(Debug)]
pub struct Tickets {
    swapped: Option<Ticket<bool>>,
    replaced: Option<Ticket<Option<Stored<SsoSession>>>>,
    let_go: Option<Ticket<Option<Member>>>,
}

impl SsoSessions<'_> {
    /// After a login: the browser's session goes on under a new secret where it is the same user by the same connection;
    /// else a new one takes its place.
    pub fn signed_in(
        &self,
        old: Option<LiveSession>,
        login: &CompletedLogin,
        random: &dyn Random,
    ) -> (SessionWrite, SessionCookie) {
        let (read, replaces) = match old {
            Some(LiveSession { session, stored })
                if session.user_id == login.user.id && session.connection == login.connection =>
            {
                (Some(stored), None)
            }
            Some(LiveSession { session, .. }) => (None, Some(session)),
            None => (None, None),
        };
        let cookie = match &read {
            Some(stored) => {
                SessionCookie { sid: stored.record.sid.clone(), secret: ids::secret(random) }
            }
            None => SessionCookie::new(random),
        };
        let clients = read.as_ref().map(|stored| stored.record.clients.clone());
        let session = self.of_login(&cookie, login, clients.unwrap_or_default());
        (SessionWrite { session, read, replaces, indexes: true }, cookie)
    }

    /// For a client that is answered from a session without another login.
    pub fn serving(&self, live: LiveSession) -> SessionWrite {
        let LiveSession { session, stored } = live;
        let session = SsoSession { used_at: self.now, ..session };
        SessionWrite { session, read: Some(stored), replaces: None, indexes: false }
    }

    /// Adds a write to a batch.
    ///
    /// # Errors
    /// [`StoreError`] where the session cannot be sealed.
    pub fn add(&self, batch: &mut Batch<'_>, write: &SessionWrite) -> Result<Tickets, StoreError> {
        let session = &write.session;
        let until = self.until(session);
        let swapped = match &write.read {
            Some(read) => Some(batch.swap(&session.sid, read, session, until)?),
            None => {
                batch.put_until(&session.sid, session, until)?;
                None
            }
        };
        let replaced = write.replaces.as_ref().map(|old| {
            batch.index_remove((OF_USER, &old.user_id), &old.sid);
            batch.take::<SsoSession>(&old.sid)
        });
        let let_go = write.indexes.then(|| {
            let longest = (session.signed_in_at + self.lifetimes.absolute).min(session.ends_at);
            batch.index_add((OF_USER, &session.user_id), &session.sid, longest)
        });
        Ok(Tickets { swapped, replaced, let_go })
    }

    fn of_login(
        &self,
        cookie: &SessionCookie,
        login: &CompletedLogin,
        clients: Vec<String>,
    ) -> SsoSession {
        let ours: DateTime<Utc> = self.now + self.lifetimes.absolute;
        SsoSession {
            sid: cookie.sid.clone(),
            secret: ids::sha256_hex(&cookie.secret),
            user_id: login.user.id.clone(),
            connection: login.connection.clone(),
            organization: login.organization.as_ref().map(|o| o.name.clone()),
            auth_time: login.auth_time,
            acr: login.acr.clone(),
            amr: login.amr.clone(),
            claims: login.claims.clone(),
            upstream: login.upstream.clone(),
            clients,
            signed_in_at: self.now,
            used_at: self.now,
            // SAML Core §2.7.2: the IdP's session ends then, and ours with it
            ends_at: login.upstream.ends_at.map_or(ours, |theirs| theirs.min(ours)),
        }
    }
}

impl SessionWrite {
    /// Notes that a client gets a code in it; whether it is its first.
    pub fn serve(&mut self, client_id: &str) -> bool {
        let is_new = !self.session.clients.iter().any(|known| known == client_id);
        if is_new {
            self.session.clients.push(client_id.to_owned());
        }
        is_new
    }
}

impl Tickets {
    /// What became of the write; `None` where the session has changed or ended since it was read: then nothing that was
    /// issued with it may be given out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn read(self, outcomes: &mut Outcomes<'_>) -> Result<Option<Written>, StoreError> {
        let swapped = self.swapped.map(|ticket| outcomes.of(ticket)).transpose()?;
        let replaced = self.replaced.map(|ticket| outcomes.of(ticket)).transpose()?.flatten();
        let let_go = self.let_go.map(|ticket| outcomes.of(ticket)).transpose()?.flatten();
        let written = Written { ended: replaced.into_iter().map(|s| s.record).collect(), let_go };
        Ok(swapped.unwrap_or(true).then_some(written))
    }
}
