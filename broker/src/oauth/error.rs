//! What keeps an OAuth request from being served for reasons that are ours.

use homerealm_certs::SigningError;

use crate::catalog::CatalogError;
use crate::sessions::StoreError;

/// Not the client's fault: 503 or 500, never an OAuth refusal that it would act upon.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// A store did not answer: 503 `temporarily_unavailable`, nothing was issued.
    #[error("{0}")]
    Away(String),
    /// A bug or a broken key: 500 `server_error`.
    #[error("{0}")]
    Broken(String),
}

impl From<CatalogError> for Trouble {
    fn from(error: CatalogError) -> Self {
        Self::Away(format!("the catalog: {error}"))
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Away(error.to_string())
    }
}

impl From<SigningError> for Trouble {
    fn from(error: SigningError) -> Self {
        Self::Broken(format!("a token could not be signed: {error}"))
    }
}
