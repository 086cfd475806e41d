//! Writes of logins, many in one transaction: one wait for the disk serves all that came in during the last one.
//!
//! The answer comes after the commit. Where one item of a batch fails, the batch is undone and its items are written one
//! by one, so that each has its own outcome. Batches need no order of their own against deadlocks: those that touch shared
//! rows queue at the catalog's revision.

use std::sync::Arc;
use std::time::Duration;

use sqlx::AnyConnection;
use tokio::sync::{mpsc, oneshot};

use super::cache::Key;
use super::error::{CatalogError, unavailable};
use super::storage::{Storage, Write};
use super::store::{LoginRecord, write_entry, write_login, write_trace};
use super::{EndedLogin, User};

/// Items that may wait; who comes after them waits to be let in.
const QUEUE: usize = 1024;
const AT_ONCE: usize = 256;
/// How long one waits to be let in.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) type Reply<T> = oneshot::Sender<Result<T, CatalogError>>;
type LoggedIn = (Arc<User>, bool);

/// A write and who waits for its outcome.
#[derive(Debug)]
pub(super) enum Item {
    Login(Box<LoginRecord>, Reply<LoggedIn>),
    Trace(Box<EndedLogin>, Reply<()>),
}

/// The way to the writer task, which ends with the last clone.
#[derive(Clone, Debug)]
pub(super) struct GroupCommit(mpsc::Sender<Item>);

impl GroupCommit {
    pub(super) fn start(storage: Arc<Storage>) -> Self {
        let (sender, mut receiver) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            let mut batch = Vec::with_capacity(AT_ONCE);
            while receiver.recv_many(&mut batch, AT_ONCE).await > 0 {
                write(&storage, std::mem::take(&mut batch)).await;
            }
        });
        Self(sender)
    }

    /// Whether the writer task is gone, which only a bug or the end of its runtime brings about.
    pub(super) fn has_ended(&self) -> bool {
        self.0.is_closed()
    }

    /// Items that wait to be taken into a batch.
    pub(super) fn waiting(&self) -> usize {
        QUEUE.saturating_sub(self.0.capacity())
    }

    /// Hands an item in and waits until it is durable or refused.
    pub(super) async fn submit<T>(
        &self,
        item: impl FnOnce(Reply<T>) -> Item,
    ) -> Result<T, CatalogError> {
        let (reply, outcome) = oneshot::channel();
        self.0
            .send_timeout(item(reply), PATIENCE)
            .await
            .map_err(|_| unavailable("too many writes are waiting"))?;
        outcome.await.map_err(unavailable)?
    }
}

/// What was written, to be told after the commit.
enum Done {
    Login(LoggedIn),
    Trace,
}

async fn write(storage: &Storage, batch: Vec<Item>) {
    match write_together(storage, &batch).await {
        Ok(outcomes) => {
            for (item, done) in batch.into_iter().zip(outcomes) {
                answer(item, Ok(done));
            }
        }
        Err(error) if batch.len() == 1 || matches!(error, CatalogError::Unavailable(_)) => {
            for item in batch {
                answer(item, Err(error.clone()));
            }
        }
        Err(_) => {
            for item in batch {
                let outcome = write_together(storage, std::slice::from_ref(&item)).await;
                answer(item, outcome.and_then(only));
            }
        }
    }
}

async fn write_together(storage: &Storage, batch: &[Item]) -> Result<Vec<Done>, CatalogError> {
    if batch.iter().all(|item| matches!(item, Item::Trace(..))) {
        return write_traces(storage, batch).await;
    }
    let mut write = storage.begin().await?;
    let (mut outcomes, mut touched) = (Vec::with_capacity(batch.len()), Vec::new());
    for item in batch {
        outcomes.push(write_one(&mut write, item, &mut touched).await?);
    }
    storage.commit(write, &touched).await?;
    Ok(outcomes)
}

/// Traces touch nothing that others share, so they need not wait for other writers.
async fn write_traces(storage: &Storage, batch: &[Item]) -> Result<Vec<Done>, CatalogError> {
    let mut transaction = storage.begin_apart().await?;
    let mut outcomes = Vec::with_capacity(batch.len());
    for item in batch {
        if let Item::Trace(ended, _) = item {
            write_ended(&mut transaction, ended).await?;
            outcomes.push(Done::Trace);
        }
    }
    transaction.commit().await.map_err(unavailable)?;
    Ok(outcomes)
}

async fn write_one(
    write: &mut Write,
    item: &Item,
    touched: &mut Vec<Key>,
) -> Result<Done, CatalogError> {
    match item {
        Item::Login(record, _) => {
            let (user, keys) = write_login(&mut write.transaction, record, write.revision).await?;
            touched.extend(keys);
            Ok(Done::Login(user))
        }
        Item::Trace(ended, _) => {
            write_ended(&mut write.transaction, ended).await?;
            Ok(Done::Trace)
        }
    }
}

/// A login's trace, and its audit entry where it has one.
async fn write_ended(
    connection: &mut AnyConnection,
    ended: &EndedLogin,
) -> Result<(), CatalogError> {
    write_trace(connection, &ended.trace, ended.behind).await?;
    match &ended.entry {
        Some(entry) => write_entry(connection, entry).await,
        None => Ok(()),
    }
}

fn only(outcomes: Vec<Done>) -> Result<Done, CatalogError> {
    outcomes.into_iter().next().ok_or_else(|| unavailable("nothing was written"))
}

/// Who waited may be gone; the write stands all the same.
fn answer(item: Item, outcome: Result<Done, CatalogError>) {
    match (item, outcome) {
        (Item::Login(_, reply), Ok(Done::Login(user))) => drop(reply.send(Ok(user))),
        (Item::Trace(_, reply), Ok(Done::Trace)) => drop(reply.send(Ok(()))),
        (Item::Login(_, reply), outcome) => drop(reply.send(Err(mismatch(outcome)))),
        (Item::Trace(_, reply), outcome) => drop(reply.send(Err(mismatch(outcome)))),
    }
}

fn mismatch(outcome: Result<Done, CatalogError>) -> CatalogError {
    outcome.err().unwrap_or_else(|| unavailable("another item was written"))
}
