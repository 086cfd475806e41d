//! The embedded session store: read from memory, every change on disk before it is answered, replayed at start.
//!
//! One node only; the data folder's lock sees to that. A change is made in memory and queued for the journal under one lock,
//! so the journal holds the changes of a key in the order in which they happened; the caller then waits for the commit.
//! Where that fails the caller is told that nothing is known, later changes are refused, and the journal goes on trying with
//! what it holds, so that memory and disk agree again before anything else is promised.

mod journal;
mod shard;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use aws_lc_rs::digest::{Context, SHA256};
use chrono::{DateTime, Utc};

pub use journal::OpenError;
use journal::{Change, Journal};
use shard::{Id, Shard};

use super::{Key, SessionStore, StoreError};

/// Name of its file in the data folder.
pub const FILE: &str = "sessions.db";

/// How much it holds; above that it refuses, it never evicts.
#[derive(Clone, Copy, Debug)]
pub struct Capacity {
    /// Records.
    pub records: usize,
    /// Bytes of their values, with 200 bytes a record for what surrounds them.
    pub bytes: usize,
}

/// A handle; clones are the same store.
#[derive(Clone)]
pub struct EmbeddedStore(Arc<Inner>);

struct Inner {
    shards: Vec<Mutex<Shard>>,
    journal: Journal,
    capacity: Capacity,
    records: AtomicUsize,
    bytes: AtomicUsize,
    epoch: DateTime<Utc>,
    /// The latest time that any caller named, in microseconds.
    latest: AtomicI64,
}

const SHARDS: usize = 64;
const RECORD_OVERHEAD: usize = 200;
/// Expired records of its own shard that each change takes away; more than one, so that they never pile up.
const SWEEP: usize = 4;
/// Expired records of all shards that a change takes away before it is refused for want of room.
const SWEEP_WHEN_FULL: usize = 1024;

impl Default for Capacity {
    fn default() -> Self {
        Self { records: 1_000_000, bytes: 1024 * 1024 * 1024 }
    }
}

impl EmbeddedStore {
    /// Opens or makes the file and reads what has not expired.
    ///
    /// # Errors
    /// [`OpenError`], also where the clock is behind the last entry: then expiry could not be judged (RULES 33).
    pub async fn open(
        file: &Path,
        capacity: Capacity,
        now: DateTime<Utc>,
    ) -> Result<Self, OpenError> {
        let (journal, replay) = journal::open(file, now).await?;
        let mut shards: Vec<Shard> = (0..SHARDS).map(|_| Shard::default()).collect();
        let (mut records, mut bytes) = (0, 0);
        for (id, value, expires) in replay.records {
            records += 1;
            bytes += weight(value.len());
            if let Some(shard) = shards.get_mut(shard_of(&id)) {
                shard.put(id, value, expires);
            }
        }
        Ok(Self(Arc::new(Inner {
            shards: shards.into_iter().map(Mutex::new).collect(),
            journal,
            capacity,
            records: records.into(),
            bytes: bytes.into(),
            epoch: replay.epoch,
            latest: now.timestamp_micros().into(),
        })))
    }

    /// Takes away up to `limit` expired records; never looks at others.
    pub fn forget_expired(&self, limit: usize, now: DateTime<Utc>) {
        self.forget(limit, self.0.advance(now));
    }

    fn forget(&self, limit: usize, now: i64) {
        let share = limit.div_ceil(SHARDS);
        for shard in &self.0.shards {
            let Some(permit) = self.0.journal.try_reserve() else { return };
            let mut shard = lock(shard);
            let gone = self.0.sweep(&mut shard, share, now);
            shard.shrink();
            if !gone.is_empty() {
                drop(permit.send(gone, now));
            }
        }
    }

    /// Writes what is queued and closes the file; the store is unavailable afterwards.
    pub async fn close(&self) {
        self.0.journal.close().await;
    }

    /// Records that it holds, expired ones that are not swept yet included.
    pub fn len(&self) -> usize {
        self.0.records.load(Ordering::Relaxed)
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Applies `decide` to the key's shard; what it returns as a change is on disk when this answers. A full store first
    /// takes away what has expired anywhere.
    async fn change<T: Send>(
        &self,
        key: &Key,
        now: Option<DateTime<Utc>>,
        decide: impl Fn(&Inner, &Shard, Id, i64) -> Result<(T, Option<Change>), StoreError>
        + Send
        + Sync,
    ) -> Result<T, StoreError> {
        let now = match now {
            Some(now) => self.0.advance(now),
            None => self.0.latest.load(Ordering::Relaxed),
        };
        match self.attempt(key, now, &decide).await {
            Err(StoreError::Full) => {
                self.forget(SWEEP_WHEN_FULL, now);
                self.attempt(key, now, &decide).await
            }
            answer => answer,
        }
    }

    async fn attempt<T: Send>(
        &self,
        key: &Key,
        now: i64,
        decide: &(
             impl Fn(&Inner, &Shard, Id, i64) -> Result<(T, Option<Change>), StoreError> + Send + Sync
         ),
    ) -> Result<T, StoreError> {
        let inner = &*self.0;
        let id = id(key);
        let permit = inner.journal.reserve().await?;
        let (answer, committed) = {
            let mut shard = inner.shard(&id)?;
            let mut changes = inner.sweep(&mut shard, SWEEP, now);
            let decided = decide(inner, &shard, id, now);
            let waits = if let Ok((_, Some(change))) = &decided {
                inner.apply(&mut shard, change);
                changes.push(change.clone());
                true
            } else {
                false
            };
            let sent = (!changes.is_empty()).then(|| permit.send(changes, now));
            (decided?.0, sent.filter(|_| waits))
        };
        if let Some(committed) = committed {
            committed.wait().await?;
        }
        Ok(answer)
    }
}

impl Inner {
    fn shard(&self, id: &Id) -> Result<MutexGuard<'_, Shard>, StoreError> {
        let shard = self.shards.get(shard_of(id));
        shard.map(lock).ok_or_else(|| StoreError::Unavailable("no such shard".to_owned()))
    }

