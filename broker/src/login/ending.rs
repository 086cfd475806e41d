//! What a login's end writes, in the one round trip that also writes what is issued for it (RULES 40).
//!
//! By then the login is consumed: its voucher is spent. What is left is that its assertion is used for the first time, and
//! that nothing of it stays. A code or a session that is written beside these is for nobody unless the assertion was new;
//! after a crash in between, or where the store does not answer, nobody has it, and it expires by itself.

use super::failure::Failure;
use super::replay::Marker;
use super::trace::Trail;
use super::transaction::{LoginTransaction, Transactions};
use crate::sessions::StoreError;
use crate::sessions::record::{Batch, Outcomes, Ticket};

/// The end of one login.
#[derive(Clone, Debug)]
pub struct Ending {
    /// Handle of the login transaction.
    pub transaction: String,
    /// As it was taken.
    pub login: LoginTransaction,
    /// Of the assertion that it rests on.
    pub marker: Marker,
}

/// Stands for the outcome of an [`Ending`].
#[derive(Debug)]
pub struct Ended<'a> {
    ending: &'a Ending,
    first: Ticket<bool>,
}

impl Ending {
    /// Adds it to a batch.
    ///
    /// # Errors
    /// [`StoreError`] where the transaction cannot be sealed.
    pub fn add(&self, batch: &mut Batch<'_>) -> Result<Ended<'_>, StoreError> {
        Transactions::complete(batch, &self.transaction, &self.login)?;
        Ok(Ended { ending: self, first: self.marker.set(batch) })
    }

    /// Notes that it succeeded.
    pub fn passed(trail: &mut Trail) {
        trail.passed("first_use", None);
    }

    /// Of a request whose assertion is this one's only.
    #[cfg(test)]
    pub(crate) fn fixture(request: super::AuthorizationRequest) -> Self {
        use homerealm_certs::SystemRandom;
        use homerealm_connectors::assertion::ReplayKey;

        use super::fixtures::{now, saml};
        use super::transaction::Stage;
        let value = crate::ids::secret(&SystemRandom);
        Self {
            transaction: crate::ids::transaction(&SystemRandom),
            login: LoginTransaction::new(request, &value, Stage::Completed),
            marker: Marker::of(&saml(), &ReplayKey { until: now(), value }),
        }
    }
}

impl Ended<'_> {
    /// Whether what was written beside it may be given out.
    ///
    /// # Errors
    /// [`Failure::Replayed`] where the assertion was used before; [`StoreError`].
    pub fn read(self, outcomes: &mut Outcomes<'_>, trail: &mut Trail) -> Result<(), Failure> {
        if !outcomes.of(self.first)? {
            return Err(self.ending.marker.replayed());
        }
        Ending::passed(trail);
        Ok(())
    }
}
