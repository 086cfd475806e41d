//! From a configuration to a running broker; also in process, for tests and the demo.

pub mod admin_token;
pub mod data_folder;
pub mod error;
mod following;
pub mod master_key;
pub mod tls;

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use chrono::TimeDelta;
use homerealm_certs::{Random, SystemRandom};
use homerealm_connectors::http::{Outbound, OutboundPolicy};
use homerealm_connectors::oidc::ClientKeySets;
use secrecy::ExposeSecret as _;
use tokio::task::JoinHandle;

pub use admin_token::AdminToken;
pub use error::StartupError;

use crate::app::App;
use crate::catalog::{Behind, Catalog};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Issuer};
use crate::domains::dns::NameServers;
use crate::http;
use crate::http::limits::Limiter;
use crate::keys::KeyRing;
use crate::login::connectors::Connectors;
use crate::login::decryptions::Decryptions;
use crate::login::trace::TraceBudget;
use crate::metrics::{self, CountedStore, Metrics};
use crate::oauth::client_certificate::ClientAuthorities;
use crate::oauth::logout::notifier::{LogoutNotifier, Means};
use crate::passwords::Passwords;
use crate::seal::Sealer;
use crate::sessions::SessionStore;
use crate::sessions::embedded::{Capacity, EmbeddedStore};
use crate::sessions::record::Records;
use crate::sessions::redis::RedisStore;
use data_folder::DataFolder;

/// What a broker starts from.
#[derive(Debug)]
pub struct Startup {
    /// Checked settings.
    pub config: Config,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness of identifiers and secrets.
    pub random: Arc<dyn Random>,
}

/// A broker that answers.
#[derive(Debug)]
pub struct Running {
    /// The bound address, with the port that was taken.
    pub address: SocketAddr,
    /// What its handlers see.
    pub app: Arc<App>,
    /// What has to be swept and closed; Redis minds itself.
    /// Where `/metrics` is, if it is anywhere.
    pub metrics_address: Option<SocketAddr>,
    embedded: Option<EmbeddedStore>,
    server: ServerHandle,
    metrics: Option<ServerHandle>,
    serving: JoinHandle<std::io::Result<()>>,
    upkeep: JoinHandle<()>,
    following: JoinHandle<()>,
    _folder: Option<DataFolder>,
}

/// Between two rounds of forgetting what has expired.
const UPKEEP: Duration = Duration::from_secs(10);
/// What the stores get to close.
/// How long clients that are being told of a logout get to answer.
const TELL: Duration = Duration::from_secs(1);
const CLOSE: Duration = Duration::from_secs(2);
/// Rounds between two deletions of old login traces and audit entries: an hour.
const TRACES_EVERY: u64 = 360;
/// Expired session records that one round removes at most.
const UPKEEP_RECORDS: usize = 20_000;

impl Startup {
    /// With the machine's clock and randomness.
    pub fn new(config: Config) -> Self {
        Self { config, clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) }
    }
}

/// Binds, opens what is needed, and serves.
///
/// # Errors
/// [`StartupError`]: one clear sentence about the first thing that is wrong.
pub async fn start(startup: Startup) -> Result<Running, StartupError> {
    let Startup { mut config, clock, random } = startup;
    let authorities = client_authorities(&config)?;
    let tls = config.tls.as_ref().map(|files| {
        let asks = config.client_certificates.ask_in_tls;
        let asked =
            asks.then(|| authorities.as_ref().map(ClientAuthorities::names).unwrap_or_default());
        tls::load(files, asked)
    });
    let tls = tls.transpose()?;
    let (listener, address) = bind(config.listen)?;
    let metrics = config.metrics.listen.map(bind).transpose()?;
    let metrics_address = metrics.as_ref().map(|(_, address)| *address);
    if config.issuer_follows_listen {
        config.issuer = Issuer::localhost(address.port());
    }
    let folder = config.database.folder().map(DataFolder::open).transpose()?;
    let startup = Startup { config, clock, random };
    let own = std::iter::once(address).chain(metrics_address).collect();
    let (app, embedded) = open(startup, folder.as_ref(), (own, authorities)).await?;
    let server = http::server(Arc::clone(&app), listener, tls).map_err(StartupError::Server)?;
    let metrics = metrics.map(|(listener, _)| metrics::serve(Arc::clone(&app), listener));
    let metrics = metrics.transpose().map_err(StartupError::Server)?.map(run_beside);
    Ok(Running {
        address,
        metrics_address,
        metrics,
        server: server.handle(),
        serving: tokio::spawn(server),
        upkeep: tokio::spawn(upkeep(Arc::clone(&app), embedded.clone())),
        following: tokio::spawn(following::run(Arc::clone(&app))),
        embedded,
        app,
        _folder: folder,
    })
}

