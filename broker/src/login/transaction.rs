//! The login transaction: one record under one handle, from the authorization request to its one answer (RULES 1-4).
//!
//! It only moves forward, by compare-and-swap, so of two that race one wins. The handle is public: it is RelayState or
//! `state` upstream and stands in our own URLs. What ties the login to its browser is the login cookie's secret, of which
//! the record holds the SHA-256.

mod browser;
mod handle;
#[cfg(test)]
mod tests;

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use homerealm_connectors::assertion::AssertionParts;
use homerealm_connectors::check::Check;
use homerealm_connectors::connector::Expected;
use serde::{Deserialize, Serialize};

pub use browser::{Browser, form_token};
pub use handle::UpstreamHandle;

use super::request::AuthorizationRequest;
use crate::catalog::Name;
use crate::ids;
use crate::sessions::StoreError;
use crate::sessions::record::{Record, Records, Stored};

/// From one step to the next of a login.
const LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// How long a received answer waits for its browser (RULES 3).
const PARKED_LIFETIME: TimeDelta = TimeDelta::seconds(120);
/// A user who goes back and forth more often starts again from the app.
const MOST_ATTEMPTS: u16 = 99;

/// What is remembered of one login.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct LoginTransaction {
    /// What the client asked for.
    pub request: AuthorizationRequest,
    /// SHA-256 of the login cookie's secret, hexadecimal.
    pub browser: String,
    /// How often the user was sent upstream; each time under an own RelayState or `state`.
    pub attempt: u16,
    /// How far it is.
    pub stage: Stage,
}

/// How far a login is.
#[derive(Clone, Deserialize, Serialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// Our page is shown.
    Asked {
        /// What was typed or hinted, to show it again.
        email: Option<String>,
        /// Connections to choose from; empty: the e-mail address is asked for.
        choices: Vec<Name>,
        /// The address was understood, its domain leads nowhere.
        unknown_domain: bool,
    },
    /// The user is at the IdP.
    Pending {
        /// The connection that they were sent to; no other may answer.
        connection: Name,
        /// What the answer is held against.
        expected: Expected,
        /// What was typed or hinted, to show it again after "back".
        email: Option<String>,
        /// The IdP reported the user's own "no". It stays pending: such a report is not signed.
        denied: bool,
    },
    /// The answer is here and waits for its browser.
    Parked {
        /// Where it came from.
        connection: Name,
        /// The answer.
        answer: ParkedAnswer,
        /// What was checked so far.
        checks: Vec<Check>,
    },
    /// It had its one answer.
    Completed,
}

/// An answer that waits for its browser.
#[derive(Clone, Deserialize, Serialize)]
#[serde(tag = "protocol", rename_all = "lowercase")]
pub enum ParkedAnswer {
    /// Code and `iss`, not redeemed yet (RULES 4).
    Oidc {
        /// The OP's authorization code.
        code: String,
        /// RFC 9207.
        iss: Option<String>,
        /// What the ID token is held against.
        expected: Expected,
    },
    /// Verified, its replay marker written.
    Saml {
        /// What the assertion says.
        parts: Box<AssertionParts>,
    },
}

/// Why a step of a login cannot be taken. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum TransactionError {
    /// Its answer was received before.
    #[error("the login has received its answer already")]
    AlreadyReceived,
    /// It had its one answer.
    #[error("the login is completed already")]
    Completed,
    /// The browser sent no login cookie.
    #[error("the browser sent no login cookie")]
    CookieMissing,
    /// Unknown, or longer ago than its lifetime.
    #[error("no such login, or it has expired")]
    Expired,
    /// The user has not been at the IdP yet, or has not come back.
    #[error("the login has no answer yet")]
    NotAnswered,
    /// The answer comes from another connection than the one that was asked.
    #[error("the answer is not of the connection that was asked")]
    OtherConnection,
    /// The login cookie is another browser's.
    #[error("the login belongs to another browser")]
    OtherBrowser,
    /// The session store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The user started the login again, and this is the answer to the earlier start.
    #[error("the login was started again after this request")]
    Superseded,
    /// Started again too often.
    #[error("the login was started again too often")]
    TooManyAttempts,
}

/// A transaction as it was read, with what moving it on compares against.
#[derive(Debug)]
pub struct Found {
    /// Its handle.
    pub handle: String,
    stored: Stored<LoginTransaction>,
}

/// The transactions of the session store, at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Transactions<'a> {
    records: &'a Records,
    now: DateTime<Utc>,
}

impl Record for LoginTransaction {
    const KIND: &'static str = "login";
    const LIFETIME: TimeDelta = LIFETIME;
}

impl LoginTransaction {
    /// A login that begins, not sent upstream yet.
    pub fn new(request: AuthorizationRequest, browser_secret: &str, stage: Stage) -> Self {
        Self { request, browser: ids::sha256_hex(browser_secret), attempt: 0, stage }
    }

    /// Checks the login cookie (RULES 1, 3), in constant time.
    ///
    /// # Errors
    /// [`TransactionError::CookieMissing`] or [`TransactionError::OtherBrowser`].
    pub fn belongs_to(&self, browser: &Browser) -> Result<(), TransactionError> {
        browser.has_secret_of(&self.browser)
    }
}

impl<'a> Transactions<'a> {
    /// As they are `now`.
    pub const fn new(records: &'a Records, now: DateTime<Utc>) -> Self {
        Self { records, now }
    }