    /// Time only moves forward here: a clock that steps back brings nothing back that has expired, swept or not.
    fn advance(&self, now: DateTime<Utc>) -> i64 {
        let now = now.timestamp_micros();
        self.latest.fetch_max(now, Ordering::Relaxed).max(now)
    }

    fn sweep(&self, shard: &mut Shard, limit: usize, now: i64) -> Vec<Change> {
        let mut changes = Vec::new();
        while changes.len() < limit {
            let Some(id) = shard.first_expired(now) else { break };
            let change = Change::Delete(id);
            self.apply(shard, &change);
            changes.push(change);
        }
        changes
    }

    fn apply(&self, shard: &mut Shard, change: &Change) {
        let old = match change {
            Change::Put(id, value, expires) => {
                self.records.fetch_add(1, Ordering::Relaxed);
                self.bytes.fetch_add(weight(value.len()), Ordering::Relaxed);
                shard.put(*id, Arc::clone(value), *expires)
            }
            Change::Delete(id) => shard.remove(id),
        };
        if let Some(old) = old {
            self.records.fetch_sub(1, Ordering::Relaxed);
            self.bytes.fetch_sub(weight(old.len()), Ordering::Relaxed);
        }
    }

    /// A put, if there is room for it. Many at once may pass the check together and exceed it by their number.
    fn put(
        &self,
        shard: &Shard,
        id: Id,
        value: &[u8],
        expires_at: DateTime<Utc>,
    ) -> Result<Change, StoreError> {
        let replaced = shard.weight_of(&id).map(weight);
        let records = self.records.load(Ordering::Relaxed) + usize::from(replaced.is_none());
        let bytes = self.bytes.load(Ordering::Relaxed) + weight(value.len());
        let grows = replaced.is_none_or(|old| old < weight(value.len()));
        let full = records > self.capacity.records
            || bytes.saturating_sub(replaced.unwrap_or(0)) > self.capacity.bytes;
        if grows && full {
            return Err(StoreError::Full);
        }
        Ok(Change::Put(id, Arc::from(value), expires_at.timestamp_micros()))
    }
}

#[async_trait]
impl SessionStore for EmbeddedStore {
    async fn put(
        &self,
        key: &Key,
        value: &[u8],
        expires_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.change(key, None, |inner, shard, id, _| {
            Ok(((), Some(inner.put(shard, id, value, expires_at)?)))
        })
        .await
    }

    async fn get(&self, key: &Key, now: DateTime<Utc>) -> Result<Option<Vec<u8>>, StoreError> {
        let id = id(key);
        let now = self.0.advance(now);
        let found = self.0.shard(&id)?.get(&id, now);
        Ok(found.map(|value| value.to_vec()))
    }

    async fn take(&self, key: &Key, now: DateTime<Utc>) -> Result<Option<Vec<u8>>, StoreError> {
        self.change(key, Some(now), |_, shard, id, now| {
            let found = shard.get(&id, now);
            let change = found.is_some().then_some(Change::Delete(id));
            Ok((found.map(|value| value.to_vec()), change))
        })
        .await
    }

    async fn insert_once(
        &self,
        key: &Key,
        value: &[u8],
        expires_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        self.change(key, Some(now), |inner, shard, id, now| {
            if shard.get(&id, now).is_some() {
                return Ok((false, None));
            }
            Ok((true, Some(inner.put(shard, id, value, expires_at)?)))
        })
        .await
    }

    async fn compare_and_swap(
        &self,
        key: &Key,
        expected: &[u8],
        new: &[u8],
        expires_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        self.change(key, Some(now), |inner, shard, id, now| {
            if shard.get(&id, now).is_none_or(|found| *found != *expected) {
                return Ok((false, None));
            }
            Ok((true, Some(inner.put(shard, id, new, expires_at)?)))
        })
        .await
    }

    async fn epoch(&self) -> Result<DateTime<Utc>, StoreError> {
        Ok(self.0.epoch)
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.0.journal.ready()
    }
}

impl fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmbeddedStore({} records)", self.len())
    }
}

/// SHA-256 over kind and digest: short, of one length, evenly spread.
fn id(key: &Key) -> Id {
    let mut context = Context::new(&SHA256);
    context.update(key.kind.as_bytes());
    context.update(b":");
    context.update(&key.digest);
    let mut id = [0; 32];
    id.copy_from_slice(context.finish().as_ref());
    id
}

fn shard_of(id: &Id) -> usize {
    usize::from(id[0]) % SHARDS
}

const fn weight(bytes: usize) -> usize {
    bytes + RECORD_OVERHEAD
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
