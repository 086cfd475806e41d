//! `homerealm demo`: an embedded broker, two sample IdPs, a sample third-party site, a sample API and an operator's view.
//!
//! Each listens on a port of its own on loopback, and they speak real HTTP with each other; what they share is this process
//! and nothing else. The broker is reached as `localhost`, everything else as `127.0.0.1`, so that the browser keeps their
//! cookies apart as it would those of different companies (RULES 37). State lives in a new temporary folder that goes with
//! the demo. `serve` starts none of this.

mod api;
mod folder;
pub mod oidc_idp;
mod operator;
mod pages;
pub mod ports;
pub mod saml_idp;
mod seed;
mod server;
mod site;
mod trusted_issuer;
pub mod user;

use std::io::ErrorKind;
use std::net::{Ipv6Addr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use homerealm_certs::{Random, SystemRandom};
use homerealm_connectors::http::{Outbound, OutboundPolicy, Secret};
use url::Url;

use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Problems};
use crate::startup::data_folder::read_secret_file;
use crate::startup::{self, Running, Startup, StartupError};
use folder::DemoFolder;
use oidc_idp::OidcIdp;
use operator::Operator;
use ports::Ports;
use saml_idp::SamlIdp;
use site::Site;
use trusted_issuer::TrustedIssuer;
use user::SampleUser;

pub use server::Served;

/// Everything that runs.
#[derive(Debug)]
pub struct Demo {
    /// The broker, as `serve` would run it but for where its state is and what it may call.
    pub broker: Running,
    /// The sample third-party site: where a newcomer starts.
    pub site: Served,
    /// The sample API that the site calls.
    pub api: Served,
    /// Acme's sample IdP.
    pub saml_idp: SamlIdp,
    /// Globex's sample IdP.
    pub oidc_idp: OidcIdp,
    /// Login traces, as an operator sees them.
    pub operator: Served,
    _folder: DemoFolder,
}

/// Why the demo does not start.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The broker does not start.
    #[error(transparent)]
    Broker(#[from] StartupError),
    /// The demo's own settings are refused.
    #[error(transparent)]
    Config(#[from] Problems),
    /// A sample's key cannot be made.
    #[error("a sample's key could not be made: {0}")]
    Key(String),
    /// The management API refuses what is seeded, or does not answer.
    #[error("the demo could not be set up through the management API: {0}")]
    Seed(String),
    /// Temporary folder, ports, sockets.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What came of it.
        source: std::io::Error,
    },
}

/// Starts everything and sets it up as an operator would, through the management API.
///
/// # Errors
/// [`DemoError`].
pub async fn start(mut ports: Ports) -> Result<Demo, DemoError> {
    let surroundings =
        Surroundings { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) };
    let folder = DemoFolder::make(&SystemRandom).map_err(system("a temporary folder"))?;
    let broker = Box::pin(start_broker(&mut ports, folder.path())).await?;
    match Box::pin(around(&broker, &mut ports, &surroundings)).await {
        Ok(around) => Ok(Demo {
            broker,
            site: around.site,
            api: around.api,
            saml_idp: around.saml_idp,
            oidc_idp: around.oidc_idp,
            operator: around.operator,
            _folder: folder,
        }),
        Err(error) => {
            broker.stop().await;
            Err(error)
        }
    }
}

impl Demo {
    /// Stops every part; the folder goes last.
    pub async fn stop(self) {
        let samples = [&self.site, &self.api, &self.operator];
        for served in samples.into_iter().chain([self.saml_idp.served(), self.oidc_idp.served()]) {
            served.stop().await;
        }
        self.broker.stop().await;
    }
}

