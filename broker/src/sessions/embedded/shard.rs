//! A part of the records, in memory, with an index by expiry.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// SHA-256 of a key.
pub(super) type Id = [u8; 32];

/// Records by id, and the same ids in the order in which they expire. Times are microseconds of the Unix epoch.
#[derive(Debug, Default)]
pub(super) struct Shard {
    records: HashMap<Id, (Arc<[u8]>, i64)>,
    expiry: BTreeSet<(i64, Id)>,
}

impl Shard {
    /// A live value: one whose expiry is after `now`.
    pub(super) fn get(&self, id: &Id, now: i64) -> Option<Arc<[u8]>> {
        self.records
            .get(id)
            .filter(|(_, expires)| *expires > now)
            .map(|(value, _)| Arc::clone(value))
    }

    /// Length of the value that is there, live or not.
    pub(super) fn weight_of(&self, id: &Id) -> Option<usize> {
        self.records.get(id).map(|(value, _)| value.len())
    }

    /// Writes a value; returns what was there.
    pub(super) fn put(&mut self, id: Id, value: Arc<[u8]>, expires: i64) -> Option<Arc<[u8]>> {
        let old = self.remove(&id);
        self.records.insert(id, (value, expires));
        self.expiry.insert((expires, id));
        old
    }

    /// Removes a value and returns it.
    pub(super) fn remove(&mut self, id: &Id) -> Option<Arc<[u8]>> {
        let (value, expires) = self.records.remove(id)?;
        self.expiry.remove(&(expires, *id));
        Some(value)
    }

    /// One that has expired at `now`, if there is one.
    pub(super) fn first_expired(&self, now: i64) -> Option<Id> {
        self.expiry.first().filter(|(expires, _)| *expires <= now).map(|(_, id)| *id)
    }

    /// Gives memory back after a crowd has gone.
    pub(super) fn shrink(&mut self) {
        if self.records.capacity() > 64 + 4 * self.records.len() {
            self.records.shrink_to(2 * self.records.len());
        }
    }
}
