//! How a node learns what others wrote.
//!
//! Every write leaves a row with the cached answers that it touched, in its own transaction. A node reads the rows after the
//! last one it knows and forgets those answers. Where the rows do not continue what it knows (they were deleted meanwhile,
//! the database was restored, or a failover lost writes), it forgets everything.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use homerealm_certs::{Random as _, SystemRandom};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, Row as _};
use tokio::sync::{Mutex, MutexGuard, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::cache::{Cache, Key};
use super::database::Database;
use super::error::{CatalogError, unavailable};

/// Rows that are kept: more than nodes that are up ever lag behind.
const KEPT: i64 = 10_000;
/// Rows between two deletions.
const FORGET_EVERY: i64 = 1_000;
/// Rows that are read at once.
const AT_ONCE: usize = 500;
/// What the database gets to answer; then it counts as away.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks that look-ups of unknown things cause.
const PAUSE: Duration = Duration::from_millis(20);

/// What this node knows of the changes so far.
#[derive(Debug)]
pub(super) struct ChangeFeed {
    position: Mutex<Position>,
    /// Whether the last look failed.
    away: AtomicBool,
    /// Whether other processes write to the database.
    shared: bool,
    signing_keys: watch::Sender<()>,
}

/// The last change that is known.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Position {
    revision: i64,
    id: String,
    looked_at: Instant,
}

#[derive(Debug)]
struct Change {
    revision: i64,
    id: String,
    /// `None` where a later version wrote words that this one does not know.
    keys: Option<Vec<Key>>,
}

impl ChangeFeed {
    /// From what stands in the database now; nothing may have been cached before.
    pub(super) async fn open(database: &Database, shared: bool) -> Result<Self, CatalogError> {
        let mut reader = database.reader().await.map_err(unavailable)?;
        Ok(Self {
            position: Mutex::new(latest(&mut reader).await?),
            away: AtomicBool::new(false),
            shared,
            signing_keys: watch::Sender::new(()),
        })
    }

    /// Whether the database did not answer when it was looked at last.
    pub(super) fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// Tells when signing keys were changed, by this process too.
    pub(super) fn signing_keys(&self) -> watch::Receiver<()> {
        self.signing_keys.subscribe()
    }

    /// Forgets what others wrote until now.
    pub(super) async fn catch_up(
        &self,
        database: &Database,
        cache: &Cache,
    ) -> Result<(), CatalogError> {
        let position = self.position.lock().await;
        self.look(position, database, cache).await
    }

    /// As [`Self::catch_up`], for somebody who was told that there is nothing. Callers share looks, and looks keep a
    /// distance, so that asking for unknown things costs the database next to nothing.
    pub(super) async fn catch_up_for_nothing(&self, database: &Database, cache: &Cache) {
        let came_at = Instant::now();
        if !self.shared || self.is_away() {
            return;
        }
        let position = self.position.lock().await;
        if position.looked_at >= came_at || self.is_away() {
            return;
        }
        sleep_until(position.looked_at + PAUSE).await;
        if let Err(error) = self.look(position, database, cache).await {
            tracing::debug!(%error, "changes could not be read");
        }
    }

    async fn look(
        &self,
        mut position: MutexGuard<'_, Position>,
        database: &Database,
        cache: &Cache,
    ) -> Result<(), CatalogError> {
        position.looked_at = Instant::now();
        let before = position.revision;
        let looked = timeout(PATIENCE, self.follow(&mut position, database, cache)).await;
        let looked = looked.unwrap_or_else(|_| Err(unavailable("it does not answer")));
        self.away.store(looked.is_err(), Ordering::Relaxed);
        looked?;
        if before / FORGET_EVERY != position.revision / FORGET_EVERY {
            forget_before(database, position.revision - KEPT).await;
        }
        Ok(())
    }

