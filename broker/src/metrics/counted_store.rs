//! A session store whose operations are counted.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::Metrics;
use crate::sessions::{Key, SessionStore, StoreError};

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

    fn noted<T>(
        &self,
        operation: &'static str,
        outcome: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let word = match &outcome {
            Ok(_) => "done",
            Err(StoreError::Full) => "full",
            Err(StoreError::Unavailable(_)) => "unavailable",
        };
        self.metrics.session(operation, word);
        outcome
    }
}

#[async_trait]
impl SessionStore for CountedStore {
    async fn put(
        &self,
        key: &Key,
        value: &[u8],
        expires_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.noted("put", self.inner.put(key, value, expires_at).await)
    }

    async fn get(&self, key: &Key, now: DateTime<Utc>) -> Result<Option<Vec<u8>>, StoreError> {
        self.noted("get", self.inner.get(key, now).await)
    }

    async fn take(&self, key: &Key, now: DateTime<Utc>) -> Result<Option<Vec<u8>>, StoreError> {
        self.noted("take", self.inner.take(key, now).await)
    }

    async fn insert_once(
        &self,
        key: &Key,
        value: &[u8],
        expires_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        self.noted("insert_once", self.inner.insert_once(key, value, expires_at, now).await)
    }

    async fn compare_and_swap(
        &self,
        key: &Key,
        expected: &[u8],
        new: &[u8],
        expires_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let swapped = self.inner.compare_and_swap(key, expected, new, expires_at, now).await;
        self.noted("compare_and_swap", swapped)
    }

    async fn epoch(&self) -> Result<DateTime<Utc>, StoreError> {
        self.noted("epoch", self.inner.epoch().await)
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.noted("ready", self.inner.ready().await)
    }
}
