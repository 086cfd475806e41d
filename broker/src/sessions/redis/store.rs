//! The operations, each one call.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use redis::cmd;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::checks::Standing;
use super::epoch;
use super::link::Target;
use super::manager::{Access, Manager, unavailable};
use super::{operation, record};
use crate::clock::Clock;
use crate::config::Redis;
use crate::sessions::{Operation, Outcome, SessionStore, StoreError};

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

    /// Runs what one primary does in one round trip.
    async fn run(
        &self,
        operations: &[Operation],
        now: DateTime<Utc>,
    ) -> Result<Vec<Outcome>, StoreError> {
        let Some(first) = operations.first() else { return Ok(Vec::new()) };
        let clock = self.manager.now();
        let command = |o: &Operation| operation::command(o, &self.prefix, now, clock);
        let commands = operations.iter().map(command).collect();
        let writes = operations.iter().any(Operation::writes);
        let access = if writes { Access::Write } else { Access::Read };
        let key = record::key(&self.prefix, first.key());
        let mut answer = self.manager.call(&key, commands, access).await?;
        let values = std::mem::take(&mut answer.values);
        // before anything is read: what a taken value holds is for nobody where its removal may be lost
        if operations.iter().zip(&values).any(|(o, value)| operation::changed(o, value)) {
            self.manager.confirmed(&answer)?;
        }
        let answered = operations.iter().zip(values);
        answered.map(|(o, value)| operation::outcome(o, value, now)).collect()
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
    /// To one server in one pipeline; to a cluster at the same time, for the slots may be on several nodes.
    async fn batch(
        &self,
        operations: &[Operation],
        now: DateTime<Utc>,
    ) -> Result<Vec<Outcome>, StoreError> {
        if self.manager.open().await?.is_server() {
            return self.run(operations, now).await;
        }
        let each = operations.chunks(1).map(|one| self.run(one, now));
        // all are waited for, so that nothing is given up half way because another failed
        let outcomes: Result<Vec<_>, _> = join_all(each).await.into_iter().collect();
        Ok(outcomes?.concat())
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

    async fn warnings(&self) -> Vec<String> {
        let open = self.manager.open().await;
        open.map(|open| open.standing().warnings.clone()).unwrap_or_default()
    }
}

fn reason(error: StoreError) -> String {
    match error {
        StoreError::Unavailable(why) => why,
        StoreError::Full => error.to_string(),
    }
}
