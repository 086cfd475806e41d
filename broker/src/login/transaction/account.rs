//! The end of a login that the user takes from the browser's session, on our page.

use super::{Browser, Found, LIFETIME, LoginTransaction, Stage, TransactionError, Transactions};

impl Transactions<'_> {
    /// Gives the login its one answer from the browser's session, which the user chose on our page.
    ///
    /// # Errors
    /// [`TransactionError::NotAnswered`] where the page does not offer that; `Completed` where another was faster.
    pub async fn finish_by_session(
        &self,
        found: Found,
        browser: &Browser,
    ) -> Result<LoginTransaction, TransactionError> {
        found.login().belongs_to(browser)?;
        match &found.login().stage {
            Stage::Account { .. } => {}
            Stage::Completed => return Err(TransactionError::Completed),
            Stage::Asked { .. } | Stage::Pending { .. } | Stage::Parked { .. } => {
                return Err(TransactionError::NotAnswered);
            }
        }
        let done = LoginTransaction { stage: Stage::Completed, ..found.login().clone() };
        match self.advance(&found, &done, LIFETIME).await {
            Ok(()) => Ok(found.stored.record),
            Err(TransactionError::AlreadyReceived) => Err(TransactionError::Completed),
            Err(other) => Err(other),
        }
    }
}