    /// Writes a new one under a handle that [`ids::transaction`] made.
    ///
    /// # Errors
    /// [`TransactionError::Store`].
    pub async fn open(
        &self,
        handle: &str,
        login: &LoginTransaction,
    ) -> Result<(), TransactionError> {
        Ok(self.records.put(handle, login, self.now).await?)
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`TransactionError::Expired`] where there is none.
    pub async fn find(&self, handle: &str) -> Result<Found, TransactionError> {
        let stored = self.records.get::<LoginTransaction>(handle, self.now).await?;
        let stored = stored.ok_or(TransactionError::Expired)?;
        Ok(Found { handle: handle.to_owned(), stored })
    }

    /// Shows our page, or sends the user upstream: forward from a page, or again after "back".
    ///
    /// # Errors
    /// [`TransactionError::AlreadyReceived`] or `Completed` where the answer came in between.
    pub async fn show_or_send(
        &self,
        found: Found,
        stage: Stage,
        attempt: u16,
    ) -> Result<(), TransactionError> {
        found.still_open()?;
        let login = LoginTransaction { attempt, stage, ..found.stored.record.clone() };
        self.advance(&found, &login, LIFETIME).await
    }

    /// Parks an answer; the login must wait for exactly this connection's.
    ///
    /// # Errors
    /// [`TransactionError::AlreadyReceived`] or `Completed` where another was faster.
    pub async fn park(
        &self,
        found: Found,
        connection: Name,
        answer: ParkedAnswer,
        checks: Vec<Check>,
    ) -> Result<(), TransactionError> {
        found.still_open()?;
        let stage = Stage::Parked { connection, answer, checks };
        let login = LoginTransaction { stage, ..found.stored.record.clone() };
        self.advance(&found, &login, PARKED_LIFETIME).await
    }

    /// Remembers the IdP's report of the user's own "no"; the login stays open.
    ///
    /// # Errors
    /// [`TransactionError::NotAnswered`] where it does not wait for an answer.
    pub async fn note_denial(&self, found: Found) -> Result<(), TransactionError> {
        let mut login = found.stored.record.clone();
        let Stage::Pending { denied, .. } = &mut login.stage else {
            return Err(TransactionError::NotAnswered);
        };
        *denied = true;
        self.advance(&found, &login, LIFETIME).await
    }

    /// Gives the login its one answer: of many that call this with the right cookie one wins (RULES 3).
    ///
    /// # Errors
    /// Any [`TransactionError`]; with a wrong or missing cookie nothing has changed.
    pub async fn finish(
        &self,
        found: Found,
        browser: &Browser,
    ) -> Result<LoginTransaction, TransactionError> {
        found.login().belongs_to(browser)?;
        match &found.login().stage {
            Stage::Completed => return Err(TransactionError::Completed),
            Stage::Asked { .. } | Stage::Pending { denied: false, .. } => {
                return Err(TransactionError::NotAnswered);
            }
            Stage::Parked { .. } | Stage::Pending { denied: true, .. } => {}
        }
        let done = LoginTransaction { stage: Stage::Completed, ..found.login().clone() };
        match self.advance(&found, &done, LIFETIME).await {
            Ok(()) => Ok(found.stored.record),
            Err(TransactionError::AlreadyReceived) => Err(TransactionError::Completed),
            Err(other) => Err(other),
        }
    }

    async fn advance(
        &self,
        found: &Found,
        new: &LoginTransaction,
        lifetime: TimeDelta,
    ) -> Result<(), TransactionError> {
        let until = self.now + lifetime;
        if self.records.swap(&found.handle, &found.stored, new, until, self.now).await? {
            Ok(())
        } else {
            Err(TransactionError::AlreadyReceived)
        }
    }
}

impl Found {
    /// What was read.
    pub const fn login(&self) -> &LoginTransaction {
        &self.stored.record
    }

    /// The attempt that comes next.
    ///
    /// # Errors
    /// [`TransactionError::TooManyAttempts`].
    pub fn next_attempt(&self) -> Result<u16, TransactionError> {
        let next = self.login().attempt.saturating_add(1);
        if next > MOST_ATTEMPTS { Err(TransactionError::TooManyAttempts) } else { Ok(next) }
    }

    /// What an answer to `attempt` from `connection` is held against: both look-ups are only keys, the connection must be
    /// the one that was asked (RULES 2).
    ///
    /// # Errors
    /// The reason why this login does not wait for that answer.
    pub fn awaits(&self, connection: &Name, attempt: u16) -> Result<&Expected, TransactionError> {
        self.still_open()?;
        let Stage::Pending { connection: asked, expected, .. } = &self.login().stage else {
            return Err(TransactionError::NotAnswered);
        };
        if asked != connection {
            return Err(TransactionError::OtherConnection);
        }
        if attempt != self.login().attempt {
            return Err(TransactionError::Superseded);
        }
        Ok(expected)
    }

    fn still_open(&self) -> Result<(), TransactionError> {
        match self.login().stage {
            Stage::Asked { .. } | Stage::Pending { .. } => Ok(()),
            Stage::Parked { .. } => Err(TransactionError::AlreadyReceived),
            Stage::Completed => Err(TransactionError::Completed),
        }
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Asked { .. } => "Asked",
            Self::Pending { .. } => "Pending",
            Self::Parked { .. } => "Parked",
            Self::Completed => "Completed",
        })
    }
}

impl fmt::Debug for ParkedAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Oidc { .. } => "Oidc(..)",
            Self::Saml { .. } => "Saml(..)",
        })
    }
}
