//! What was read before: bounded by bytes, filled on demand, misses included.
//!
//! Every write through this process takes away what it touched before it answers. A read that began before such a write
//! ended is not kept, so that no old value comes back after the write.

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moka::sync::Cache as Moka;

use super::{DefaultFor, SubjectType};

mod words;

/// 32 MiB of documents for configuration, 8 MiB for users: customers' configuration is not pushed out by many logins.
const CONFIGURATION_BYTES: u64 = 32 << 20;
const USER_BYTES: u64 = 8 << 20;
/// What is not used for this long is forgotten, so that memory comes back after a rush.
const IDLE: Duration = Duration::from_mins(10);

/// What a cached answer is the answer to.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Key {
    /// All consents at once, when a client or user goes; nothing is stored under it.
    AnyConsent,
    /// All answers about domains at once, when a wildcard comes or goes; nothing is stored under it.
    AnyDomain,
    /// Names of the connections that a domain leads to.
    ConnectionsForDomain(String),
    /// Names of an organization's connections.
    ConnectionsOf(String),
    /// Scopes that a user (first) allowed a client.
    Consent(String, String),
    /// Id of the grant of a kind of clients for an audience.
    DefaultGrant(DefaultFor, String, SubjectType),
    /// Identifier of the default API.
    DefaultResourceServer,
    /// Id of the grant of a client for an audience.
    Grant(String, String, SubjectType),
    /// Ids of a client's grants.
    GrantsOf(String),
    /// Name of the organization that holds a domain.
    HolderOfDomain(String),
    /// Id of the user whom an identity (by digest) leads to.
    Identity(String),
    /// Ids of the invitations of somebody, by key, that were not accepted.
    InvitationsOf(String),
    /// Ids of the migrations to a connection.
    MigrationsTo(String),
    /// An object by its kind and its id or name.
    Object(&'static str, String),
    /// Our signing keys, which the key ring keeps; nothing is stored under it.
    SigningKeys,
}

/// An answer that the cache can keep.
pub(super) trait Answer: Any + Clone + Send + Sync {
    /// Whether it says that there is nothing.
    fn is_nothing(&self) -> bool;
}

impl<T: Any + Clone + Send + Sync> Answer for Option<T> {
    fn is_nothing(&self) -> bool {
        self.is_none()
    }
}

impl Answer for Arc<[Vec<String>]> {
    fn is_nothing(&self) -> bool {
        self.is_empty()
    }
}

impl Answer for Arc<[String]> {
    fn is_nothing(&self) -> bool {
        self.is_empty()
    }
}

/// Bounded, shared by all threads.
#[derive(Debug)]
pub(super) struct Cache {
    configuration: Moka<(Key, u64), Entry>,
    users: Moka<(Key, u64), Entry>,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// Advances with every invalidation.
    epoch: u64,
    /// Part of the stored key of consents.
    consents: u64,
    /// Part of the stored key of answers about domains.
    domains: u64,
}

#[derive(Clone, Debug)]
struct Entry {
    value: Arc<dyn Any + Send + Sync>,
    weight: u32,
}

/// A question that the cache could not answer, and when it was asked.
#[derive(Debug)]
pub(super) struct Asked {
    key: (Key, u64),
    epoch: u64,
}

/// Takes away its keys when it goes out of scope, whatever the outcome of the write.
#[derive(Debug)]
pub(super) struct Invalidation<'a> {
    cache: &'a Cache,
    keys: &'a [Key],
}

impl Cache {
    pub(super) fn new() -> Self {
        Self {
            configuration: bounded(CONFIGURATION_BYTES),
            users: bounded(USER_BYTES),
            state: Mutex::default(),
        }
    }

    /// The answer, or what to give back with it once it was read.
    pub(super) fn get<V: Any + Clone>(&self, key: Key) -> Result<V, Asked> {
        let state = *self.state();
        let asked = Asked { key: stored(key, state), epoch: state.epoch };
        let entry = self.tier(&asked.key.0).get(&asked.key);
        entry.and_then(|e| e.value.downcast_ref::<V>().cloned()).ok_or(asked)
    }

    /// Keeps an answer of about `bytes`, unless something was written since it was asked for.
    pub(super) fn keep<V: Any + Send + Sync>(&self, asked: Asked, value: V, bytes: usize) {
        let entry = Entry {
            value: Arc::new(value),
            weight: u32::try_from(bytes).unwrap_or(u32::MAX).saturating_add(200),
        };
        let state = self.state();
        if state.epoch == asked.epoch {
            self.tier(&asked.key.0).insert(asked.key, entry);
        }
    }

    /// Takes `keys` away when the returned value is dropped.
    pub(super) const fn invalidation<'a>(&'a self, keys: &'a [Key]) -> Invalidation<'a> {
        Invalidation { cache: self, keys }
    }

    /// Forgets everything: what changed is not known.
    pub(super) fn invalidate_all(&self) {
        let mut state = self.state();
        state.epoch += 1;
        self.configuration.invalidate_all();
        self.users.invalidate_all();
    }

