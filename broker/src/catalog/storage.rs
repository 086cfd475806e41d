//! Database and cache together: what reads and writes of the catalog go through.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Any, Row as _, Transaction};
use tokio::sync::watch;
use tokio::time::timeout;

use super::cache::{Answer, Cache, Key};
use super::change_feed::{self, ChangeFeed};
use super::database::Database;
use super::error::{CatalogError, OpenError, unavailable};

/// The database below the cache.
#[derive(Debug)]
pub(super) struct Storage {
    database: Database,
    cache: Cache,
    feed: ChangeFeed,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// What the database gets to answer one look-up.
const PATIENCE: Duration = Duration::from_secs(4);

/// A write transaction. Every one starts by advancing the catalog's revision, which locks that row until the end: writes
/// wait for each other on both databases, so what one has checked holds until it commits.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) transaction: Transaction<'static, Any>,
    pub(super) revision: i64,
}

impl Storage {
    pub(super) async fn open(url: &str) -> Result<Self, OpenError> {
        let database = Database::open(url).await?;
        let shared = database.is_shared();
        Self::over(database, shared).await
    }

    /// SQLite as if other processes wrote to it too.
    #[cfg(test)]
    pub(super) async fn open_shared(url: &str) -> Result<Self, OpenError> {
        Self::over(Database::open(url).await?, true).await
    }

    async fn over(database: Database, shared: bool) -> Result<Self, OpenError> {
        let feed = ChangeFeed::open(&database, shared).await?;
        let (hits, misses) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Self { database, cache: Cache::new(), feed, hits, misses })
    }

    /// Forgets what other nodes wrote until now.
    pub(super) async fn catch_up(&self) -> Result<(), CatalogError> {
        self.feed.catch_up(&self.database, &self.cache).await
    }

    /// Tells when signing keys were changed.
    pub(super) fn signing_keys_changed(&self) -> watch::Receiver<()> {
        self.feed.signing_keys()
    }

    pub(super) async fn close(&self) {
        self.database.close().await;
    }

    /// Reads that the cache answered, and those that went to the database.
    pub(super) fn reads(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }

    /// A connection that reads. While the database is known to be away, nobody waits for it.
    pub(super) async fn reader(&self) -> Result<PoolConnection<Any>, CatalogError> {
        self.expect_an_answer()?;
        self.database.reader().await.map_err(unavailable)
    }

    /// A write transaction that touches nothing that is cached, and leaves the revision alone.
    pub(super) async fn begin_apart(&self) -> Result<Transaction<'static, Any>, CatalogError> {
        self.expect_an_answer()?;
        self.database.writer().await.map_err(unavailable)
    }

    fn expect_an_answer(&self) -> Result<(), CatalogError> {
        if self.feed.is_away() { Err(unavailable("it did not answer just now")) } else { Ok(()) }
    }

    pub(super) async fn begin(&self) -> Result<Write, CatalogError> {
        let mut transaction = self.begin_apart().await?;
        let row = sqlx::query::<Any>(ADVANCE)
            .fetch_one(&mut *transaction)
            .await
            .and_then(|row| row.try_get(0));
        Ok(Write { transaction, revision: row.map_err(unavailable)? })
    }

    /// Commits, and takes `touched` out of the cache before it answers, also where the outcome is not known.
    pub(super) async fn commit(
        &self,
        mut write: Write,
        touched: &[Key],
    ) -> Result<(), CatalogError> {
        change_feed::record(&mut write.transaction, write.revision, touched).await?;
        let _invalidation = self.cache.invalidation(touched);
        write.transaction.commit().await.map_err(unavailable)
    }

    /// The cached answer, else what `read` finds, which is then kept.
    pub(super) async fn cached<V, R>(&self, key: Key, read: R) -> Result<V, CatalogError>
    where
        V: Answer,
        R: AsyncFnOnce(&mut PoolConnection<Any>) -> Result<(V, usize), CatalogError>,
    {
        let mut asked = self.cache.get::<V>(key.clone());
        if asked.as_ref().is_ok_and(Answer::is_nothing) && key.may_just_have_come() {
            self.feed.catch_up_for_nothing(&self.database, &self.cache).await;
            asked = self.cache.get(key);
        }
        let asked = match asked {
            Ok(value) => {
                self.hits.fetch_add(1, Ordering::Relaxed);
                return Ok(value);
            }
            Err(asked) => asked,
        };
        self.misses.fetch_add(1, Ordering::Relaxed);
        let answer = async { read(&mut self.reader().await?).await };
        let (value, bytes) = timeout(PATIENCE, answer).await.map_err(unavailable)??;
        self.cache.keep(asked, value.clone(), bytes);
        Ok(value)
    }
}

/// Runs a write to its end even if nobody waits for it any more: a handler dropped between commit and invalidation
/// would leave an old value in the cache.
pub(super) async fn to_its_end<R: Send + 'static>(
    write: impl Future<Output = Result<R, CatalogError>> + Send + 'static,
) -> Result<R, CatalogError> {
    tokio::spawn(write).await.map_err(unavailable)?
}

const ADVANCE: &str =
    "UPDATE catalog_revision SET current = current + 1 WHERE id = 1 RETURNING current";