    async fn follow(
        &self,
        position: &mut Position,
        database: &Database,
        cache: &Cache,
    ) -> Result<(), CatalogError> {
        let mut reader = database.reader().await.map_err(unavailable)?;
        loop {
            let changes = read_from(&mut reader, position.revision).await?;
            let Some((first, new)) = changes.split_first() else {
                return self.start_anew(position, &mut reader, cache).await;
            };
            if (first.revision, &first.id) != (position.revision, &position.id) {
                return self.start_anew(position, &mut reader, cache).await;
            }
            for change in new {
                let Some(keys) = change.keys.as_ref().filter(|_| change.continues(position)) else {
                    return self.start_anew(position, &mut reader, cache).await;
                };
                self.apply(keys, cache);
                (position.revision, position.id) = (change.revision, change.id.clone());
            }
            if changes.len() < AT_ONCE {
                return Ok(());
            }
        }
    }

    fn apply(&self, keys: &[Key], cache: &Cache) {
        cache.invalidate(keys);
        if keys.contains(&Key::SigningKeys) {
            self.signing_keys.send_replace(());
        }
    }

    /// The position is read first: what is written after that is followed, what was before is forgotten.
    async fn start_anew(
        &self,
        position: &mut Position,
        reader: &mut AnyConnection,
        cache: &Cache,
    ) -> Result<(), CatalogError> {
        let latest = latest(reader).await?;
        cache.invalidate_all();
        self.signing_keys.send_replace(());
        (position.revision, position.id) = (latest.revision, latest.id);
        tracing::info!(catalog.revision = position.revision, "the catalog is read anew");
        Ok(())
    }
}

impl Change {
    const fn continues(&self, position: &Position) -> bool {
        self.revision == position.revision + 1
    }
}

/// Leaves the row of a write in its transaction.
pub(super) async fn record(
    connection: &mut AnyConnection,
    revision: i64,
    touched: &[Key],
) -> Result<(), CatalogError> {
    let mut id = [0; 8];
    SystemRandom.fill(&mut id);
    let keys: BTreeSet<Vec<&str>> = touched.iter().map(Key::words).collect();
    sqlx::query::<Any>(ADD)
        .bind(revision)
        .bind(hex::encode(id))
        .bind(serde_json::to_string(&keys).map_err(unavailable)?)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(unavailable)
}

async fn latest(reader: &mut AnyConnection) -> Result<Position, CatalogError> {
    let row = sqlx::query::<Any>(LATEST).fetch_one(reader).await.map_err(unavailable)?;
    let Change { revision, id, .. } = read(&row)?;
    Ok(Position { revision, id, looked_at: Instant::now() })
}

async fn read_from(reader: &mut AnyConnection, revision: i64) -> Result<Vec<Change>, CatalogError> {
    let query = sqlx::query::<Any>(FROM).bind(revision).bind(AT_ONCE as i64);
    let rows = query.fetch_all(reader).await.map_err(unavailable)?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<Change, CatalogError> {
    let keys: String = row.try_get(2).map_err(unavailable)?;
    let keys: Vec<Vec<String>> = serde_json::from_str(&keys).map_err(unavailable)?;
    Ok(Change {
        revision: row.try_get(0).map_err(unavailable)?,
        id: row.try_get(1).map_err(unavailable)?,
        keys: keys.iter().map(|words| Key::from_words(words)).collect(),
    })
}

/// Several nodes may do it at once; where that fails, the next one does it.
async fn forget_before(database: &Database, revision: i64) {
    let deleted = async {
        let mut transaction = database.writer().await?;
        sqlx::query::<Any>(FORGET).bind(revision).execute(&mut *transaction).await?;
        transaction.commit().await
    };
    match timeout(PATIENCE, deleted).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::info!(%error, "old changes were not deleted"),
        Err(_) => tracing::info!("old changes were not deleted in time"),
    }
}

const ADD: &str = "INSERT INTO changes (revision, id, keys) VALUES ($1, $2, $3)";
pub(super) const FROM: &str =
    "SELECT revision, id, keys FROM changes WHERE revision >= $1 ORDER BY revision LIMIT $2";
pub(super) const LATEST: &str =
    "SELECT revision, id, keys FROM changes WHERE revision = (SELECT max(revision) FROM changes)";
const FORGET: &str = "DELETE FROM changes WHERE revision < $1";
