//! The session store's epoch around an assertion that no login waits for (RULES 32).

use chrono::{DateTime, Utc};

use crate::sessions::{SessionStore, StoreError};

/// To be asked once the marker is set, with the epoch that the assertion was held against: where the store began anew in
/// between, a marker that stood there before may be gone, and the one just set proves nothing. Whoever presents the assertion
/// again meets the new epoch.
///
/// # Errors
/// [`StoreError::Unavailable`] where it did, or does not answer.
pub(super) async fn still_stands(
    store: &dyn SessionStore,
    epoch: DateTime<Utc>,
) -> Result<(), StoreError> {
    if store.epoch().await? == epoch {
        return Ok(());
    }
    Err(StoreError::Unavailable("it began anew while an assertion was checked".to_owned()))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use chrono::TimeDelta;

    use super::super::fixtures::now;
    use super::*;
    use crate::sessions::{Operation, Outcome};

    /// A store that fails over.
    #[derive(Debug)]
    struct FailingOver(Mutex<DateTime<Utc>>);

    #[async_trait]
    impl SessionStore for FailingOver {
        async fn batch(
            &self,
            _operations: &[Operation],
            _now: DateTime<Utc>,
        ) -> Result<Vec<Outcome>, StoreError> {
            Err(StoreError::Full)
        }

        async fn epoch(&self) -> Result<DateTime<Utc>, StoreError> {
            Ok(*self.0.lock().unwrap())
        }

        async fn ready(&self) -> Result<(), StoreError> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_marker_that_was_set_after_a_failover_proves_nothing() {
        let store = FailingOver(Mutex::new(now()));
        let epoch = store.epoch().await.unwrap();
        still_stands(&store, epoch).await.unwrap();

        *store.0.lock().unwrap() += TimeDelta::microseconds(1);

        let refused = still_stands(&store, epoch).await.unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    }
}
