//! The keys that our tokens are signed with, as they are now.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use homerealm_certs::{JwsAlgorithm, KeyError, KeySet, KeySetError, KeyState, SigningKey};
use tokio::sync::Mutex;

use crate::catalog::signing_key::StoredKey;
use crate::catalog::{Author, Catalog, CatalogError};
use crate::seal::{Purpose, SealError, Sealer};

mod schedule;
#[cfg(test)]
mod tests;

pub use schedule::Schedule;

/// The current key set, swapped as a whole when a key is rotated or retired. Clones share it.
#[derive(Clone)]
pub struct KeyRing(Arc<Inner>);

struct Inner {
    catalog: Catalog,
    sealer: Sealer,
    current: ArcSwap<KeySet>,
    /// Held from reading to swapping, so that what was read earlier never takes the place of what was read later.
    reading: Mutex<()>,
}

/// A signing key as operators see it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyInfo {
    /// RFC 7638 thumbprint.
    pub kid: String,
    /// What it signs.
    pub algorithm: JwsAlgorithm,
    /// Where it stands in its life.
    pub state: KeyState,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// Why the keys could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingError {
    /// The database did not do it, or somebody else rotated at the same time.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A key could not be made or read.
    #[error("a signing key: {0}")]
    Key(#[from] KeyError),
    /// The stored keys do not make a set.
    #[error(transparent)]
    KeySet(#[from] KeySetError),
    /// A stored key does not carry the id that it is stored under.
    #[error("the signing key {kid} is another key")]
    OtherKey {
        /// Where it is stored.
        kid: String,
    },
    /// A stored key does not open.
    #[error("the signing key {kid}: {source}")]
    Seal {
        /// Where it is stored.
        kid: String,
        /// Why.
        source: SealError,
    },
    /// The process is stopping.
    #[error("stopped while keys were made")]
    Stopped,
    /// Caches may not hold the next key yet, and would refuse what it signs.
    #[error("the next key {kid} was published a short while ago; it can sign from {until} on")]
    TooNew {
        /// The next key.
        kid: String,
        /// From then on it can sign.
        until: DateTime<Utc>,
    },
}

impl KeyRing {
    /// The stored keys; where an algorithm has no active or next key, it gets one.
    ///
    /// # Errors
    /// [`KeyRingError`].
    pub async fn load_or_create(
        catalog: &Catalog,
        sealer: &Sealer,
        now: DateTime<Utc>,
    ) -> Result<Self, KeyRingError> {
        let mut stored = catalog.signing_keys().await?;
        let missing = missing(&stored);
        if !missing.is_empty() {
            let mut fresh = Vec::with_capacity(missing.len());
            for (algorithm, state) in missing {
                fresh.push(generate(sealer, algorithm, state, now).await?);
            }
            catalog.add_missing_signing_keys(fresh).await?;
            stored = catalog.signing_keys().await?;
        }
        let current = ArcSwap::from_pointee(open(sealer, &stored)?);
        Ok(Self(Arc::new(Inner {
            catalog: catalog.clone(),
            sealer: sealer.clone(),
            current,
            reading: Mutex::default(),
        })))
    }

    /// The keys as they are now; a caller that needs two of them takes this once.
    pub fn current(&self) -> Arc<KeySet> {
        self.0.current.load_full()
    }

    /// Every key, by algorithm and state.
    ///
    /// # Errors
    /// [`KeyRingError::Catalog`].
    pub async fn list(&self) -> Result<Vec<KeyInfo>, KeyRingError> {
        let stored = self.0.catalog.signing_keys().await?;
        Ok(stored.into_iter().map(KeyInfo::from).collect())
    }

    /// The next key, once it has been published for a day, becomes active; the active one is published on and signs nothing
    /// more; a new next key is made.
    ///
    /// # Errors
    /// [`KeyRingError`]; then nothing has changed.
    pub async fn rotate_published(
        &self,
        algorithm: JwsAlgorithm,
        now: DateTime<Utc>,
        author: Option<Author>,
    ) -> Result<(), KeyRingError> {
        self.activate_next(algorithm, Some(schedule::PUBLISHED_BEFORE), now, author).await
    }

    /// The same however long the next key has been published: for a key that somebody may have stolen.
    ///
    /// # Errors
    /// [`KeyRingError`]; then nothing has changed.
    pub async fn rotate(
        &self,
        algorithm: JwsAlgorithm,
        now: DateTime<Utc>,
        author: Option<Author>,
    ) -> Result<(), KeyRingError> {
        self.activate_next(algorithm, None, now, author).await
    }

    async fn activate_next(
        &self,
        algorithm: JwsAlgorithm,
        published_for: Option<TimeDelta>,
        now: DateTime<Utc>,
        author: Option<Author>,
    ) -> Result<(), KeyRingError> {
        let stored = self.0.catalog.signing_keys().await?;
        let next = stored.iter().find(|k| k.algorithm == algorithm && k.state == KeyState::Next);
        let next = next.ok_or(CatalogError::NotFound)?;
        let expected = next.kid.clone();
        if let Some(until) = published_for.map(|time| next.since + time).filter(|at| now < *at) {
            return Err(KeyRingError::TooNew { kid: expected, until });
        }
        let fresh = generate(&self.0.sealer, algorithm, KeyState::Next, now).await?;
        self.0.catalog.rotate_signing_key(expected, fresh, author).await?;
        self.reload().await
    }

    /// Takes a retiring key away: nothing that it signed is accepted any more.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] where no retiring key has this id.
    pub async fn retire(&self, kid: &str, author: Option<Author>) -> Result<(), KeyRingError> {
        self.0.catalog.delete_retiring_key(kid, author).await?;
        self.reload().await
    }

    /// Reads the keys again, for changes that another process made.
    ///
    /// # Errors
    /// [`KeyRingError`]; then the keys stay as they were.
    pub async fn reload(&self) -> Result<(), KeyRingError> {
        let _reading = self.0.reading.lock().await;
        let stored = self.0.catalog.signing_keys().await?;
        self.0.current.store(Arc::new(open(&self.0.sealer, &stored)?));
        Ok(())
    }
}

/// Algorithm and state of each key that has to be there and is not.
fn missing(stored: &[StoredKey]) -> Vec<(JwsAlgorithm, KeyState)> {
    let all = JwsAlgorithm::ALL
        .into_iter()
        .flat_map(|algorithm| [(algorithm, KeyState::Active), (algorithm, KeyState::Next)]);
    all.filter(|place| !stored.iter().any(|key| (key.algorithm, key.state) == *place)).collect()
}

fn open(sealer: &Sealer, stored: &[StoredKey]) -> Result<KeySet, KeyRingError> {
    let mut keys = Vec::with_capacity(stored.len());
    for StoredKey { kid, algorithm, state, sealed, .. } in stored {
        let seal_error = |source| KeyRingError::Seal { kid: kid.clone(), source };
        let sealed = STANDARD.decode(sealed).map_err(|_| seal_error(SealError::Broken))?;
        let pkcs8 = sealer.open(Purpose::SigningKeys, &place(kid), &sealed).map_err(seal_error)?;
        let key = SigningKey::from_pkcs8(*algorithm, &pkcs8)?;
        if key.kid() != kid {
            return Err(KeyRingError::OtherKey { kid: kid.clone() });
        }
        keys.push((*state, key));
    }
    Ok(KeySet::new(keys)?)
}

/// A signing key's sealed value, opened under one master key and sealed under another.
pub(crate) fn reseal(
    from: &Sealer,
    to: &Sealer,
    kid: &str,
    sealed: &str,
) -> Result<String, SealError> {
    let sealed = STANDARD.decode(sealed).map_err(|_| SealError::Broken)?;
    let pkcs8 = from.open(Purpose::SigningKeys, &place(kid), &sealed)?;
    Ok(STANDARD.encode(to.seal(Purpose::SigningKeys, &place(kid), &pkcs8)?))
}

/// Makes a key off the async workers: finding RSA primes takes a tenth of a second and more.
async fn generate(
    sealer: &Sealer,
    algorithm: JwsAlgorithm,
    state: KeyState,
    now: DateTime<Utc>,
) -> Result<StoredKey, KeyRingError> {
    let made = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm)).await;
    let key = made.map_err(|_| KeyRingError::Stopped)??;
    let kid = key.kid().to_owned();
    let sealed = sealer
        .seal(Purpose::SigningKeys, &place(&kid), &key.to_pkcs8())
        .map_err(|source| KeyRingError::Seal { kid: kid.clone(), source })?;
    Ok(StoredKey { kid, algorithm, state, since: now, sealed: STANDARD.encode(sealed) })
}

/// Where a key stands: it opens there and nowhere else.
fn place(kid: &str) -> Vec<u8> {
    format!("signing_keys/{kid}").into_bytes()
}

impl From<StoredKey> for KeyInfo {
    fn from(key: StoredKey) -> Self {
        let StoredKey { kid, algorithm, state, since, .. } = key;
        Self { kid, algorithm, state, since }
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.current();
        f.debug_list()
            .entries(keys.iter().map(|(state, key)| (state, key.kid().to_owned())))
            .finish()
    }
}
