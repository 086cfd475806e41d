//! Keeps one link to Redis and replaces it when it is of no use any more.
//!
//! redis-rs' own manager reconnects on broken connections only; one that is half open, or that leads to a demoted primary,
//! keeps it waiting for ever. Here a link goes on a broken connection, on READONLY and MASTERDOWN, and on two time-outs in a
//! row; a cluster client, which minds its nodes itself, where every call has failed for three seconds.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use redis::{Cmd, Pipeline, RedisError, Value, cmd};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};

use super::checks::{Replicated, Standing};
use super::epoch;
use super::link::{Link, Target, says};
use crate::clock::Clock;
use crate::config::Topology;
use crate::sessions::StoreError;

/// Longest wait for an answer, and for a connection that is being made.
pub(super) const CALL: Duration = Duration::from_secs(1);
/// Share of one sentinel.
pub(super) const ATTEMPT: Duration = Duration::from_millis(300);
/// Longest making of a cluster client: it asks several nodes, some of which may be gone.
const CLUSTER: Duration = Duration::from_secs(5);
/// How long a failed attempt stands for those who come after it.
const NEGATIVE: Duration = Duration::from_millis(50);
/// How long a replica may take to confirm; well below [`CALL`].
const REPLICA_MS: u64 = 500;
/// Between two looks at the replicas.
const LOOK: Duration = Duration::from_secs(1);
const TIMEOUTS_IN_A_ROW: u32 = 2;
/// A cluster client that has only failed for this long is made anew.
const ALL_FAILED: Duration = Duration::from_secs(3);

/// Shared by all callers.
#[derive(Debug)]
pub(super) struct Manager {
    target: Target,
    epoch_key: String,
    clock: Arc<dyn Clock>,
    /// Where connections live, whichever thread happens to make them.
    runtime: Handle,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    open: Option<Arc<Open>>,
    connecting: Option<Attempt>,
    failed: Option<(Instant, Arc<str>)>,
}

type Attempt = Shared<BoxFuture<'static, Result<Arc<Open>, Arc<str>>>>;

/// A link in use, with what was found behind it.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) link: Link,
    standing: Mutex<Arc<Standing>>,
    looked: Mutex<Instant>,
    failing: Mutex<Failing>,
}

#[derive(Debug, Default)]
struct Failing {
    timeouts: u32,
    since: Option<Instant>,
}

/// What a call may do, and what then has to be confirmed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Access {
    Read,
    /// Where replicas are connected, one has to confirm it.
    Write,
}

/// The answers to one call.
#[derive(Debug)]
pub(super) struct Answer {
    /// One a command.
    pub(super) values: Vec<Value>,
    open: Arc<Open>,
    replicated: bool,
}

impl Manager {
    pub(super) fn new(target: Target, epoch_key: String, clock: Arc<dyn Clock>) -> Arc<Self> {
        let (runtime, state) = (Handle::current(), Mutex::default());
        Arc::new(Self { target, epoch_key, clock, runtime, state })
    }

    /// Sends commands, each once, all in one round trip. In a cluster they must be on the slot of `key`.
    pub(super) async fn call(
        self: &Arc<Self>,
        key: &str,
        commands: Vec<Cmd>,
        access: Access,
    ) -> Result<Answer, StoreError> {
        let open = self.open().await?;
        let standing = open.standing();
        let confirm = access == Access::Write && standing.replicated.covers(key);
        if access == Access::Write && self.may_find_others(&standing) {
            self.look_again(&open);
        }
        let count = commands.len();
        let mut pipeline = Pipeline::with_capacity(count + 1);
        for command in commands {
            pipeline.add_command(command);
        }
        if confirm {
            pipeline.add_command(wait_for_a_replica());
        }
        let mut values = self.watched(&open, open.link.run(key, pipeline)).await?.into_iter();
        let answered = values.by_ref().take(count).map(Value::extract_error);
        let answered = answered.collect::<Result<Vec<_>, _>>();
        let answered = answered.map_err(|error| self.failed(&open, &error))?;
        if answered.len() != count {
            return Err(unavailable("Redis sent too few answers"));
        }
        // without a confirmation, and where WAIT itself failed, nothing is known
        let replicated = !confirm || matches!(values.next(), Some(Value::Int(n)) if n > 0);
        Ok(Answer { values: answered, open, replicated })
    }

    /// Whether replicas come and go here. One server without any is looked at by `/readyz` alone.
    fn may_find_others(&self, standing: &Standing) -> bool {
        standing.replicated != Replicated::No || self.target.url.topology != Topology::Single
    }

    /// Looks once a second, beside the calls, who has replicas by now: one that has come has to confirm from then on.
    fn look_again(self: &Arc<Self>, open: &Arc<Open>) {
        {
            let mut looked = lock(&open.looked);
            if looked.elapsed() < LOOK {
                return;
            }
            *looked = Instant::now();
        }
        let (manager, open) = (Arc::clone(self), Arc::clone(open));
        self.runtime.spawn(async move {
            // a failure has had its consequences
            if let Ok(standing) = manager.watched(&open, Standing::of(&open.link)).await {
                open.stands(standing);
            }
        });
    }

    /// For what changed something: refuses where no replica has confirmed it, and looks at the replicas anew.
    pub(super) fn confirmed(&self, answer: &Answer) -> Result<(), StoreError> {
        if answer.replicated {
            return Ok(());
        }
        self.discard(&answer.open, "no replica confirmed a write");
        Err(unavailable("no replica confirmed it"))
    }

