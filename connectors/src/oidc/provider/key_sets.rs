use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use homerealm_certs::UpstreamKeySet;
use url::Url;

use super::cached::Cached;
use super::load_keys;
use crate::error::ConnectorError;
use crate::http::Outbound;

/// Key sets that our own clients publish (`jwks_uri`), cached as those of providers are: a failure is remembered for a
/// moment, a rollover is seen at the first unknown `kid`, and nobody makes us ask an address more than once a minute.
#[derive(Debug)]
pub struct ClientKeySets {
    outbound: Arc<Outbound>,
    by_url: Mutex<HashMap<Url, Known>>,
}

#[derive(Debug)]
struct Known {
    keys: Arc<Cached<UpstreamKeySet>>,
    last_used: DateTime<Utc>,
}

/// More sets than that are fetched anew when their turn comes.
const CAPACITY: usize = 1024;

impl ClientKeySets {
    #[must_use]
    pub fn new(outbound: Arc<Outbound>) -> Self {
        Self { outbound, by_url: Mutex::default() }
    }

    /// The keys at this address, as fresh as their lifetime says.
    ///
    /// # Errors
    /// They cannot be had and none are remembered.
    pub async fn keys(
        &self,
        url: &Url,
        now: DateTime<Utc>,
    ) -> Result<Arc<UpstreamKeySet>, ConnectorError> {
        self.cached(url, now).get(now, load_keys(&self.outbound, url)).await
    }

    /// Keys newer than `seen`, which did not have the right one; `seen` where there are none.
    pub async fn newer_keys(
        &self,
        url: &Url,
        seen: Arc<UpstreamKeySet>,
        now: DateTime<Utc>,
    ) -> Arc<UpstreamKeySet> {
        self.cached(url, now).newer(seen, now, load_keys(&self.outbound, url)).await
    }

    fn cached(&self, url: &Url, now: DateTime<Utc>) -> Arc<Cached<UpstreamKeySet>> {
        let mut by_url = self.by_url.lock().unwrap_or_else(PoisonError::into_inner);
        if !by_url.contains_key(url) && by_url.len() >= CAPACITY {
            let oldest = by_url.iter().min_by_key(|(_, known)| known.last_used);
            if let Some(url) = oldest.map(|(url, _)| url.clone()) {
                by_url.remove(&url);
            }
        }
        let known = by_url
            .entry(url.clone())
            .or_insert_with(|| Known { keys: Arc::default(), last_used: now });
        known.last_used = now;
        Arc::clone(&known.keys)
    }
}
