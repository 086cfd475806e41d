//! Database and cache together: what reads and writes of the catalog go through.

use std::any::Any as AnyValue;

use sqlx::pool::PoolConnection;
use sqlx::{Any, Row as _, Transaction};

use super::cache::{Cache, Key};
use super::database::Database;
use super::error::{CatalogError, OpenError, unavailable};

/// The database below the cache.
#[derive(Debug)]
pub(super) struct Storage {
    database: Database,
    cache: Cache,
}

/// A write transaction. Every one starts by advancing the catalog's revision, which locks that row until the end: writes
/// wait for each other on both databases, so what one has checked holds until it commits.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) transaction: Transaction<'static, Any>,
    pub(super) revision: i64,
}

impl Storage {
    pub(super) async fn open(url: &str) -> Result<Self, OpenError> {
        Ok(Self { database: Database::open(url).await?, cache: Cache::new() })
    }

    pub(super) async fn close(&self) {
        self.database.close().await;
    }

    pub(super) async fn reader(&self) -> Result<PoolConnection<Any>, CatalogError> {
        self.database.reader().await.map_err(unavailable)
    }

    /// A write transaction that touches nothing that is cached, and leaves the revision alone.
    pub(super) async fn begin_apart(&self) -> Result<Transaction<'static, Any>, CatalogError> {
        self.database.writer().await.map_err(unavailable)
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
    pub(super) async fn commit(&self, write: Write, touched: &[Key]) -> Result<(), CatalogError> {
        let _invalidation = self.cache.invalidation(touched);
        write.transaction.commit().await.map_err(unavailable)
    }

    /// The cached answer, else what `read` finds, which is then kept.
    pub(super) async fn cached<V, R>(&self, key: Key, read: R) -> Result<V, CatalogError>
    where
        V: AnyValue + Clone + Send + Sync,
        R: AsyncFnOnce(&mut PoolConnection<Any>) -> Result<(V, usize), CatalogError>,
    {
        let asked = match self.cache.get(key) {
            Ok(value) => return Ok(value),
            Err(asked) => asked,
        };
        let (value, bytes) = read(&mut self.reader().await?).await?;
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
