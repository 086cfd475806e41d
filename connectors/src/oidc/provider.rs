//! Discovery documents and key sets of OpenID Providers, cached.

mod cached;
mod key_sets;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use homerealm_certs::{JwksError, UpstreamKeySet};
use homerealm_metadata::oidc::OidcProviderMetadata;
use url::Url;

use super::Rejection;
use super::settings::OidcSettings;
use crate::error::ConnectorError;
use crate::http::{Fetched, Outbound};
use cached::{Cached, Loaded};
pub use key_sets::ClientKeySets;

/// What all connections know of their providers. Holds the outbound client.
///
/// Two connections to the same provider share its documents, never anything that an administrator configured.
#[derive(Debug)]
pub struct Providers {
    outbound: Arc<Outbound>,
    by_url: Mutex<HashMap<Key, Arc<Provider>>>,
    capacity: usize,
}

/// The discovery URL, the issuer that the document must name, and whether its endpoints may be http.
type Key = (Url, String, bool);

#[derive(Debug)]
struct Provider {
    discovery: Cached<OidcProviderMetadata>,
    keys: Cached<UpstreamKeySet>,
    last_used: Mutex<DateTime<Utc>>,
}

impl Providers {
    /// More providers than that are fetched anew when their turn comes.
    const CAPACITY: usize = 4096;

    #[must_use]
    pub fn new(outbound: Arc<Outbound>) -> Self {
        Self::with_capacity(outbound, Self::CAPACITY)
    }

    pub(super) fn with_capacity(outbound: Arc<Outbound>, capacity: usize) -> Self {
        Self { outbound, by_url: Mutex::default(), capacity }
    }

    pub(super) fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    /// The provider's discovery document.
    ///
    /// # Errors
    /// It cannot be had and none is remembered, or it does not name the connection's issuer.
    pub(super) async fn metadata(
        &self,
        settings: &OidcSettings,
        now: DateTime<Utc>,
    ) -> Result<Arc<OidcProviderMetadata>, ConnectorError> {
        let (url, issuer, allow_http) = key(settings)?;
        let provider = self.provider((url.clone(), issuer.clone(), allow_http), now);
        let load = async {
            let fetched = fetch(&self.outbound, &url, "the discovery document").await?;
            let document =
                OidcProviderMetadata::read(&fetched.body, &issuer, allow_http).map_err(|e| {
                    Rejection::Discovery { url: url.to_string(), reason: e.to_string() }
                })?;
            Ok(Loaded { value: document, lifetime: lifetime(&fetched, DISCOVERY_LIFETIME) })
        };
        provider.discovery.get(now, load).await
    }

    /// The provider's keys, as fresh as their lifetime says.
    ///
    /// # Errors
    /// They cannot be had and none are remembered.
    pub(super) async fn keys(
        &self,
        settings: &OidcSettings,
        metadata: &OidcProviderMetadata,
        now: DateTime<Utc>,
    ) -> Result<Arc<UpstreamKeySet>, ConnectorError> {
        let provider = self.provider(key(settings)?, now);
        provider.keys.get(now, load_keys(&self.outbound, &metadata.jwks_uri)).await
    }

    /// Keys newer than `seen`, which did not have the right one; at most one request a minute goes out for this.
    ///
    /// # Errors
    /// The settings name no URL. A provider that does not answer is no error: `seen` stays.
    pub(super) async fn newer_keys(
        &self,
        settings: &OidcSettings,
        metadata: &OidcProviderMetadata,
        seen: Arc<UpstreamKeySet>,
        now: DateTime<Utc>,
    ) -> Result<Arc<UpstreamKeySet>, ConnectorError> {
        let provider = self.provider(key(settings)?, now);
        Ok(provider.keys.newer(seen, now, load_keys(&self.outbound, &metadata.jwks_uri)).await)
    }

    fn provider(&self, key: Key, now: DateTime<Utc>) -> Arc<Provider> {
        let mut by_url = self.by_url.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = by_url.get(&key) {
            known.used_at(now);
            return Arc::clone(known);
        }
        if by_url.len() >= self.capacity {
            forget_least_recently_used(&mut by_url);
        }
        let provider = Arc::new(Provider {
            discovery: Cached::default(),
            keys: Cached::default(),
            last_used: Mutex::new(now),
        });
        by_url.insert(key, Arc::clone(&provider));
        provider
    }
}

async fn load_keys(
    outbound: &Outbound,
    url: &Url,
) -> Result<Loaded<UpstreamKeySet>, ConnectorError> {
    let refused = |reason: String| Rejection::KeySet { url: url.to_string(), reason };
    let fetched = fetch(outbound, url, "the key set").await?;
    let keys =
        UpstreamKeySet::parse(&fetched.body).map_err(|e: JwksError| refused(e.to_string()))?;
    if keys.is_empty() {
        return Err(refused("no key that signatures can be verified with".to_owned()).into());
    }
    Ok(Loaded { value: keys, lifetime: lifetime(&fetched, KEYS_LIFETIME) })
}

async fn fetch(
    outbound: &Outbound,
    url: &Url,
    what: &'static str,
) -> Result<Fetched, ConnectorError> {
    let unreachable = |reason: String| ConnectorError::Unreachable { what, reason };
    let fetched = outbound
        .get(url, "application/json", MAX_DOCUMENT)
        .await
        .map_err(|e| unreachable(e.to_string()))?;
    if fetched.status != 200 {
        return Err(unreachable(format!("answered with status {}", fetched.status)));
    }
    if fetched.content_type.as_deref() == Some("text/html") {
        return Err(unreachable("answered with a web page instead of JSON".to_owned()));
    }
    Ok(fetched)
}

impl Provider {
    fn used_at(&self, now: DateTime<Utc>) {
        *self.last_used.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    fn last_used(&self) -> DateTime<Utc> {
        *self.last_used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(settings: &OidcSettings) -> Result<Key, Rejection> {
    Ok((settings.issuer.discovery_url()?, settings.issuer.discovery_issuer(), settings.allow_http))
}

fn forget_least_recently_used(by_url: &mut HashMap<Key, Arc<Provider>>) {
    let oldest = by_url.iter().min_by_key(|(_, provider)| provider.last_used());
    if let Some(key) = oldest.map(|(key, _)| key.clone()) {
        by_url.remove(&key);
    }
}

/// As long as the server says, within bounds of ours.
fn lifetime(fetched: &Fetched, default: TimeDelta) -> TimeDelta {
    let announced = |age: Duration| TimeDelta::from_std(age).unwrap_or(MAX_LIFETIME);
    fetched.max_age.map_or(default, announced).clamp(MIN_LIFETIME, MAX_LIFETIME)
}

const MAX_DOCUMENT: usize = 512 * 1024;
const MIN_LIFETIME: TimeDelta = TimeDelta::minutes(5);
const MAX_LIFETIME: TimeDelta = TimeDelta::hours(24);
const DISCOVERY_LIFETIME: TimeDelta = TimeDelta::hours(24);
/// A key that the provider withdraws is gone here within the hour.
const KEYS_LIFETIME: TimeDelta = TimeDelta::hours(1);
