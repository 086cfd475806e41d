//! The journal: one SQLite file, one writer, many changes a commit.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

use super::shard::Id;
use crate::sessions::StoreError;

/// One change of one record.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Put(Id, Arc<[u8]>, i64),
    Delete(Id),
}

impl Change {
    /// Of the record.
    pub(super) const fn id(&self) -> &Id {
        match self {
            Self::Put(id, ..) | Self::Delete(id) => id,
        }
    }
}

/// What stood in the file.
pub(super) struct Replay {
    pub(super) records: Vec<(Id, Arc<[u8]>, i64)>,
    pub(super) epoch: DateTime<Utc>,
}

/// Why the file could not be opened.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum OpenError {
    #[error(
        "the clock says {now}, but the last entry is from {last}: set the clock right, then start again; if it was the earlier \
         clock that was wrong, move sessions.db away: logins under way end, everything else stays"
    )]
    ClockBehind { last: DateTime<Utc>, now: DateTime<Utc> },
    #[error("{}: {source}", path.display())]
    Database { path: PathBuf, source: sqlx::Error },
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("{} was written by another version of Homerealm", path.display())]
    Version { path: PathBuf },
}

/// The sending end of the writer's queue.
#[derive(Debug)]
pub(super) struct Journal {
    queue: mpsc::Sender<Message>,
    /// The last commit failed; the writer goes on trying.
    pub(super) failing: watch::Receiver<bool>,
}

/// Room for one message.
pub(super) struct Permit<'a>(mpsc::Permit<'a, Message>);

/// Resolves when a message is on disk.
pub(super) struct Committed(oneshot::Receiver<Result<(), String>>);

#[derive(Debug)]
enum Message {
    Changes { changes: Vec<Change>, at: i64, done: oneshot::Sender<Result<(), String>> },
    Close(oneshot::Sender<()>),
}

const VERSION: i64 = 1;
const QUEUE: usize = 4096;
/// Messages of one commit.
const BATCH: usize = 512;
/// Rows of one statement.
const ROWS: usize = 32;
/// How long a caller waits for room and for the disk, each.
const PATIENCE: Duration = Duration::from_secs(5);
const RETRY: Duration = Duration::from_millis(250);

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS records (
        id BLOB NOT NULL PRIMARY KEY, value BLOB NOT NULL, expires_at BIGINT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS facts (name TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL)";
const UPSERT: &str = "INSERT OR REPLACE INTO records (id, value, expires_at) VALUES (?, ?, ?)";
static UPSERT_MANY: LazyLock<String> =
    LazyLock::new(|| format!("{UPSERT}{}", ", (?, ?, ?)".repeat(ROWS - 1)));
const DELETE: &str = "DELETE FROM records WHERE id IN (?)";
static DELETE_MANY: LazyLock<String> =
    LazyLock::new(|| format!("DELETE FROM records WHERE id IN (?{})", ", ?".repeat(ROWS - 1)));
const SET_FACT: &str = "INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)";

/// Opens the file, reads what is live at `now`, and starts the writer.
pub(super) async fn open(path: &Path, now: DateTime<Utc>) -> Result<(Journal, Replay), OpenError> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(|source| OpenError::File { path: path.to_owned(), source })?;
    let failed = |source| OpenError::Database { path: path.to_owned(), source };
    let mut connection = connect(path).await.map_err(failed)?;
    sqlx::raw_sql(SCHEMA).execute(&mut connection).await.map_err(failed)?;
    let facts = facts(&mut connection).await.map_err(failed)?;
    if facts.get("version").is_some_and(|version| *version != VERSION) {
        return Err(OpenError::Version { path: path.to_owned() });
    }
    if let Some(last) = facts.get("last").copied().and_then(DateTime::from_timestamp_micros)
        && now.timestamp_micros() < last.timestamp_micros()
    {
        return Err(OpenError::ClockBehind { last, now });
    }
    let replay = replay(&mut connection, &facts, now).await.map_err(failed)?;
    let (queue, messages) = mpsc::channel(QUEUE);
    let (tell, failing) = watch::channel(false);
    tokio::spawn(write(connection, messages, tell));
    Ok((Journal { queue, failing }, replay))
}

