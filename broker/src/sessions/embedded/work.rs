//! One batch on the records in memory, under the locks of all shards that it touches.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};

use aws_lc_rs::digest::{Context, SHA256};
use chrono::{DateTime, Utc};

use super::journal::Change;
use super::shard::{Id, Shard};
use super::{Inner, SHARDS, SWEEP, lock, weight};
use crate::sessions::index::{self, Changed};
use crate::sessions::{Key, Member, Operation, Outcome, StoreError};

/// The shards, locked, and what has changed in them.
pub(super) struct Work<'a> {
    inner: &'a Inner,
    shards: BTreeMap<usize, MutexGuard<'a, Shard>>,
    now: i64,
    pub(super) changes: Vec<Change>,
}

impl<'a> Work<'a> {
    /// Locks in the order of the shards, so that two batches never wait for each other.
    pub(super) fn on(
        inner: &'a Inner,
        operations: &[Operation],
        now: i64,
    ) -> Result<Self, StoreError> {
        let records = operations.iter().filter(|o| !matches!(o, Operation::Count { .. }));
        let numbers: BTreeSet<usize> = records.map(|o| shard_of(&id(o.key()))).collect();
        let mut shards = BTreeMap::new();
        for number in numbers {
            let shard = inner.shards.get(number).ok_or_else(no_shard)?;
            shards.insert(number, lock(shard));
        }
        Ok(Self { inner, shards, now, changes: Vec::new() })
    }

    /// Takes away some of what has expired in these shards.
    pub(super) fn sweep(&mut self) {
        for shard in self.shards.values_mut() {
            self.changes.extend(self.inner.sweep(shard, SWEEP, self.now));
        }
    }

    /// Runs them in their order.
    pub(super) fn all(&mut self, operations: &[Operation]) -> Result<Vec<Outcome>, StoreError> {
        operations.iter().map(|operation| self.run(operation)).collect()
    }

    fn run(&mut self, operation: &Operation) -> Result<Outcome, StoreError> {
        let id = id(operation.key());
        match operation {
            Operation::CompareAndSwap { expected, new, expires_at, .. } => {
                let same = self.get(&id)?.is_some_and(|found| *found == **expected);
                self.put_if(same, id, new, *expires_at)
            }
            Operation::Count { window_end, .. } => {
                let mut counters = lock(&self.inner.counters);
                Ok(Outcome::Counted(counters.count(id, window_end.timestamp_micros(), self.now)))
            }
            Operation::Get { .. } => Ok(Outcome::Value(self.get(&id)?.map(|found| found.to_vec()))),
            Operation::IndexAdd { member, expires_at, .. } => {
                let stored = self.get(&id)?.unwrap_or_default();
                let ends = expires_at.timestamp_micros();
                let Changed { value, expires, let_go } =
                    index::add(&stored, *member, ends, self.now)?;
                self.put(id, &value, expires)?;
                Ok(Outcome::LetGo(let_go))
            }
            Operation::IndexMembers { .. } => {
                let stored = self.get(&id)?.unwrap_or_default();
                Ok(Outcome::Members(index::members(&stored, self.now)?))
            }
            Operation::IndexRemove { member, .. } => self.index_remove(id, *member),
            Operation::InsertOnce { value, expires_at, .. } => {
                let free = self.get(&id)?.is_none();
                self.put_if(free, id, value, *expires_at)
            }
            Operation::Put { value, expires_at, .. } => {
                self.put(id, value, expires_at.timestamp_micros())?;
                Ok(Outcome::Done)
            }
            Operation::Take { .. } => {
                let found = self.get(&id)?;
                if found.is_some() {
                    self.change(Change::Delete(id))?;
                }
                Ok(Outcome::Value(found.map(|value| value.to_vec())))
            }
        }
    }

    fn index_remove(&mut self, id: Id, member: Member) -> Result<Outcome, StoreError> {
        if let Some(stored) = self.get(&id)? {
            let Changed { value, expires, .. } = index::remove(&stored, member, self.now)?;
            if value.is_empty() {
                self.change(Change::Delete(id))?;
            } else if *value != *stored {
                self.put(id, &value, expires)?;
            }
        }
        Ok(Outcome::Done)
    }

    fn put_if(
        &mut self,
        won: bool,
        id: Id,
        value: &[u8],
        expires_at: DateTime<Utc>,
    ) -> Result<Outcome, StoreError> {
        if won {
            self.put(id, value, expires_at.timestamp_micros())?;
        }
        Ok(Outcome::Decided(won))
    }

    /// A put, if there is room for it. Many at once may pass the check together and exceed it by their number.
    fn put(&mut self, id: Id, value: &[u8], expires: i64) -> Result<(), StoreError> {
        let inner = self.inner;
        let replaced = self.shard(&id)?.weight_of(&id).map(weight);
        let records = inner.records.load(Ordering::Relaxed) + usize::from(replaced.is_none());
        let bytes = inner.bytes.load(Ordering::Relaxed) + weight(value.len());
        let grows = replaced.is_none_or(|old| old < weight(value.len()));
        let full = records > inner.capacity.records
            || bytes.saturating_sub(replaced.unwrap_or(0)) > inner.capacity.bytes;
        if grows && full {
            return Err(StoreError::Full);
        }
        self.change(Change::Put(id, Arc::from(value), expires))
    }

    fn change(&mut self, change: Change) -> Result<(), StoreError> {
        let inner = self.inner;
        inner.apply(self.shard(change.id())?, &change);
        self.changes.push(change);
        Ok(())
    }

    fn get(&mut self, id: &Id) -> Result<Option<Arc<[u8]>>, StoreError> {
        let now = self.now;
        Ok(self.shard(id)?.get(id, now))
    }

    fn shard(&mut self, id: &Id) -> Result<&mut Shard, StoreError> {
        Ok(self.shards.get_mut(&shard_of(id)).ok_or_else(no_shard)?)
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

pub(super) fn shard_of(id: &Id) -> usize {
    usize::from(id[0]) % SHARDS
}

fn no_shard() -> StoreError {
    StoreError::Unavailable("no such shard".to_owned())
}
