//! Why the broker does not start: one clear sentence each.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Each names what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum StartupError {
    #[error("the admin token in {} cannot be used: {reason}", path.display())]
    AdminToken { path: PathBuf, reason: String },
    #[error(
        "{address} is taken by another program: stop that one, or set `listen` to another port"
    )]
    AddressTaken { address: SocketAddr },
    #[error("the catalog: {0}")]
    Catalog(#[from] crate::catalog::OpenError),
    #[error("the signing keys: {0}")]
    Keys(#[from] crate::keys::KeyRingError),
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("the data folder {} cannot be written: {source}", path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    #[error(
        "the data folder {} is in use by another Homerealm process: stop that one, or name another database", path.display()
    )]
    FolderInUse { path: PathBuf },
    #[error("the master key {} cannot be used: {reason}", path.display())]
    MasterKey { path: PathBuf, reason: String },
    #[error(
        "the master key {} is missing although sealed data exists: put the key back; without it nothing sealed opens", path.display()
    )]
    MasterKeyMissing { path: PathBuf },
    #[error("there is no data folder for the session store: set sessions.url")]
    NoSessionStore,
    #[error("passwords cannot be hashed: {0}")]
    Passwords(crate::passwords::PasswordsError),
    #[error("{0}")]
    Redis(#[from] crate::sessions::redis::OpenError),
    #[error("the session store cannot be opened: {0}")]
    Sessions(#[from] crate::sessions::embedded::OpenError),
    #[error("the server cannot run: {0}")]
    Server(std::io::Error),
    #[error("{key} {} cannot be used: {reason}", path.display())]
    Tls { key: &'static str, path: PathBuf, reason: String },
}
