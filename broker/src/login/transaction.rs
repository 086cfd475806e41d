//! The login transaction: one record under one handle, from the authorization request to its one answer (RULES 1-4).
//!
//! It only moves forward, by compare-and-swap, so of two that race one wins. A parked answer is taken with a voucher, which is
//! laid out where the answer is parked and spent with the login cookie's hash: so the one round trip that reads the answer
//! also consumes the login (RULES 3, 40), and of the two a crash can only keep the first. The handle is public: it is RelayState or
//! `state` upstream and stands in our own URLs. What ties the login to its browser is the login cookie's secret, of which
//! the record holds the SHA-256.

mod account;
mod browser;
mod error;
mod handle;
mod stage;
#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};
use homerealm_connectors::check::Check;
use homerealm_connectors::connector::Expected;
use serde::{Deserialize, Serialize};

pub use browser::{Browser, form_token};
pub use error::TransactionError;
pub use handle::UpstreamHandle;
pub use stage::{ParkedAnswer, Stage};

use super::request::AuthorizationRequest;
use crate::catalog::Name;
use crate::ids;
use crate::sessions::StoreError;
use crate::sessions::record::{Batch, Record, Records, Stored};

/// From one step to the next of a login.
const LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// How long a received answer waits for its browser (RULES 3).
pub(super) const PARKED_LIFETIME: TimeDelta = TimeDelta::seconds(120);
/// Kind of the vouchers of parked answers. They outlive the answers, so that none is laid out a second time.
const VOUCHER: &str = "voucher";
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

/// A transaction as it was read, with what moving it on compares against.
#[derive(Debug)]
pub struct Found {
    /// Its handle.
    pub handle: String,
    stored: Stored<LoginTransaction>,
}

/// A transaction as it was read, and whether its voucher was spent with that.
#[derive(Debug)]
pub struct PickedUp {
    found: Found,
    paid: bool,
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

    /// Parks an answer, and lays out the voucher for it; the login must wait for exactly this connection's. Whose swap wins
    /// is whose answer is parked. A voucher that another one's attempt has laid out is as good: it says nothing of the answer.
    /// Where the swap is done and the voucher is lost, nobody takes the answer and the user starts again.
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
        let mut batch = self.records.batch(self.now);
        let until = self.now + PARKED_LIFETIME;
        let parked = batch.swap(&found.handle, &found.stored, &login, until)?;
        let voucher = (VOUCHER, found.handle.as_str());
        let laid = batch.lay_voucher(voucher, &login.browser, self.now + LIFETIME);
        let mut outcomes = batch.run().await?;
        outcomes.of(laid)?;
        if outcomes.of(parked)? { Ok(()) } else { Err(TransactionError::AlreadyReceived) }
    }

    /// Reads a login and, if this browser's cookie is its own, spends the voucher of its answer: one round trip. Where it
    /// comes too early or with a wrong cookie nothing has changed. [`Self::finish`] says what it is worth.
    ///
    /// # Errors
    /// [`TransactionError::Expired`] where there is none.
    pub async fn pick_up(
        &self,
        handle: &str,
        browser: &Browser,
    ) -> Result<PickedUp, TransactionError> {
        let mut batch = self.records.batch(self.now);
        // before the reading: where there is a voucher, the answer has been parked
        let until = self.now + LIFETIME;
        let spend = |claim: String| batch.spend_voucher((VOUCHER, handle), &claim, until);
        let spent: Vec<_> = browser.claims().map(spend).collect();
        let stored = batch.get::<LoginTransaction>(handle);
        let mut outcomes = batch.run().await?;
        let stored = outcomes.of(stored)?.ok_or(TransactionError::Expired)?;
        let mut paid = false;
        for ticket in spent {
            paid |= outcomes.of(ticket)?;
        }
        Ok(PickedUp { found: Found { handle: handle.to_owned(), stored }, paid })
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
        picked_up: PickedUp,
        browser: &Browser,
    ) -> Result<LoginTransaction, TransactionError> {
        let PickedUp { found, paid } = picked_up;
        found.login().belongs_to(browser)?;
        match &found.login().stage {
            Stage::Parked { .. } if paid => Ok(found.stored.record),
            Stage::Parked { .. } | Stage::Completed => Err(TransactionError::Completed),
            Stage::Account { .. } | Stage::Asked { .. } | Stage::Pending { denied: false, .. } => {
                Err(TransactionError::NotAnswered)
            }
            Stage::Pending { denied: true, .. } => self.finish_denied(found).await,
        }
    }

    /// Writes down, with what is issued for it, that a finished login had its answer: what it held is gone then. Without this
    /// the voucher alone says so, as long as the answer is there.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be sealed.
    pub fn complete(
        batch: &mut Batch<'_>,
        handle: &str,
        login: &LoginTransaction,
    ) -> Result<(), StoreError> {
        batch.put(handle, &LoginTransaction { stage: Stage::Completed, ..login.clone() })
    }

    async fn finish_denied(&self, found: Found) -> Result<LoginTransaction, TransactionError> {
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

impl PickedUp {
    /// What was read.
    pub const fn login(&self) -> &LoginTransaction {
        self.found.login()
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
            Stage::Account { .. } | Stage::Asked { .. } | Stage::Pending { .. } => Ok(()),
            Stage::Parked { .. } => Err(TransactionError::AlreadyReceived),
            Stage::Completed => Err(TransactionError::Completed),
        }
    }
}
