//! The embedded session store: read from memory, every change on disk before it is answered, replayed at start.
//!
//! One node only; the data folder's lock sees to that. A batch is made in memory and queued for the journal under the locks
//! of all that it touches, so the journal holds the changes of a key in the order in which they happened; the caller then
//! waits for the one commit.
//! Where that fails the caller is told that nothing is known, later changes are refused, and the journal goes on trying with
//! what it holds, so that memory and disk agree again before anything else is promised.

mod counters;
mod journal;
mod shard;
#[cfg(test)]
mod tests;
mod work;

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use counters::Counters;
pub use journal::OpenError;
use journal::{Change, Journal};
use shard::Shard;
use work::{Work, shard_of};

use super::{Operation, Outcome, SessionStore, StoreError, index};

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
    counters: Mutex<Counters>,
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
            counters: Mutex::default(),
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
}

impl Inner {
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

    /// Whether there is room even if everything that is written is new. Many at once may pass this together.
    fn has_room_for(&self, operations: &[Operation]) -> bool {
        let sizes = operations.iter().filter_map(|operation| match operation {
            Operation::Put { value, .. } | Operation::InsertOnce { value, .. } => Some(value.len()),
            Operation::CompareAndSwap { new, .. } => Some(new.len()),
            Operation::IndexAdd { .. } => Some(index::LARGEST),
            Operation::Count { .. }
            | Operation::Get { .. }
            | Operation::IndexMembers { .. }
            | Operation::IndexRemove { .. }
            | Operation::Take { .. } => None,
        });
        let (records, bytes) =
            sizes.fold((0, 0), |(records, bytes), size| (records + 1, bytes + weight(size)));
        self.records.load(Ordering::Relaxed) + records <= self.capacity.records
            && self.bytes.load(Ordering::Relaxed) + bytes <= self.capacity.bytes
    }
}

#[async_trait]
impl SessionStore for EmbeddedStore {
    /// All at one moment, in one message to the journal. A full store first takes away what has expired anywhere; where it
    /// is full even so, what came before in the batch has happened.
    async fn batch(
        &self,
        operations: &[Operation],
        now: DateTime<Utc>,
    ) -> Result<Vec<Outcome>, StoreError> {
        let inner = &*self.0;
        let now = inner.advance(now);
        if !operations.iter().any(Operation::writes) {
            return Work::on(inner, operations, now)?.all(operations);
        }
        if !inner.has_room_for(operations) {
            self.forget(SWEEP_WHEN_FULL, now);
        }
        let permit = inner.journal.reserve().await?;
        let (outcomes, committed) = {
            let mut work = Work::on(inner, operations, now)?;
            work.sweep();
            let swept = work.changes.len();
            let outcomes = work.all(operations);
            let waits = work.changes.len() > swept;
            let changes = std::mem::take(&mut work.changes);
            // still under the locks: the journal has the changes of a record in their order
            let sent = (!changes.is_empty()).then(|| permit.send(changes, now));
            (outcomes, sent.filter(|_| waits))
        };
        if let Some(committed) = committed {
            committed.wait().await?;
        }
        outcomes
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

const fn weight(bytes: usize) -> usize {
    bytes + RECORD_OVERHEAD
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
