//! Typed records over a [`SessionStore`]: sealed, with our own expiry, found by the SHA-256 of their handle.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Serialize, de::DeserializeOwned};

use super::{Key, SessionStore, StoreError};
use crate::seal::{Purpose, Sealer};

/// One stage of a login or grant: own type, own key prefix, own lifetime.
pub trait Record: Serialize + DeserializeOwned + Send + Sync {
    /// Short constant, part of the stored key.
    const KIND: &'static str;
    /// Lifetime from its writing.
    const LIFETIME: TimeDelta;
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
        handle: &str,
        record: &R,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let key = key::<R>(handle);
        let value = self.seal(&key, record)?;
        self.store.put(&key, &value, now + R::LIFETIME).await
    }

    /// Reads a record.
    ///
    /// # Errors
    /// [`StoreError`]; a value that does not open under our key counts as unavailable, never as absent.
    pub async fn get<R: Record>(
        &self,
        handle: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Stored<R>>, StoreError> {
        let key = key::<R>(handle);
        let Some(raw) = self.store.get(&key, now).await? else { return Ok(None) };
        Ok(Some(Stored { record: self.open(&key, &raw)?, raw }))
    }

    /// Reads and removes a record: one of many takers wins.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn take<R: Record>(
        &self,
        handle: &str,
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
        handle: &str,
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
        self.store.insert_once(&Key { kind, digest: sha256(value) }, b"1", until, now).await
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

fn key<R: Record>(handle: &str) -> Key {
    Key { kind: R::KIND, digest: sha256(handle) }
}

fn sha256(text: &str) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    out
}