    /// Forgets the answers of these keys.
    pub(super) fn invalidate(&self, keys: &[Key]) {
        let mut state = self.state();
        state.epoch += 1;
        if keys.contains(&Key::AnyConsent) {
            state.consents += 1;
        }
        if keys.contains(&Key::AnyDomain) {
            state.domains += 1;
        }
        for key in keys {
            let key = stored(key.clone(), *state);
            self.tier(&key.0).invalidate(&key);
        }
    }

    fn tier(&self, key: &Key) -> &Moka<(Key, u64), Entry> {
        match key {
            Key::AnyConsent
            | Key::Consent(..)
            | Key::Identity(_)
            | Key::InvitationsOf(_)
            | Key::Object("user", _) => &self.users,
            Key::AnyDomain
            | Key::ConnectionsForDomain(_)
            | Key::ConnectionsOf(_)
            | Key::DefaultGrant(..)
            | Key::DefaultResourceServer
            | Key::Grant(..)
            | Key::GrantsOf(_)
            | Key::HolderOfDomain(_)
            | Key::MigrationsTo(_)
            | Key::Object(..)
            | Key::SigningKeys => &self.configuration,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Key {
    /// Whether a "there is no such thing" under this key is asked again where another node may have made it since: for
    /// what programs make and use at once. The others are nothing for most logins and follow the change feed.
    pub(super) const fn may_just_have_come(&self) -> bool {
        match self {
            Self::ConnectionsForDomain(_)
            | Self::DefaultGrant(..)
            | Self::Grant(..)
            | Self::InvitationsOf(_)
            | Self::Object(..) => true,
            Self::AnyConsent
            | Self::AnyDomain
            | Self::ConnectionsOf(_)
            | Self::Consent(..)
            | Self::DefaultResourceServer
            | Self::GrantsOf(_)
            | Self::HolderOfDomain(_)
            | Self::Identity(_)
            | Self::MigrationsTo(_)
            | Self::SigningKeys => false,
        }
    }
}

impl Drop for Invalidation<'_> {
    fn drop(&mut self) {
        self.cache.invalidate(self.keys);
    }
}

fn bounded(bytes: u64) -> Moka<(Key, u64), Entry> {
    Moka::builder()
        .max_capacity(bytes)
        .weigher(|_, entry: &Entry| entry.weight)
        .time_to_idle(IDLE)
        .build()
}

const fn generation(key: &Key, state: State) -> u64 {
    match key {
        Key::Consent(..) => state.consents,
        Key::ConnectionsForDomain(_) | Key::HolderOfDomain(_) => state.domains,
        Key::AnyConsent
        | Key::AnyDomain
        | Key::ConnectionsOf(_)
        | Key::DefaultGrant(..)
        | Key::DefaultResourceServer
        | Key::Grant(..)
        | Key::GrantsOf(_)
        | Key::Identity(_)
        | Key::InvitationsOf(_)
        | Key::MigrationsTo(_)
        | Key::Object(..)
        | Key::SigningKeys => 0,
    }
}

const fn stored(key: Key, state: State) -> (Key, u64) {
    let generation = generation(&key, state);
    (key, generation)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::Object("connection", name.to_owned())
    }

    fn ask(cache: &Cache, key: Key) -> Asked {
        cache.get::<u32>(key).unwrap_err()
    }

    #[test]
    fn keeps_an_answer_until_it_is_invalidated() {
        let cache = Cache::new();
        cache.keep(ask(&cache, key("a")), 1_u32, 1);
        assert_eq!(cache.get::<u32>(key("a")).ok(), Some(1));

        drop(cache.invalidation(&[key("a")]));

        assert!(cache.get::<u32>(key("a")).is_err());
    }

    #[test]
    fn does_not_keep_what_was_read_before_a_write_ended() {
        let cache = Cache::new();
        let asked = ask(&cache, key("a"));

        drop(cache.invalidation(&[key("b")]));
        cache.keep(asked, 1_u32, 1);

        assert!(cache.get::<u32>(key("a")).is_err());
    }

    #[test]
    fn a_wildcard_takes_every_domain_away_and_nothing_else() {
        let cache = Cache::new();
        let domain = Key::ConnectionsForDomain("eu.acme.example".to_owned());
        cache.keep(ask(&cache, domain.clone()), 1_u32, 1);
        cache.keep(ask(&cache, key("a")), 2_u32, 1);

        drop(cache.invalidation(&[Key::AnyDomain]));

        assert!(cache.get::<u32>(domain).is_err());
        assert_eq!(cache.get::<u32>(key("a")).ok(), Some(2));
    }

    #[test]
    fn forgets_everything_and_what_was_asked_before() {
        let cache = Cache::new();
        cache.keep(ask(&cache, key("a")), 1_u32, 1);
        let asked = ask(&cache, key("b"));

        cache.invalidate_all();
        cache.keep(asked, 2_u32, 1);

        assert!(cache.get::<u32>(key("a")).is_err());
        assert!(cache.get::<u32>(key("b")).is_err());
    }

    #[test]
    fn stays_within_its_bytes() {
        let cache = Cache::new();
        for i in 0..100_u32 {
            cache.keep(ask(&cache, key(&i.to_string())), i, 1 << 20);
        }
        cache.configuration.run_pending_tasks();

        assert!(cache.configuration.weighted_size() <= CONFIGURATION_BYTES);
        assert!(cache.configuration.entry_count() > 10);
    }
}