    /// Runs something on the link under our own time-out, and draws the consequences of how it ends.
    pub(super) async fn watched<T>(
        &self,
        open: &Arc<Open>,
        call: impl Future<Output = Result<T, RedisError>>,
    ) -> Result<T, StoreError> {
        match timeout(CALL, call).await {
            Ok(Ok(answer)) => {
                *lock(&open.failing) = Failing::default();
                Ok(answer)
            }
            Ok(Err(error)) => Err(self.failed(open, &error)),
            Err(_) => {
                let timeouts = {
                    let mut failing = lock(&open.failing);
                    failing.timeouts += 1;
                    failing.timeouts
                };
                if open.is_server() && timeouts >= TIMEOUTS_IN_A_ROW {
                    self.discard(open, "it does not answer");
                }
                self.watch(open);
                Err(unavailable("Redis did not answer in time"))
            }
        }
    }

    /// The link in use, or the one that is being made.
    pub(super) async fn open(self: &Arc<Self>) -> Result<Arc<Open>, StoreError> {
        let attempt = {
            let mut state = lock(&self.state);
            if let Some(open) = &state.open {
                return Ok(Arc::clone(open));
            }
            if let Some((at, why)) = &state.failed
                && at.elapsed() < NEGATIVE
            {
                return Err(unavailable(why));
            }
            state.connecting.get_or_insert_with(|| self.attempt()).clone()
        };
        match timeout(CALL, attempt).await {
            Ok(opened) => opened.map_err(|why| unavailable(&why)),
            Err(_) => Err(unavailable("Redis is being looked for")),
        }
    }

    /// One attempt for all who wait; it goes on when they do not.
    fn attempt(self: &Arc<Self>) -> Attempt {
        let manager = Arc::clone(self);
        let attempt = self.runtime.spawn(async move {
            let opened = match timeout(manager.limit(), manager.connect()).await {
                Ok(opened) => {
                    opened.map_err(|why| Arc::from(format!("{}: {why}", manager.target.url)))
                }
                Err(_) => Err(Arc::from(format!("{} does not answer", manager.target.url))),
            };
            manager.settle(&opened);
            opened
        });
        attempt
            .map(|ended| ended.unwrap_or_else(|_| Err(Arc::from("the attempt was given up"))))
            .boxed()
            .shared()
    }

    async fn connect(&self) -> Result<Arc<Open>, String> {
        let link = Link::open(&self.target).await.map_err(|e| e.to_string())?;
        let standing = Standing::of(&link).await.map_err(|e| e.to_string())?;
        // a replica would refuse every write; looking again may find the primary
        if let Some(fault) = standing.faults.iter().find(|f| f.contains("replica")) {
            return Err(fault.clone());
        }
        let now = self.clock.now();
        epoch::begin(&link, &self.epoch_key, standing.lineage.as_deref(), now).await;
        for warning in &standing.warnings {
            tracing::warn!(redis = %self.target.url, "Redis: {warning}");
        }
        for fault in &standing.faults {
            tracing::error!(redis = %self.target.url, "Redis: {fault}");
        }
        let (standing, looked) = (Mutex::new(Arc::new(standing)), Mutex::new(Instant::now()));
        Ok(Arc::new(Open { link, standing, looked, failing: Mutex::default() }))
    }

    fn settle(&self, opened: &Result<Arc<Open>, Arc<str>>) {
        let mut state = lock(&self.state);
        state.connecting = None;
        match opened {
            Ok(open) => {
                state.open = Some(Arc::clone(open));
                if state.failed.take().is_some() {
                    tracing::info!(redis = %self.target.url, "Redis is back");
                }
            }
            Err(why) => {
                if state.failed.is_none() {
                    tracing::error!(error = %why, "Redis cannot be reached");
                }
                state.failed = Some((Instant::now(), Arc::clone(why)));
            }
        }
    }

    fn limit(&self) -> Duration {
        match self.target.url.topology {
            Topology::Cluster => CLUSTER,
            Topology::Single | Topology::Sentinel { .. } => CALL,
        }
    }

    /// What an error means for the link, and for the caller.
    pub(super) fn failed(&self, open: &Arc<Open>, error: &RedisError) -> StoreError {
        let text = error.to_string();
        let demoted = says(error, "READONLY") || says(error, "MASTERDOWN");
        if open.is_server() && (demoted || error.is_unrecoverable_error()) {
            self.discard(open, &text);
        }
        self.watch(open);
        if says(error, "OOM") { StoreError::Full } else { unavailable(&text) }
    }

    /// Counts failures of a cluster client; success resets the count.
    fn watch(&self, open: &Arc<Open>) {
        let since = *lock(&open.failing).since.get_or_insert_with(Instant::now);
        if !open.is_server() && since.elapsed() >= ALL_FAILED {
            self.discard(open, "every call has failed for three seconds");
        }
    }

    /// The next caller looks for Redis anew. What is under way on the old link may still end there.
    fn discard(&self, open: &Arc<Open>, why: &str) {
        let mut state = lock(&self.state);
        if state.open.as_ref().is_some_and(|current| Arc::ptr_eq(current, open)) {
            tracing::warn!(reason = why, "Redis is looked for anew");
            state.open = None;
        }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(super) fn epoch_key(&self) -> &str {
        &self.epoch_key
    }
}

impl Open {
    pub(super) fn standing(&self) -> Arc<Standing> {
        Arc::clone(&lock(&self.standing))
    }

    /// What was found by looking again.
    pub(super) fn stands(&self, standing: Standing) {
        *lock(&self.standing) = Arc::new(standing);
    }

    pub(super) const fn is_server(&self) -> bool {
        matches!(self.link, Link::Server(_))
    }
}

fn wait_for_a_replica() -> Cmd {
    let mut command = cmd("WAIT");
    command.arg(1).arg(REPLICA_MS);
    command
}

pub(super) fn unavailable(why: &str) -> StoreError {
    StoreError::Unavailable(why.to_owned())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