/// Where the parts get time and randomness from.
struct Surroundings {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// Everything but the broker.
struct Around {
    site: Served,
    api: Served,
    saml_idp: SamlIdp,
    oidc_idp: OidcIdp,
    operator: Served,
}

async fn around(
    broker: &Running,
    ports: &mut Ports,
    surroundings: &Surroundings,
) -> Result<Around, DemoError> {
    let issuer = broker.issuer().as_str();
    let token = admin_token(broker)?;
    let (clock, random) = (&surroundings.clock, &surroundings.random);
    let mut socket = || ports.listener().map_err(system("a free port"));
    let (at_site, at_api, at_operator) = (socket()?, socket()?, socket()?);
    let saml_idp = SamlIdp::start(socket()?, SampleUser::alice(), clock.clone(), random.clone())?;
    let oidc_idp = OidcIdp::start(socket()?, SampleUser::bob(), clock.clone(), random.clone())?;
    let site = server::origin(&at_site).map_err(system("a socket"))?;
    let parts = seed::Parts {
        saml_idp: &saml_idp,
        oidc_idp: &oidc_idp,
        site: &site,
        random: random.as_ref(),
    };
    let registration = seed::Operator::new(issuer, token.clone())?.set_up(&parts).await?;
    let trusted = || Arc::new(TrustedIssuer::new(issuer.to_owned(), outbound(), Arc::clone(clock)));
    let api = api::serve(at_api, trusted(), seed::API, Arc::clone(clock));
    let api = api.map_err(system("a server"))?;
    let operator = Operator {
        issuer: issuer.to_owned(),
        token: Secret::from(token),
        outbound: outbound(),
        site: format!("{site}/"),
    };
    let operator = operator.serve(at_operator).map_err(system("a server"))?;
    let site = Site {
        registration,
        issuer: trusted(),
        api: Url::parse(&api.url("/trips")).map_err(|e| DemoError::Seed(e.to_string()))?,
        operator: operator.url("/"),
        clock: Arc::clone(clock),
        random: Arc::clone(random),
    };
    let site = site.serve(at_site).map_err(system("a server"))?;
    Ok(Around { site, api, saml_idp, oidc_idp, operator })
}

/// On the next port that is free; the browser's `localhost` may mean `::1` first, so that must be free as well.
async fn start_broker(ports: &mut Ports, folder: &Path) -> Result<Running, DemoError> {
    loop {
        let port = ports.candidate().map_err(system("a free port"))?;
        let shadow = TcpListener::bind((Ipv6Addr::LOCALHOST, port));
        if shadow.is_err_and(|error| error.kind() == ErrorKind::AddrInUse) {
            continue;
        }
        match startup::start(Startup::new(config(port, folder)?)).await {
            Err(StartupError::AddressTaken { .. }) => {}
            other => return Ok(other?),
        }
    }
}

/// The embedded defaults, but for the folder and for what the sample IdPs need: http on loopback. The machine's
/// environment is not read, so that nobody's real settings are touched.
fn config(port: u16, folder: &Path) -> Result<Config, Problems> {
    let settings = [
        ("HOMEREALM_LISTEN", format!("127.0.0.1:{port}")),
        ("HOMEREALM_DATABASE__URL", format!("sqlite:{}", folder.join("homerealm.db").display())),
        ("HOMEREALM_UPSTREAM__ALLOW_HTTP", "true".to_owned()),
        ("HOMEREALM_UPSTREAM__ALLOW_PRIVATE_ADDRESSES", "true".to_owned()),
    ];
    Config::from_toml("", settings.map(|(name, value)| (name.to_owned(), value)))
}

fn admin_token(broker: &Running) -> Result<String, DemoError> {
    let file = broker.app.admin_token.file();
    let token = file.map(read_secret_file).transpose().map_err(system("the admin token"))?;
    let missing = || DemoError::Seed("there is no admin token".to_owned());
    Ok(token.flatten().ok_or_else(missing)?.to_string())
}

/// What the samples reach each other and the broker with.
fn outbound() -> Outbound {
    Outbound::new(OutboundPolicy {
        allow_http: true,
        allow_private_addresses: true,
        allow_loopback: true,
        own_listeners: Vec::new(),
    })
}

fn system(what: &'static str) -> impl Fn(std::io::Error) -> DemoError {
    move |source| DemoError::System { what, source }
}
