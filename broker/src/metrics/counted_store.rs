//! A session store whose operations are counted.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::Metrics;
use crate::sessions::{Operation, Outcome, SessionStore, StoreError};

/// Hands every operation on and notes how it went.
#[derive(Debug)]
pub struct CountedStore {
    inner: Arc<dyn SessionStore>,
    metrics: Arc<Metrics>,
}

impl CountedStore {
    /// Over this store.
    pub fn new(inner: Arc<dyn SessionStore>, metrics: Arc<Metrics>) -> Self {
        Self { inner, metrics }
    }

    fn note<T>(&self, operation: &'static str, outcome: &Result<T, StoreError>) {
        let word = match outcome {
            Ok(_) => "done",
            Err(StoreError::Full) => "full",
            Err(StoreError::Unavailable(_)) => "unavailable",
        };
        self.metrics.session(operation, word);
    }
}

#[async_trait]
impl SessionStore for CountedStore {
    /// Each operation is counted by its own name; where the store fails, nothing is known of any.
    async fn batch(
        &self,
        operations: &[Operation],
        now: DateTime<Utc>,
    ) -> Result<Vec<Outcome>, StoreError> {
        let outcomes = self.inner.batch(operations, now).await;
        for operation in operations {
            self.note(operation.word(), &outcomes);
        }
        outcomes
    }

    async fn epoch(&self) -> Result<DateTime<Utc>, StoreError> {
        let epoch = self.inner.epoch().await;
        self.note("epoch", &epoch);
        epoch
    }

    async fn ready(&self) -> Result<(), StoreError> {
        let ready = self.inner.ready().await;
        self.note("ready", &ready);
        ready
    }

    async fn warnings(&self) -> Vec<String> {
        self.inner.warnings().await
    }
}
