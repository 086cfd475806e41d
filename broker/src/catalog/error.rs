//! What the catalog answers when it cannot do as asked.

use std::path::PathBuf;

use sqlx::error::ErrorKind;

use crate::seal::SealError;

/// Why a read or a write did not happen.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CatalogError {
    /// Another object has this value, or the field cannot change to it.
    #[error("`{field}` is taken, or cannot be changed")]
    Conflict {
        /// The field of the object.
        field: &'static str,
    },
    /// The cursor of a list is not one that we gave out.
    #[error("the cursor is not one of ours")]
    Cursor,
    /// The object names another one that does not exist.
    #[error("`{field}` names something that does not exist")]
    Missing {
        /// The field of the object.
        field: &'static str,
    },
    /// There is no such object.
    #[error("not found")]
    NotFound,
    /// Something still refers to it.
    #[error("{by} refers to it")]
    Referenced {
        /// Kind and name of one object that refers to it, e.g. `connection acme-saml`.
        by: String,
    },
    /// The object was changed since the expected revision.
    #[error("changed in the meantime")]
    Stale,
    /// The name belonged to a deleted object; names are never reused (RULES 23).
    #[error("`{field}` belonged to something that was deleted; names are never reused")]
    Tombstoned {
        /// The field of the object.
        field: &'static str,
    },
    /// The database did not do it, or did not say so.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
}

/// Why the catalog could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database could not be reached or read.
    #[error("the database cannot be opened: {0}")]
    Database(String),
    /// The file cannot be made or opened for writing.
    #[error("{path} cannot be written: {source}", path = path.display())]
    File {
        /// The database file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The folder of the database cannot be made.
    #[error("the folder {path} cannot be made: {source}", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The master key is not the one that this database was made with (RULES 34).
    #[error("the master key does not open this database: {0}")]
    MasterKey(SealError),
    /// The database holds sealed keys, but not the value that tells their master key (RULES 34).
    #[error("the database holds sealed keys, but its check value of the master key is gone")]
    MasterKeyCheck,
    /// The schema could not be brought up to date.
    #[error("the database schema cannot be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The URL is not one that we serve.
    #[error("must be `sqlite:PATH` or `postgres://…`: {0}")]
    Url(&'static str),
}

impl From<sqlx::Error> for OpenError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.to_string())
    }
}

impl From<CatalogError> for OpenError {
    fn from(error: CatalogError) -> Self {
        if let CatalogError::Unavailable(reason) = error {
            return Self::Database(reason);
        }
        Self::Database(error.to_string())
    }
}

/// A database error where no rule of ours can have been broken.
#[expect(clippy::needless_pass_by_value, reason = "takes what `map_err` hands over")]
pub(super) fn unavailable(error: impl ToString) -> CatalogError {
    CatalogError::Unavailable(error.to_string())
}

/// A database error of a write: what a unique index, or a reference, means for the caller.
pub(super) fn refused(
    error: sqlx::Error,
    unique: &'static str,
    reference: &'static str,
) -> CatalogError {
    match error.as_database_error().map(|e| e.kind()) {
        Some(ErrorKind::UniqueViolation) => CatalogError::Conflict { field: unique },
        Some(ErrorKind::ForeignKeyViolation) => CatalogError::Missing { field: reference },
        _ => unavailable(error),
    }
}