/// Everything that handlers need, from what is in the folder.
async fn open(
    startup: Startup,
    folder: Option<&DataFolder>,
    (own_listeners, client_authorities): (Vec<SocketAddr>, Option<ClientAuthorities>),
) -> Result<(Arc<App>, Option<EmbeddedStore>), StartupError> {
    let Startup { config, clock, random } = startup;
    let sealer = sealer(&config, random.as_ref())?;
    let catalog = Catalog::open(config.database.url.expose_secret(), &sealer).await?;
    let (sessions, embedded) = sessions(&config, folder, &clock).await?;
    let outbound = Arc::new(Outbound::new(outbound_policy(&config, own_listeners)));
    let metrics = Arc::new(Metrics::default());
    let sessions = Arc::new(CountedStore::new(sessions, Arc::clone(&metrics)));
    let records = Records::new(sessions, sealer.clone());
    // the embedded store has one node
    let shared = embedded.is_none().then_some(&records);
    let limits = Limiter::new(&config.limits, shared);
    let keys = KeyRing::load_or_create(&catalog, &sealer, clock.now()).await?;
    let logout = LogoutNotifier::new(Means {
        outbound: Arc::clone(&outbound),
        catalog: catalog.clone(),
        keys: keys.clone(),
        issuer: config.issuer.as_str().to_owned(),
        clock: Arc::clone(&clock),
        random: Arc::clone(&random),
    });
    let app = App {
        metrics,
        logout,
        admin_token: AdminToken::load(&config, folder, random.as_ref())?,
        keys,
        catalog,
        records,
        connectors: Connectors::new(Arc::clone(&outbound)),
        client_keys: ClientKeySets::new(Arc::clone(&outbound)),
        client_authorities,
        outbound,
        dns: Arc::new(NameServers::new(config.dns.servers.clone())),
        limits,
        passwords: Passwords::new(random.as_ref()).map_err(StartupError::Passwords)?,
        decryptions: Decryptions::default(),
        traces: TraceBudget::new(config.limits.enabled),
        stopping: AtomicBool::new(false),
        keys_are_old: AtomicBool::new(false),
        clock,
        random,
        sealer,
        config,
    };
    Ok((Arc::new(app), embedded))
}

/// The CAs whose certificates authenticate clients, where some are configured.
fn client_authorities(config: &Config) -> Result<Option<ClientAuthorities>, StartupError> {
    let load = |path: &PathBuf| {
        ClientAuthorities::load(path).map_err(|reason| StartupError::Tls {
            key: "client_certificates.ca_file",
            path: path.clone(),
            reason,
        })
    };
    config.client_certificates.ca_file.as_ref().map(load).transpose()
}

/// The session store: Redis where one is configured, else the file in the folder.
async fn sessions(
    config: &Config,
    folder: Option<&DataFolder>,
    clock: &Arc<dyn Clock>,
) -> Result<(Arc<dyn SessionStore>, Option<EmbeddedStore>), StartupError> {
    if let Some(redis) = &config.sessions.redis {
        let store = RedisStore::open(redis, Arc::clone(clock)).await?;
        return Ok((Arc::new(store), None));
    }
    let file = folder.ok_or(StartupError::NoSessionStore)?.file(crate::sessions::embedded::FILE);
    let store = EmbeddedStore::open(&file, Capacity::default(), clock.now()).await?;
    Ok((Arc::new(store.clone()), Some(store)))
}

impl Running {
    /// The public base URL.
    pub fn issuer(&self) -> &Issuer {
        &self.app.config.issuer
    }

    /// The folder of the database; `None` where this node keeps no file.
    pub fn data_folder(&self) -> Option<PathBuf> {
        self.app.config.database.folder().map(absolute)
    }

