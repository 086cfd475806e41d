//! Typed records over a [`SessionStore`]: sealed, with our own expiry, found by the SHA-256 of their handle.

mod batch;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Serialize, de::DeserializeOwned};

pub use batch::{Answer, Batch, Outcomes, Ticket};

use super::{Key, Member, SessionStore, StoreError};
use crate::seal::{Purpose, Sealer};

/// One stage of a login or grant: own type, own key prefix, own lifetime.
pub trait Record: Serialize + DeserializeOwned + Send + Sync {
    /// Short constant, part of the stored key.
    const KIND: &'static str;
    /// Lifetime from its writing.
    const LIFETIME: TimeDelta;
}

/// What a record is found by: its handle, or what an index has of it.
pub trait Handle: Sync {
    /// The handle's SHA-256.
    fn digest(&self) -> [u8; 32];
}

/// A record as it was read, with what a swap compares against.
#[derive(Debug)]
pub struct Stored<R> {
    /// The record.
    pub record: R,
    raw: Vec<u8>,
}

/// Reads and writes records.
#[derive(Clone, Debug)]
pub struct Records {
    store: Arc<dyn SessionStore>,
    sealer: Sealer,
}

impl Records {
    /// Over this store; values are sealed under the sealer's session subkey (RULES 33).
    pub fn new(store: Arc<dyn SessionStore>, sealer: Sealer) -> Self {
        Self { store, sealer }
    }

    /// The store below.
    pub fn store(&self) -> &dyn SessionStore {
        self.store.as_ref()
    }

    /// Writes a record for its lifetime.
    ///
    /// # Errors
    /// [`StoreError`] where the store did not confirm it.
    pub async fn put<R: Record>(
        &self,
        handle: &(impl Handle + ?Sized),
        record: &R,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.put_until(handle, record, now + R::LIFETIME).await
    }

    /// Writes a record that ends before its kind's lifetime does.
    ///
    /// # Errors
    /// [`StoreError`] where the store did not confirm it.
    pub async fn put_until<R: Record>(
        &self,
        handle: &(impl Handle + ?Sized),
        record: &R,
        expires_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let key = key::<R>(handle);
        let value = self.seal(&key, record)?;
        self.store.put(&key, &value, expires_at).await
    }

    /// Writes a record for its lifetime where there is none; `false` where there is one.
    ///
    /// # Errors
    /// [`StoreError`] where the store did not confirm it.
    pub async fn insert<R: Record>(
        &self,
        handle: &str,
        record: &R,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let key = key::<R>(handle);
        let value = self.seal(&key, record)?;
        self.store.insert_once(&key, &value, now + R::LIFETIME, now).await
    }

    /// Reads a record.
    ///
    /// # Errors
    /// [`StoreError`]; a value that does not open under our key counts as unavailable, never as absent.
    pub async fn get<R: Record>(
        &self,
        handle: &(impl Handle + ?Sized),
        now: DateTime<Utc>,
    ) -> Result<Option<Stored<R>>, StoreError> {
        let key = key::<R>(handle);
        let Some(raw) = self.store.get(&key, now).await? else { return Ok(None) };
        Ok(Some(self.stored(&key, raw)?))
    }

    /// Reads and removes a record: one of many takers wins.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn take<R: Record>(
        &self,
        handle: &(impl Handle + ?Sized),
        now: DateTime<Utc>,
    ) -> Result<Option<R>, StoreError> {
        let key = key::<R>(handle);
        let Some(raw) = self.store.take(&key, now).await? else { return Ok(None) };
        Ok(Some(self.open(&key, &raw)?))
    }

    /// Replaces what was read by `new` until `expires_at`; `false` where somebody else was faster.
    ///
    /// # Errors
    /// [`StoreError`] where the store did not confirm it.
    pub async fn swap<R: Record>(
        &self,
        handle: &(impl Handle + ?Sized),
        read: &Stored<R>,
        new: &R,
        expires_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let key = key::<R>(handle);
        let value = self.seal(&key, new)?;
        self.store.compare_and_swap(&key, &read.raw, &value, expires_at, now).await
    }

    /// Marks a value as used until `until`; `false` where it was used before. The value is hashed, `kind` separates uses.
    ///
    /// # Errors
    /// [`StoreError`] where the store did not confirm it.
    pub async fn first_use(
        &self,
        kind: &'static str,
        value: &str,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        self.store.insert_once(&Key { kind, digest: value.digest() }, b"1", until, now).await
    }

    /// Adds what `member` stands for, a record with its own end `until`, to the index of this kind `of` something, such as
    /// the sessions of a user. Answers who had to go because the index is full: the caller has to end that.
    ///
    /// # Errors
    /// [`StoreError`] where the store did not confirm it.
    pub async fn index_add(
        &self,
        (kind, of): (&'static str, &str),
        member: &(impl Handle + ?Sized),
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Option<Member>, StoreError> {
        let (key, member) = (Key { kind, digest: of.digest() }, Member(member.digest()));
        self.store.index_add(&key, member, until, now).await
    }

    /// Takes a member out of an index.
    ///
    /// # Errors
    /// [`StoreError`] where the store did not confirm it.
    pub async fn index_remove(
        &self,
        (kind, of): (&'static str, &str),
        member: &(impl Handle + ?Sized),
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (key, member) = (Key { kind, digest: of.digest() }, Member(member.digest()));
        self.store.index_remove(&key, member, now).await
    }

    /// The members of an index; each is a handle to its record. A record may have gone before its membership.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn index_members(
        &self,
        (kind, of): (&'static str, &str),
        now: DateTime<Utc>,
    ) -> Result<Vec<Member>, StoreError> {
        self.store.index_members(&Key { kind, digest: of.digest() }, now).await
    }

    /// Counts one more of something within the window that ends at `window_end`: how many it is now. For limits, see
    /// [`SessionStore::count`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count(
        &self,
        (kind, of): (&'static str, &str),
        window_end: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        self.store.count(&Key { kind, digest: of.digest() }, window_end, now).await
    }

    /// Several of these in one round trip.
    pub const fn batch(&self, now: DateTime<Utc>) -> Batch<'_> {
        Batch::new(self, now)
    }

    fn stored<R: Record>(&self, key: &Key, raw: Vec<u8>) -> Result<Stored<R>, StoreError> {
        Ok(Stored { record: self.open(key, &raw)?, raw })
    }

    fn seal<R: Record>(&self, key: &Key, record: &R) -> Result<Vec<u8>, StoreError> {
        let plain =
            serde_json::to_vec(record).map_err(|e| StoreError::Unavailable(e.to_string()))?;
        self.sealer
            .seal(Purpose::Sessions, key.to_string().as_bytes(), &plain)
            .map_err(|e| StoreError::Unavailable(e.to_string()))
    }

    fn open<R: Record>(&self, key: &Key, raw: &[u8]) -> Result<R, StoreError> {
        let plain = self
            .sealer
            .open(Purpose::Sessions, key.to_string().as_bytes(), raw)
            .map_err(|e| StoreError::Unavailable(e.to_string()))?;
        serde_json::from_slice(&plain).map_err(|e| StoreError::Unavailable(e.to_string()))
    }
}

fn key<R: Record>(handle: &(impl Handle + ?Sized)) -> Key {
    Key { kind: R::KIND, digest: handle.digest() }
}

impl Handle for str {
    fn digest(&self) -> [u8; 32] {
        Member::of(self).0
    }
}

impl Handle for String {
    fn digest(&self) -> [u8; 32] {
        self.as_str().digest()
    }
}

impl Handle for Member {
    fn digest(&self) -> [u8; 32] {
        self.0
    }
}
