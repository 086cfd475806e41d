//! What the brokers under test keep their state in: chosen for a whole run by `HOMEREALM_TEST_STATE`.
//!
//! `embedded`, which is also the default, is one broker with a SQLite file and the embedded session store; `servers` is one on
//! PostgreSQL and Redis; `two-nodes` is two of those behind a balancer that sends each request to the next. The servers are
//! started once a process, on free ports; every broker, or pair of brokers, has a database and a key prefix of its own.

use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::app::ADMIN_TOKEN;
use crate::postgres::{Database, Postgres};
use crate::redis::Redis;

/// The engines of a run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// SQLite and the embedded session store.
    Embedded,
    /// PostgreSQL and Redis.
    Servers,
    /// The same, shared by two nodes.
    TwoNodes,
}

/// The keys that hold everything of one broker, or of several that belong together.
#[derive(Debug)]
pub struct Ground {
    folder: TempDir,
    settings: String,
    redis: Option<(&'static Redis, String)>,
    _database: Option<Database>,
}

struct Servers {
    postgres: Postgres,
    redis: Redis,
}

impl State {
    /// As the environment says.
    ///
    /// # Panics
    /// With the names that there are, for another one.
    #[must_use]
    pub fn of_this_run() -> Self {
        match std::env::var("HOMEREALM_TEST_STATE").as_deref() {
            Err(_) | Ok("" | "embedded") => Self::Embedded,
            Ok("servers") => Self::Servers,
            Ok("two-nodes") => Self::TwoNodes,
            Ok(other) => {
                panic!("HOMEREALM_TEST_STATE={other}: embedded, servers and two-nodes are known")
            }
        }
    }
}

/// Whether this run is about the embedded engines, for tests that are about one engine by nature; says what is skipped where
/// it is not.
#[must_use]
pub fn is_embedded(what: &str) -> bool {
    let state = State::of_this_run();
    if state != State::Embedded {
        println!(
            "skipped: {what}: it chooses its engines itself, and runs where this run is embedded"
        );
    }
    state == State::Embedded
}

impl Ground {
    /// Empty, with `more` settings: tables of their own.
    pub async fn fresh(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if State::of_this_run() == State::Embedded {
            let database = format!("sqlite:{}/hr.db", folder.path().display());
            return Self {
                settings: settings(&database, more),
                folder,
                redis: None,
                _database: None,
            };
        }
        let servers = servers().await;
        let number = next();
        let database = servers.postgres.database(&format!("broker_{number}"));
        let key = folder.path().join("master.key");
        std::fs::write(&key, "5a".repeat(32)).unwrap();
        let shared = format!(
            "[sessions]\nurl = \"{}\"\nprefix = \"hr{number}:\"\n[keys]\nmaster_key_file = \"{}\"\n",
            servers.redis.url(),
            key.display()
        );
        let settings = settings(&database.url, &format!("{shared}{more}"));
        let redis = Some((&servers.redis, format!("hr{number}:")));
        Self { folder, settings, redis, _database: Some(database) }
    }

    /// A configuration: keys of the first level, then what stands on this ground.
    #[must_use]
    pub fn config(&self, first: &str) -> String {
        format!("{first}{}", self.settings)
    }

    /// The Redis below, and what its keys begin with.
    #[must_use]
    pub fn redis(&self) -> Option<(&'static Redis, &str)> {
        self.redis.as_ref().map(|(redis, prefix)| (*redis, prefix.as_str()))
    }

    /// The folder with the state of the embedded engines; else with the master key alone.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}

/// Upstreams live on loopback, with http; the limits have tests of their own.
#[must_use]
pub fn settings(database: &str, more: &str) -> String {
    format!(
        "\n[database]\nurl = \"{database}\"\n[admin]\ntoken = \"{ADMIN_TOKEN}\"\n\
         [upstream]\nallow_http = true\nallow_private_addresses = true\n[limits]\nenabled = false\n{more}"
    )
}

async fn servers() -> &'static Servers {
    static SHARED: OnceCell<Servers> = OnceCell::const_new();
    let started = SHARED.get_or_init(|| async {
        let (postgres, redis) = (Postgres::lasting().await, Redis::lasting().await);
        let needed =
            "HOMEREALM_TEST_STATE needs PostgreSQL and Redis (see scripts/install-test-tools)";
        Servers { postgres: postgres.expect(needed), redis: redis.expect(needed) }
    });
    started.await
}

fn next() -> usize {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    COUNT.fetch_add(1, Ordering::Relaxed)
}
