//! Why a login does not go on.

use crate::sessions::StoreError;

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
