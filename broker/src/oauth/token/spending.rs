//! Spending a code or a device code: once, and with a look at the session that its login left, in one round trip (RULES 26, 40).

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::oauth::code::Gives;
use crate::oauth::error::Trouble;
use crate::sessions::StoreError;
use crate::sessions::record::{Batch, Ticket};

/// What became of it.
pub(super) enum Spending {
    /// It is spent, by this request.
    Done,
    /// Somebody else was first.
    TooLate,
    /// It is spent, but its user has signed out since it was given. The clients were told, so nothing new is given: the family,
    /// which may be written already, has to end.
    SignedOut,
}

/// `spent` puts the tombstone into the batch.
///
/// # Errors
/// [`Trouble`]; nothing may be issued then.
pub(super) async fn spend(
    app: &App,
    gives: &Gives,
    spent: impl FnOnce(&mut Batch<'_>) -> Result<Ticket<bool>, StoreError>,
    now: DateTime<Utc>,
) -> Result<Spending, Trouble> {
    let mut batch = app.records.batch(now);
    let spent = spent(&mut batch)?;
    let sessions = app.sso_sessions();
    let session = gives.login.session.as_deref().map(|sid| sessions.look(&mut batch, sid));
    let mut outcomes = batch.run().await?;
    if !outcomes.of(spent)? {
        return Ok(Spending::TooLate);
    }
    let Some(session) = session else { return Ok(Spending::Done) };
    let found = outcomes.of(session)?;
    Ok(if sessions.was_there(found.as_ref()) { Spending::Done } else { Spending::SignedOut })
}
