//! A store for tests: one lock makes every batch atomic.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::{Operation, Outcome, SessionStore, StoreError, index};
use crate::login::fixtures::now;

/// In memory; it began a day before the tests' time.
#[derive(Debug, Default)]
pub(crate) struct MemoryStore(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries(BTreeMap<String, (Vec<u8>, i64)>);

impl Entries {
    fn live(&self, key: &str, now: i64) -> Option<Vec<u8>> {
        self.0.get(key).filter(|(_, until)| *until > now).map(|(value, _)| value.clone())
    }

    fn put(&mut self, key: String, value: &[u8], until: i64) {
        self.0.insert(key, (value.to_vec(), until));
    }

    fn run(&mut self, operation: &Operation, now: i64) -> Result<Outcome, StoreError> {
        let key = operation.key().to_string();
        let found = self.live(&key, now);
        Ok(match operation {
            Operation::CompareAndSwap { expected, new, expires_at, .. } => {
                let same = found.as_ref() == Some(expected);
                if same {
                    self.put(key, new, expires_at.timestamp_micros());
                }
                Outcome::Decided(same)
            }
            Operation::Count { window_end, .. } => {
                let text = found.map_or("0".to_owned(), |v| String::from_utf8(v).unwrap());
                let count = text.parse::<u64>().unwrap() + 1;
                self.put(key, count.to_string().as_bytes(), window_end.timestamp_micros());
                Outcome::Counted(count)
            }
            Operation::Get { .. } => Outcome::Value(found),
            Operation::IndexAdd { member, expires_at, .. } => {
                let ends = expires_at.timestamp_micros();
                let changed = index::add(&found.unwrap_or_default(), *member, ends, now)?;
                self.put(key, &changed.value, changed.expires);
                Outcome::LetGo(changed.let_go)
            }
            Operation::IndexMembers { .. } => {
                Outcome::Members(index::members(&found.unwrap_or_default(), now)?)
            }
            Operation::IndexRemove { member, .. } => {
                let changed = index::remove(&found.unwrap_or_default(), *member, now)?;
                self.put(key, &changed.value, changed.expires);
                Outcome::Done
            }
            Operation::InsertOnce { value, expires_at, .. } => {
                if found.is_none() {
                    self.put(key, value, expires_at.timestamp_micros());
                }
                Outcome::Decided(found.is_none())
            }
            Operation::Put { value, expires_at, .. } => {
                self.put(key, value, expires_at.timestamp_micros());
                Outcome::Done
            }
            Operation::Take { .. } => {
                self.0.remove(&key);
                Outcome::Value(found)
            }
        })
    }
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn batch(
        &self,
        operations: &[Operation],
        now: DateTime<Utc>,
    ) -> Result<Vec<Outcome>, StoreError> {
        let (mut entries, now) = (self.0.lock().unwrap(), now.timestamp_micros());
        operations.iter().map(|operation| entries.run(operation, now)).collect()
    }

    async fn epoch(&self) -> Result<DateTime<Utc>, StoreError> {
        Ok(now() - TimeDelta::days(1))
    }

    async fn ready(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
