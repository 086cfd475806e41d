//! Ephemeral state: one narrow trait of atomic operations, and the typed records above it.

pub mod embedded;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod index;
mod operation;
pub mod record;
pub mod redis;

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

pub use operation::{Member, Operation, Outcome};

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

/// Atomic operations, each durable before it answers, counters apart. Expiry is judged by the caller's clock (`now`); a
/// record whose `expires_at` is `now` or earlier does not exist. A store has the three methods without a body; the rest are
/// batches of one.
#[async_trait]
pub trait SessionStore: Send + Sync + fmt::Debug {
    /// Runs independent operations in one round trip; one outcome each, in their order. Each is atomic by itself, all
    /// together are not: others may come in between, and where the store fails some may have happened. So no operation of a
    /// batch may rely on another's outcome; where several have to succeed, the caller issues nothing unless all did.
    async fn batch(
        &self,
        operations: &[Operation],
        now: DateTime<Utc>,
    ) -> Result<Vec<Outcome>, StoreError>;

    /// When this store was created empty (RULES 32): without a pending login, older assertions are refused.
    async fn epoch(&self) -> Result<DateTime<Utc>, StoreError>;

    /// Whether it can serve right now, for `/readyz`.
    async fn ready(&self) -> Result<(), StoreError>;

    /// What an operator should change though it serves, as [`Self::ready`] found it last.
    async fn warnings(&self) -> Vec<String> {
        Vec::new()
    }

    /// Runs one operation.
    async fn run(&self, operation: Operation, now: DateTime<Utc>) -> Result<Outcome, StoreError> {
        let outcome = self.batch(&[operation], now).await?.pop();
        outcome.ok_or_else(|| StoreError::Unavailable("the store gave no outcome".to_owned()))
    }

    /// Writes a value, replacing what was there, live or not.
    async fn put(
        &self,
        key: &Key,
        value: &[u8],
        expires_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let put = Operation::Put { key: key.clone(), value: value.to_vec(), expires_at };
        // nothing is judged by the time, so none is named
        self.run(put, DateTime::<Utc>::MIN_UTC).await?.done()
    }

    /// Reads a value.
    async fn get(&self, key: &Key, now: DateTime<Utc>) -> Result<Option<Vec<u8>>, StoreError> {
        self.run(Operation::Get { key: key.clone() }, now).await?.value()
    }

    /// Reads and removes: of many concurrent takers one wins.
    async fn take(&self, key: &Key, now: DateTime<Utc>) -> Result<Option<Vec<u8>>, StoreError> {
        self.run(Operation::Take { key: key.clone() }, now).await?.value()
    }

    /// Writes where nothing live is; `false` where something is.
    async fn insert_once(
        &self,
        key: &Key,
        value: &[u8],
        expires_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let insert = Operation::InsertOnce { key: key.clone(), value: value.to_vec(), expires_at };
        self.run(insert, now).await?.decided()
    }

    /// Replaces exactly `expected` by `new`; `false` where something else, or nothing, is there.
    async fn compare_and_swap(
        &self,
        key: &Key,
        expected: &[u8],
        new: &[u8],
        expires_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let (key, expected, new) = (key.clone(), expected.to_vec(), new.to_vec());
        self.run(Operation::CompareAndSwap { key, expected, new, expires_at }, now).await?.decided()
    }

    /// Adds a member to an index of at most [`index::MOST_MEMBERS`], or gives one that is there another end. Answers which
    /// member a full index let go of: the one that would have ended first. The caller has to end what that stands for.
    async fn index_add(
        &self,
        key: &Key,
        member: Member,
        expires_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Option<Member>, StoreError> {
        self.run(Operation::IndexAdd { key: key.clone(), member, expires_at }, now).await?.let_go()
    }

    /// Takes a member out of an index, if it is there.
    async fn index_remove(
        &self,
        key: &Key,
        member: Member,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.run(Operation::IndexRemove { key: key.clone(), member }, now).await?.done()
    }

    /// The members that have not ended, those that were added last at the end.
    async fn index_members(
        &self,
        key: &Key,
        now: DateTime<Utc>,
    ) -> Result<Vec<Member>, StoreError> {
        self.run(Operation::IndexMembers { key: key.clone() }, now).await?.members()
    }

    /// Counts one more within a window, and says how many that makes. Not kept through a restart of the embedded store, not
    /// confirmed by replicas: good for limits, not for what must happen once.
    async fn count(
        &self,
        key: &Key,
        window_end: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        self.run(Operation::Count { key: key.clone(), window_end }, now).await?.counted()
    }
}