    /// Ends when the server does, which it only does by itself when something is wrong.
    ///
    /// # Errors
    /// [`StartupError::Server`].
    pub async fn until_it_ends(&mut self) -> Result<(), StartupError> {
        match (&mut self.serving).await {
            Ok(ended) => ended.map_err(StartupError::Server),
            Err(error) => Err(StartupError::Server(std::io::Error::other(error))),
        }
    }

    /// Not ready any more; for `http.drain_seconds` everything is still answered, so that a load balancer has time to look
    /// elsewhere; then running requests finish (7 s at most) and the stores close: within 10 s more.
    pub async fn stop(self) {
        self.app.stopping.store(true, Ordering::Relaxed);
        tokio::time::sleep(self.app.config.http.drain).await;
        self.server.stop(true).await;
        if !self.serving.is_finished() {
            self.serving.abort();
        }
        if let Some(metrics) = &self.metrics {
            metrics.stop(false).await;
        }
        self.app.logout.stop(TELL).await;
        self.upkeep.abort();
        self.following.abort();
        // what was acknowledged is on disk already
        let stores = async {
            if let Some(embedded) = &self.embedded {
                embedded.close().await;
            }
            self.app.catalog.close().await;
        };
        if tokio::time::timeout(CLOSE, stores).await.is_err() {
            tracing::warn!("the stores did not close in time");
        }
    }
}

/// Runs the server of the metrics until it is told to stop; its end does not end the broker.
fn run_beside(server: actix_web::dev::Server) -> ServerHandle {
    let handle = server.handle();
    tokio::spawn(server);
    handle
}

fn bind(listen: SocketAddr) -> Result<(TcpListener, SocketAddr), StartupError> {
    let bound = TcpListener::bind(listen).and_then(|listener| {
        let address = listener.local_addr()?;
        Ok((listener, address))
    });
    bound.map_err(|source| {
        if source.kind() == ErrorKind::AddrInUse {
            StartupError::AddressTaken { address: listen }
        } else {
            StartupError::Listen { address: listen, source }
        }
    })
}

/// The sealer of this configuration's database.
///
/// # Errors
/// As [`master_key::load`].
pub fn sealer(config: &Config, random: &dyn Random) -> Result<Sealer, StartupError> {
    let key = master_key::load(config, random)?;
    Sealer::new(&key).map_err(|e| StartupError::MasterKey {
        path: master_key::path(config),
        reason: e.to_string(),
    })
}

/// RULES 39: loopback only with a loopback issuer, and never our own listeners.
fn outbound_policy(config: &Config, own_listeners: Vec<SocketAddr>) -> OutboundPolicy {
    OutboundPolicy {
        allow_http: config.upstream.allow_http,
        allow_private_addresses: config.upstream.allow_private_addresses,
        allow_loopback: config.issuer.is_loopback(),
        own_listeners,
    }
}

async fn upkeep(app: Arc<App>, embedded: Option<EmbeddedStore>) {
    let mut tick = tokio::time::interval(UPKEEP);
    for round in 0_u64.. {
        tick.tick().await;
        if let Some(embedded) = &embedded {
            embedded.forget_expired(UPKEEP_RECORDS, app.now());
        }
        if round % TRACES_EVERY == 0 {
            forget_what_is_old(&app).await;
        }
    }
}

/// Rows that are kept of logins without a verified statement, whatever their age: about 300 MB.
const UNPROVEN_TRACES: [(Behind, u32); 2] = [(Behind::Nothing, 50_000), (Behind::Login, 200_000)];

/// `retention.login_traces_days` and `retention.audit_days`.
async fn forget_what_is_old(app: &App) {
    let days = TimeDelta::days(app.config.retention.login_traces_days.into());
    if let Err(error) = app.catalog.delete_traces_before(app.now() - days).await {
        tracing::warn!(%error, "old login traces were not deleted");
    }
    for (behind, most) in UNPROVEN_TRACES {
        if let Err(error) = app.catalog.delete_traces_beyond(behind, most).await {
            tracing::warn!(%error, "login traces beyond their number were not deleted");
        }
    }
    let days = TimeDelta::days(app.config.retention.audit_days.into());
    if let Err(error) = app.catalog.delete_audit_before(app.now() - days).await {
        tracing::warn!(%error, "old audit entries were not deleted");
    }
}

/// A path that is clear wherever it is read.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
