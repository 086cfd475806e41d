//! The operations, each one call.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use redis::{Value, cmd, from_redis_value};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::checks::Standing;
use super::epoch;
use super::link::Target;
use super::manager::{Access, Manager, unavailable};
use super::record::{self, Written};
use crate::clock::Clock;
use crate::config::Redis;
use crate::sessions::{Key, SessionStore, StoreError};

/// Sessions on Redis; clones are the same store.
#[derive(Clone, Debug)]
pub struct RedisStore {
    manager: Arc<Manager>,
    prefix: Arc<str>,
    readiness: Arc<Mutex<Option<Readiness>>>,
}

/// What was found, and when.
type Readiness = (Instant, Result<(), String>);

/// Why a Redis is not used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// `sessions.ca_file` cannot be read.
    #[error("sessions.ca_file {} cannot be read: {source}", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// What the file system says.
        source: std::io::Error,
    },
    /// It would lose records, or is too old.
    #[error("Redis at {url} cannot be used: {fault}")]
    Unfit {
        /// Where; without user and password.
        url: String,
        /// What is wrong.
        fault: String,
    },
    /// Nobody answers, or not to us.
    #[error("Redis cannot be reached: {0}")]
    Unreachable(String),
}

/// How long an answer of [`SessionStore::ready`] stands.
const READINESS: Duration = Duration::from_secs(1);
/// How long a start waits for a Redis that is just failing over or loading.
const PATIENCE: Duration = Duration::from_secs(10);
const BETWEEN_TRIES: Duration = Duration::from_millis(250);

impl RedisStore {
    /// Connects, and refuses a Redis that could forget what it acknowledged. `clock` tells lifetimes to Redis, which only
    /// clean up, and the time of a new epoch.
    ///
    /// # Errors
    /// [`OpenError`], after ten seconds where nobody answers.
    pub async fn open(settings: &Redis, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let authorities = settings.ca_file.as_ref().map(|path| {
            std::fs::read(path)
                .map_err(|source| OpenError::Authorities { path: path.clone(), source })
        });
        let target = Target { url: settings.url.clone(), authorities: authorities.transpose()? };
        let store = Self {
            manager: Manager::new(target, epoch::key(&settings.prefix), clock),
            prefix: Arc::from(settings.prefix.as_str()),
            readiness: Arc::default(),
        };
        let standing = store.first_connection().await?;
        match standing.faults.first() {
            None => Ok(store),
            Some(fault) => {
                Err(OpenError::Unfit { url: settings.url.to_string(), fault: fault.clone() })
            }
        }
    }

    async fn first_connection(&self) -> Result<Arc<Standing>, OpenError> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.manager.open().await {
                Ok(open) => return Ok(open.standing()),
                Err(error) if Instant::now() + BETWEEN_TRIES > until => {
                    return Err(OpenError::Unreachable(reason(error)));
                }
                Err(_) => tokio::time::sleep(BETWEEN_TRIES).await,
            }
        }
    }

    fn key(&self, key: &Key) -> String {
        record::key(&self.prefix, key)
    }

    /// Runs a script that says 1 where it wrote and 0 where it did not.
    async fn decide(&self, key: &str, command: redis::Cmd) -> Result<bool, StoreError> {
        let answer = self.manager.call(key, command, Access::Write).await?;
        let Value::Int(wrote @ (0 | 1)) = answer.value else { return Err(unexpected()) };
        if wrote == 1 {
            self.manager.confirmed(&answer)?;
        }
        Ok(wrote == 1)
    }

    async fn check(&self) -> Result<(), StoreError> {
        let open = self.manager.open().await?;
        let both = async {
            open.link.ask_primaries(&cmd("PING")).await?;
            Standing::of(&open.link).await
        };
        let standing = self.manager.watched(&open, both).await?;
        let fault = standing.faults.first().cloned();
        open.stands(standing);
        fault.map_or(Ok(()), |fault| Err(unavailable(&fault)))
    }
}

#[async_trait]
impl SessionStore for RedisStore {
    async fn put(
        &self,
        key: &Key,
        value: &[u8],
        expires_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let key = self.key(key);
        let command = record::put(&key, &Written::new(value, expires_at, self.manager.now()));
        let answer = self.manager.call(&key, command, Access::Write).await?;
        if answer.value != Value::Okay {
            return Err(unexpected());
        }
        self.manager.confirmed(&answer)
    }

    async fn get(&self, key: &Key, now: DateTime<Utc>) -> Result<Option<Vec<u8>>, StoreError> {
        let key = self.key(key);
        let answer = self.manager.call(&key, record::get(&key), Access::Read).await?;
        stored(answer.value)?.map_or(Ok(None), |stored| record::payload(stored, now))
    }

    async fn take(&self, key: &Key, now: DateTime<Utc>) -> Result<Option<Vec<u8>>, StoreError> {
        let key = self.key(key);
        let mut answer = self.manager.call(&key, record::take(&key), Access::Write).await?;
        let Some(stored) = stored(std::mem::replace(&mut answer.value, Value::Nil))? else {
            return Ok(None);
        };
        self.manager.confirmed(&answer)?;
        record::payload(stored, now)
    }

    async fn insert_once(
        &self,
        key: &Key,
        value: &[u8],
        expires_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let key = self.key(key);
        let new = Written::new(value, expires_at, self.manager.now());
        self.decide(&key, record::insert_once(&key, &new, now)).await
    }

    async fn compare_and_swap(
        &self,
        key: &Key,
        expected: &[u8],
        new: &[u8],
        expires_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let key = self.key(key);
        let new = Written::new(new, expires_at, self.manager.now());
        self.decide(&key, record::compare_and_swap(&key, expected, &new, now)).await
    }

    async fn epoch(&self) -> Result<DateTime<Utc>, StoreError> {
        epoch::read(&self.manager).await
    }

    /// Looks once a second at most, however many ask.
    async fn ready(&self) -> Result<(), StoreError> {
        let mut readiness = self.readiness.lock().await;
        if let Some((at, known)) = &*readiness
            && at.elapsed() < READINESS
        {
            return known.clone().map_err(StoreError::Unavailable);
        }
        let found = self.check().await.map_err(reason);
        *readiness = Some((Instant::now(), found.clone()));
        found.map_err(StoreError::Unavailable)
    }
}

fn reason(error: StoreError) -> String {
    match error {
        StoreError::Unavailable(why) => why,
        StoreError::Full => error.to_string(),
    }
}

fn stored(value: Value) -> Result<Option<Vec<u8>>, StoreError> {
    from_redis_value(value).map_err(|_| unexpected())
}

/// Never shows the value.
fn unexpected() -> StoreError {
    unavailable("Redis gave another kind of answer than the command has")
}