impl Journal {
    /// Room for one message, before anything is changed in memory.
    pub(super) async fn reserve(&self) -> Result<Permit<'_>, StoreError> {
        self.ready()?;
        match timeout(PATIENCE, self.queue.reserve()).await {
            Ok(Ok(permit)) => Ok(Permit(permit)),
            Ok(Err(_)) => Err(closed()),
            Err(_) => Err(StoreError::Unavailable("the journal is behind".to_owned())),
        }
    }

    /// Room for one message, if there is some at once.
    pub(super) fn try_reserve(&self) -> Option<Permit<'_>> {
        self.ready().ok()?;
        self.queue.try_reserve().ok().map(Permit)
    }

    /// Whether the last commit succeeded and the writer is there.
    pub(super) fn ready(&self) -> Result<(), StoreError> {
        if self.queue.is_closed() {
            return Err(closed());
        }
        if *self.failing.borrow() {
            return Err(StoreError::Unavailable("the journal cannot be written".to_owned()));
        }
        Ok(())
    }

    /// Writes what is queued, then ends the writer.
    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if timeout(PATIENCE, self.queue.send(Message::Close(done)))
            .await
            .is_ok_and(|sent| sent.is_ok())
        {
            let _ = timeout(PATIENCE, closed).await;
        }
    }
}

impl Permit<'_> {
    /// Queues the changes, in the order of the calls; `at` is their time in microseconds.
    pub(super) fn send(self, changes: Vec<Change>, at: i64) -> Committed {
        let (done, committed) = oneshot::channel();
        self.0.send(Message::Changes { changes, at, done });
        Committed(committed)
    }
}

impl Committed {
    /// `Ok` once it is on disk.
    pub(super) async fn wait(self) -> Result<(), StoreError> {
        match timeout(PATIENCE, self.0).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(reason))) => Err(StoreError::Unavailable(reason)),
            Ok(Err(_)) => Err(closed()),
            Err(_) => Err(StoreError::Unavailable("the journal did not answer in time".to_owned())),
        }
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the journal is closed".to_owned())
}

async fn connect(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // a commit is on disk when it answers
        .synchronous(SqliteSynchronous::Full)
        // what was taken once leaves no trace in free pages (RULES 33)
        .pragma("secure_delete", "ON")
        .busy_timeout(RETRY)
        .disable_statement_logging()
        .connect()
        .await
}

