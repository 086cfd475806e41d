//! Pools of connections to the one database, SQLite or PostgreSQL.

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::migrate::Migrator;
use sqlx::pool::PoolConnection;
use sqlx::{Any, Transaction};
use sqlx::{AnyConnection, AnyPool};
use url::Url;

use super::error::OpenError;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Two pools: SQLite stalls for seconds where several connections write, so its writer pool has one connection.
#[derive(Debug)]
pub(super) struct Database {
    kind: Kind,
    readers: AnyPool,
    writers: AnyPool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Postgres,
    Sqlite,
}

impl Database {
    /// Connects, makes what is missing (SQLite: folder and file) and brings the schema up to date.
    pub(super) async fn open(url: &str) -> Result<Self, OpenError> {
        let (kind, url) = locate(url)?;
        sqlx::any::install_default_drivers();
        let (readers, writers) = match kind {
            Kind::Postgres => (16, 8),
            Kind::Sqlite => (4, 1),
        };
        let writers = pool(kind, writers).connect(&url).await?;
        MIGRATIONS.run(&writers).await?;
        let readers = pool(kind, readers).connect(&url).await?;
        Ok(Self { kind, readers, writers })
    }

    /// Whether other processes write to it too.
    pub(super) fn is_shared(&self) -> bool {
        self.kind == Kind::Postgres
    }

    /// A connection that reads.
    pub(super) async fn reader(&self) -> Result<PoolConnection<Any>, sqlx::Error> {
        self.readers.acquire().await
    }

    /// A transaction that writes; dropped without a commit it never happened.
    pub(super) async fn writer(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        match self.kind {
            // whatever the server's default: each statement sees what was committed before it
            Kind::Postgres => self.writers.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await,
            Kind::Sqlite => self.writers.begin_with("BEGIN IMMEDIATE").await,
        }
    }

    /// Ends both pools after what is under way.
    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writers.close().await;
    }
}

fn pool(kind: Kind, connections: u32) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(3))
        .test_before_acquire(kind == Kind::Postgres)
        .after_connect(move |connection, _| Box::pin(prepare(kind, connection)))
}

async fn prepare(kind: Kind, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let pragmas: &[&'static str] = match kind {
        Kind::Postgres => &[
            // a node that went silent must not hold the others up: its transaction is undone
            "SET idle_in_transaction_session_timeout = '10s'",
            "SET lock_timeout = '10s'",
            "SET statement_timeout = '20s'",
            "SET tcp_keepalives_idle = 5",
            "SET tcp_keepalives_interval = 2",
            "SET tcp_keepalives_count = 3",
        ],
        Kind::Sqlite => &[
            "PRAGMA busy_timeout = 5000",
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",
            "PRAGMA foreign_keys = ON",
            // deleted secrets and claims leave no traces in free pages (RULES 33)
            "PRAGMA secure_delete = ON",
        ],
    };
    for pragma in pragmas {
        sqlx::query(*pragma).fetch_all(&mut *connection).await?;
    }
    Ok(())
}

fn locate(url: &str) -> Result<(Kind, String), OpenError> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok((Kind::Postgres, url.to_owned()));
    }
    let path = url
        .strip_prefix("sqlite://")
        .or_else(|| url.strip_prefix("sqlite:"))
        .ok_or(OpenError::Url("another scheme"))?;
    if path.is_empty() || path.contains(['?', '\0']) {
        return Err(OpenError::Url("SQLite takes a path and no parameters"));
    }
    if path == ":memory:" {
        return Err(OpenError::Url("a database in memory would lose what it acknowledged"));
    }
    Ok((Kind::Sqlite, make_file(Path::new(path))?))
}

/// Makes folder (0700) and file (0600) where they are missing; the file's absolute URL.
fn make_file(path: &Path) -> Result<String, OpenError> {
    let file_error = |source| OpenError::File { path: path.to_owned(), source };
    let absolute = std::path::absolute(path).map_err(file_error)?;
    if let Some(folder) = absolute.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|source| OpenError::Folder { path: folder.to_owned(), source })?;
    }
    OpenOptions::new().create(true).append(true).mode(0o600).open(&absolute).map_err(file_error)?;
    let url = Url::from_file_path(&absolute).map_err(|()| OpenError::Url("not a path"))?;
    Ok(format!("sqlite://{}", url.path()))
}
