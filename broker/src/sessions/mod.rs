//! Ephemeral state: one narrow trait of atomic operations, and the typed records above it.

pub mod embedded;
pub mod record;
pub mod redis;

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// Where a record lives: its kind and the SHA-256 of its handle. The handle itself is never stored (RULES 33).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Key {
    /// Short constant such as `login`; part of the stored key.
    pub kind: &'static str,
    /// SHA-256 of the handle.
    pub digest: [u8; 32],
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, hex::encode(self.digest))
    }
}

/// Why the store did not do it. Nothing is known to have happened, nothing may be issued: 503 (DESIGN §4).
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The embedded store holds as much as it may; it never evicts.
    #[error("the session store is full")]
    Full,
    /// The store did not answer, or not in time.
    #[error("the session store is unavailable: {0}")]
    Unavailable(String),
}

/// Atomic operations, each durable before it answers. Expiry is judged by the caller's clock (`now`); a record whose
/// `expires_at` is `now` or earlier does not exist.
#[async_trait]
pub trait SessionStore: Send + Sync + fmt::Debug {
    /// Writes a value, replacing what was there.
    async fn put(
        &self,
        key: &Key,
        value: &[u8],
        expires_at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Reads a value.
    async fn get(&self, key: &Key, now: DateTime<Utc>) -> Result<Option<Vec<u8>>, StoreError>;

    /// Reads and removes: of many concurrent takers one wins.
    async fn take(&self, key: &Key, now: DateTime<Utc>) -> Result<Option<Vec<u8>>, StoreError>;

    /// Writes where nothing live is; `false` where something is.
    async fn insert_once(
        &self,
        key: &Key,
        value: &[u8],
        expires_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError>;

    /// Replaces exactly `expected` by `new`; `false` where something else, or nothing, is there.
    async fn compare_and_swap(
        &self,
        key: &Key,
        expected: &[u8],
        new: &[u8],
        expires_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError>;

    /// When this store was created empty (RULES 32): without a pending login, older assertions are refused.
    async fn epoch(&self) -> Result<DateTime<Utc>, StoreError>;

    /// Whether it can serve right now, for `/readyz`.
    async fn ready(&self) -> Result<(), StoreError>;
}