async fn facts(connection: &mut SqliteConnection) -> Result<HashMap<String, i64>, sqlx::Error> {
    let rows = sqlx::query("SELECT name, value FROM facts").fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Expiry is judged again; the epoch is written where it is missing (RULES 32, 33).
async fn replay(
    connection: &mut SqliteConnection,
    facts: &HashMap<String, i64>,
    now: DateTime<Utc>,
) -> Result<Replay, sqlx::Error> {
    let stored = facts.get("epoch").copied().and_then(DateTime::from_timestamp_micros);
    let epoch = stored.unwrap_or(now);
    for (name, value) in [("version", VERSION), ("epoch", epoch.timestamp_micros())] {
        sqlx::query(SET_FACT).bind(name).bind(value).execute(&mut *connection).await?;
    }
    let now = now.timestamp_micros();
    sqlx::query("DELETE FROM records WHERE expires_at <= ?")
        .bind(now)
        .execute(&mut *connection)
        .await?;
    let rows = sqlx::query("SELECT id, value, expires_at FROM records")
        .fetch_all(&mut *connection)
        .await?;
    let mut records = Vec::with_capacity(rows.len());
    for row in rows {
        let id = Id::try_from(row.try_get::<&[u8], _>(0)?)
            .map_err(|_| sqlx::Error::Decode("an id that is not ours".into()))?;
        records.push((id, Arc::from(row.try_get::<&[u8], _>(1)?), row.try_get(2)?));
    }
    Ok(Replay { records, epoch })
}

/// The writer: takes what has come in meanwhile, commits it as one, answers.
async fn write(
    mut connection: SqliteConnection,
    mut messages: mpsc::Receiver<Message>,
    failing: watch::Sender<bool>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while messages.recv_many(&mut batch, BATCH).await > 0 {
        let mut changes = HashMap::new();
        let mut last = i64::MIN;
        let mut waiting = Vec::with_capacity(batch.len());
        let mut close = None;
        for message in batch.drain(..) {
            match message {
                Message::Close(done) => close = Some(done),
                Message::Changes { changes: new, at, done } if close.is_none() => {
                    last = last.max(at);
                    waiting.push(done);
                    changes.extend(new.into_iter().map(by_id));
                }
                // after the close: dropping the sender says so
                Message::Changes { .. } => {}
            }
        }
        commit_at_last(&mut connection, &changes, last, waiting, &failing).await;
        if let Some(done) = close {
            let _ = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_all(&mut connection).await;
            let _ = connection.close().await;
            let _ = done.send(());
            return;
        }
    }
}

/// The value and expiry to write, or nothing to write: the last change of a record is the one that counts.
type Outcome = Option<(Arc<[u8]>, i64)>;

fn by_id(change: Change) -> (Id, Outcome) {
    match change {
        Change::Put(id, value, expires) => (id, Some((value, expires))),
        Change::Delete(id) => (id, None),
    }
}

/// Commits, answers, and in case of failure goes on trying: memory has the changes, so the disk must get them.
async fn commit_at_last(
    connection: &mut SqliteConnection,
    changes: &HashMap<Id, Outcome>,
    last: i64,
    waiting: Vec<oneshot::Sender<Result<(), String>>>,
    failing: &watch::Sender<bool>,
) {
    let mut waiting = waiting;
    if waiting.is_empty() {
        return;
    }
    while let Err(error) = commit(connection, changes, last).await {
        if !failing.send_replace(true) {
            tracing::error!(%error, "the session journal cannot be written; trying again");
        }
        for done in waiting.drain(..) {
            let _ = done.send(Err("the journal cannot be written".to_owned()));
        }
        sleep(RETRY).await;
    }
    if failing.send_replace(false) {
        tracing::info!("the session journal is written again");
    }
    for done in waiting {
        let _ = done.send(Ok(()));
    }
}

async fn commit(
    connection: &mut SqliteConnection,
    changes: &HashMap<Id, Outcome>,
    last: i64,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let puts: Vec<_> = changes.iter().filter_map(|(id, o)| Some((id, o.as_ref()?))).collect();
    for rows in puts.chunks(ROWS) {
        let whole = rows.len() == ROWS;
        let groups = if whole { rows.chunks(ROWS) } else { rows.chunks(1) };
        for group in groups {
            let mut query = sqlx::query(if whole { UPSERT_MANY.as_str() } else { UPSERT });
            for (id, (value, expires)) in group {
                query = query.bind(id.as_slice()).bind(value.as_ref()).bind(expires);
            }
            query.execute(&mut *transaction).await?;
        }
    }
    let deletes: Vec<_> = changes.iter().filter(|(_, o)| o.is_none()).map(|(id, _)| id).collect();
    for rows in deletes.chunks(ROWS) {
        let whole = rows.len() == ROWS;
        let groups = if whole { rows.chunks(ROWS) } else { rows.chunks(1) };
        for group in groups {
            let mut query = sqlx::query(if whole { DELETE_MANY.as_str() } else { DELETE });
            for id in group {
                query = query.bind(id.as_slice());
            }
            query.execute(&mut *transaction).await?;
        }
    }
    sqlx::query(SET_FACT).bind("last").bind(last).execute(&mut *transaction).await?;
    transaction.commit().await
}
