//! Counts that the nodes share (RULES 38). Each counts for itself first; what comes near the limit is counted in the session
//! store as well, and what all have counted closes the window here too.
//!
//! Nothing waits for the store: the request that is counted goes on, and what the store says is heeded from the next one on.
//! So a shared limit costs no round trip of a login (RULES 40), and where the store is away each node holds the limit alone.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::config::Rate;
use crate::counter::{Counter, TooMany};
use crate::sessions::record::Records;

/// One limit, by key.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    name: &'static str,
    rate: Rate,
    here: Arc<Counter<String>>,
    /// `None`: there is one node only.
    everywhere: Option<Records>,
}

/// Kind of the counters in the session store.
const KIND: &str = "limit";
/// What a node counts for itself is this part of the limit.
const OWN_PART: u32 = 10;

impl Shared {
    pub(super) fn new(name: &'static str, rate: Rate, everywhere: Option<&Records>) -> Self {
        Self { name, rate, here: Arc::new(Counter::new(rate)), everywhere: everywhere.cloned() }
    }

    /// Counts one.
    ///
    /// # Errors
    /// [`TooMany`] where this node, or all together, have counted more than the rate.
    pub(super) fn count(&self, key: String, now: DateTime<Utc>) -> Result<(), TooMany> {
        let count = self.here.count(key.clone(), now)?;
        if self.everywhere.is_some() && count > self.own_part() {
            let shared = self.clone();
            tokio::spawn(async move { shared.tell(&key, now).await });
        }
        Ok(())
    }

    /// Tells the store, and closes the window here where all have counted enough. Each node's own part is not in the store's
    /// number: with one node the limit is exact, with more each adds a tenth and what it counts until it hears of the end.
    async fn tell(&self, key: &str, now: DateTime<Utc>) {
        let Some(records) = &self.everywhere else { return };
        let of = format!("{}\n{key}", self.name);
        match records.count((KIND, &of), self.window_end(now), now).await {
            Ok(count) if count >= u64::from(self.rate.count - self.own_part()) => {
                self.here.close(key.to_owned(), now);
            }
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "a limit is not shared at the moment"),
        }
    }

    const fn own_part(&self) -> u32 {
        self.rate.count / OWN_PART
    }

    fn window_end(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let seconds = i64::from(self.rate.seconds);
        let left = seconds - now.timestamp().rem_euclid(seconds);
        DateTime::from_timestamp(now.timestamp(), 0).unwrap_or(now) + TimeDelta::seconds(left)
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::login::fixtures::records;
    use crate::seal::{MasterKey, Sealer};
    use crate::sessions::{Operation, Outcome, SessionStore, StoreError};

    #[derive(Debug)]
    struct Away;

    #[async_trait]
    impl SessionStore for Away {
        async fn batch(
            &self,
            _: &[Operation],
            _: DateTime<Utc>,
        ) -> Result<Vec<Outcome>, StoreError> {
            Err(StoreError::Unavailable("away".to_owned()))
        }

        async fn epoch(&self) -> Result<DateTime<Utc>, StoreError> {
            Err(StoreError::Unavailable("away".to_owned()))
        }

        async fn ready(&self) -> Result<(), StoreError> {
            Err(StoreError::Unavailable("away".to_owned()))
        }
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_900_000_000 - 1_900_000_000 % 60 + second, 0).unwrap()
    }

    fn nodes() -> [Shared; 2] {
        let records = records();
        [0, 1].map(|_| Shared::new("address", Rate { count: 20, seconds: 60 }, Some(&records)))
    }

    /// Counts, and waits until the store has been told.
    async fn count(node: &Shared, key: &str, now: DateTime<Utc>) -> bool {
        let Ok(count) = node.here.count(key.to_owned(), now) else { return false };
        if count > node.own_part() {
            node.tell(key, now).await;
        }
        true
    }

    async fn let_in(nodes: &[&Shared], key: &str, now: DateTime<Utc>) -> usize {
        let mut let_in = 0;
        for i in 0..100 {
            let_in += usize::from(count(nodes[i % nodes.len()], key, now).await);
        }
        let_in
    }

    #[tokio::test]
    async fn one_node_holds_the_limit_exactly_and_two_hold_it_together() {
        let [a, b] = nodes();

        assert_eq!(let_in(&[&a], "x", at(0)).await, 20);
        // the second node's own tenth, and the one by which it learns of the end
        assert_eq!(let_in(&[&a, &b], "y", at(0)).await, 23);
        assert_eq!(let_in(&[&a, &b], "y", at(59)).await, 0);
        assert_eq!(let_in(&[&b, &a], "y", at(60)).await, 23, "a new window");
    }

    #[tokio::test]
    async fn what_is_far_below_the_limit_asks_nothing_of_the_store() {
        let [a, b] = nodes();

        assert!(count(&a, "x", at(0)).await && count(&a, "x", at(0)).await);
        let first = a.everywhere.as_ref().unwrap().count((KIND, "address\nx"), at(60), at(0)).await;
        assert_eq!(first.unwrap(), 1);
        for _ in 0..3 {
            assert!(count(&b, "x", at(0)).await);
        }
        let third = a.everywhere.as_ref().unwrap().count((KIND, "address\nx"), at(60), at(0)).await;
        assert_eq!(third.unwrap(), 3, "one of the node's, beyond its own part");
    }

    #[tokio::test]
    async fn counting_does_not_wait_for_the_store_and_heeds_it_later() {
        let [a, b] = nodes();
        for _ in 0..20 {
            assert_eq!(a.count("x".to_owned(), at(0)), Ok(()));
        }
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }

        for _ in 0..3 {
            assert_eq!(b.count("x".to_owned(), at(0)), Ok(()));
        }
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(b.count("x".to_owned(), at(0)), Err(TooMany { retry_after: 60 }));
        assert_eq!(b.count("y".to_owned(), at(0)), Ok(()));
    }

    #[tokio::test]
    async fn alone_or_without_the_store_each_node_holds_the_limit() {
        let rate = Rate { count: 20, seconds: 60 };
        let alone = Shared::new("address", rate, None);
        let sealer = Sealer::new(&MasterKey::new([1; 32])).unwrap();
        let away = Records::new(Arc::new(Away), sealer);
        let cut_off = Shared::new("address", rate, Some(&away));

        for node in [&alone, &cut_off] {
            assert_eq!(let_in(&[node], "x", at(0)).await, 20);
        }
    }
}
