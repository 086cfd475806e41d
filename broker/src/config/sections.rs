//! The sections of the configuration, each read from its keys.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::TimeDelta;
use ipnet::IpNet;
use secrecy::{ExposeSecret as _, SecretString};

use super::issuer::Issuer;
use super::rate::Rate;
use super::reader::Reader;

/// Where the catalog is.
#[derive(Clone, Debug)]
pub struct Database {
    /// `sqlite:` and a path, or a PostgreSQL URL, which may hold a password.
    pub url: SecretString,
    /// The file of a SQLite URL; `None` with PostgreSQL.
    pub file: Option<PathBuf>,
}

/// The management API.
#[derive(Clone, Debug)]
pub struct Admin {
    /// Bootstrap bearer token; `None`: made once, beside the database.
    pub token: Option<SecretString>,
    /// A command holds the token, not a person far away: the audit log tells them apart. Not a setting.
    pub by_command: bool,
}

/// PEM files.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// Certificate chain, leaf first.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// The edge.
#[derive(Clone, Debug)]
pub struct HttpEdge {
    /// Only from these is X-Forwarded-For read.
    pub trusted_proxies: Vec<IpNet>,
    /// How long a node that was told to stop still answers everything, not ready any more.
    pub drain: Duration,
}

/// What the outbound client may reach; for tests and intranets only.
#[derive(Clone, Copy, Debug)]
pub struct Upstream {
    /// http as well as https.
    pub allow_http: bool,
    /// Private address ranges too; never link-local ones (RULES 39).
    pub allow_private_addresses: bool,
}

/// Keys at rest.
#[derive(Clone, Debug)]
pub struct Keys {
    /// `None`: made beside the database.
    pub master_key_file: Option<PathBuf>,
    /// Days that a signing key signs; `None`: until somebody rotates it.
    pub rotate_days: Option<u32>,
}

/// Rate limits (RULES 38).
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Whether any of them holds.
    pub enabled: bool,
    /// Unauthenticated requests of one address.
    pub per_address: Rate,
    /// Requests of one client.
    pub per_client: Rate,
    /// Refusals of one (address, client).
    pub failures: Rate,
}

/// How long refresh tokens live. A client may have lifetimes of its own.
#[derive(Clone, Copy, Debug)]
pub struct RefreshTokens {
    /// How long a rotated one still returns its successor (RULES 27).
    pub grace: TimeDelta,
    /// From the login on.
    pub lifetime: TimeDelta,
    /// From the last use on.
    pub idle_lifetime: TimeDelta,
}

/// Clients that register themselves (RFC 7591).
#[derive(Clone, Copy, Debug)]
pub struct Registration {
    /// Whether `/oidc/register` is served.
    pub enabled: bool,
}

/// How long things are kept.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Days.
    pub login_traces_days: u32,
    /// Days that the audit log is kept.
    pub audit_days: u32,
}

/// Where Prometheus reads.
#[derive(Clone, Copy, Debug)]
pub struct Metrics {
    /// An address of its own; `None`: nowhere.
    pub listen: Option<SocketAddr>,
}

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
const DEFAULT_DATABASE: &str = "sqlite:data/homerealm.db";

pub(super) fn listen(reader: &mut Reader) -> SocketAddr {
    reader
        .parsed("listen", "address and port such as \"127.0.0.1:8080\" or \"[::]:8080\"")
        .unwrap_or(DEFAULT_LISTEN)
}

pub(super) fn issuer(reader: &mut Reader) -> Option<Issuer> {
    let text = reader.text("issuer")?;
    match Issuer::parse(&text) {
        Ok(issuer) => Some(issuer),
        Err(fault) => {
            reader.problem("issuer", fault.to_string(), fault.fix());
            None
        }
    }
}

impl Database {
    pub(super) fn read(reader: &mut Reader) -> Self {
        const KEY: &str = "database.url";
        const FORM: &str = "write \"sqlite:PATH\", such as \"sqlite:data/homerealm.db\", or \"postgres://USER@HOST/DATABASE\"";
        let url = reader.text(KEY).unwrap_or_else(|| DEFAULT_DATABASE.to_owned());
        let file = match url.split_once(':') {
            Some(("sqlite", path)) => sqlite_file(path),
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => {
                return Self { url: url.into(), file: None };
            }
            _ => {
                // not shown: a database URL may hold a password
                reader.problem(KEY, "is not a database URL that we know", FORM);
                None
            }
        };
        if file.is_none() && url.starts_with("sqlite:") {
            reader.problem(KEY, format!("`{url}` does not name a file"), FORM);
        }
        match file {
            Some(file) => Self { url: url.into(), file: Some(file) },
            None => Self { url: DEFAULT_DATABASE.into(), file: sqlite_file("data/homerealm.db") },
        }
    }

    /// The folder of a SQLite database: locks, keys and tokens stand in it. With PostgreSQL a node keeps no file.
    pub fn folder(&self) -> Option<&Path> {
        match self.file.as_ref()?.parent() {
            Some(parent) if parent != Path::new("") => Some(parent),
            _ => Some(Path::new(".")),
        }
    }
}

/// A plain path only: no `:memory:`, no `?mode=…`, no folder.
fn sqlite_file(path: &str) -> Option<PathBuf> {
    let path = path.strip_prefix("//").unwrap_or(path);
    let plain =
        !path.contains(['?', '#', '%']) && !path.contains(":memory:") && !path.ends_with('/');
    let file = PathBuf::from(path);
    (plain && file.file_name().is_some()).then_some(file)
}

impl Admin {
    /// RULES 35: 32 characters or more, and such that a header can carry them.
    pub(super) fn read(reader: &mut Reader) -> Self {
        const KEY: &str = "admin.token";
        let Some(token) = reader.text(KEY).map(SecretString::from) else {
            return Self { token: None, by_command: false };
        };
        let text = token.expose_secret();
        if text.chars().count() < 32 {
            reader.problem(
                KEY,
                "has fewer than 32 characters",
                "make one with `openssl rand -hex 32`, or leave it out",
            );
        } else if !text.bytes().all(|b| b.is_ascii_graphic()) {
            reader.problem(
                KEY,
                "has characters that a header cannot carry",
                "use letters and digits",
            );
        }
        Self { token: Some(token), by_command: false }
    }
}

impl TlsFiles {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let cert = reader.text("tls.cert").map(PathBuf::from);
        let key = reader.text("tls.key").map(PathBuf::from);
        match (cert, key) {
            (Some(cert), Some(key)) => Some(Self { cert, key }),
            (Some(_), None) if !reader.is_set("tls.key") => {
                reader.problem(
                    "tls.key",
                    "is missing beside tls.cert",
                    "name the PEM file of the private key",
                );
                None
            }
            (None, Some(_)) if !reader.is_set("tls.cert") => {
                reader.problem(
                    "tls.cert",
                    "is missing beside tls.key",
                    "name the PEM file of the certificate chain",
                );
                None
            }
            _ => None,
        }
    }
}

impl HttpEdge {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let trusted_proxies = address_ranges(reader, "http.trusted_proxies");
        let drain = reader.number("http.drain_seconds", 0, 0..=300);
        Self { trusted_proxies, drain: Duration::from_secs(drain.into()) }
    }
}

/// Addresses and ranges of proxies, never every address.
pub(super) fn address_ranges(reader: &mut Reader, key: &'static str) -> Vec<IpNet> {
    let mut ranges = Vec::new();
    for text in reader.list(key) {
        let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        match net {
            Ok(net) if net.prefix_len() == 0 => {
                let message =
                    format!("`{text}` is every address, so that anybody could name theirs");
                reader.problem(key, message, "name the proxies' own addresses");
            }
            Ok(net) => ranges.push(net),
            Err(_) => {
                let fix = "write ranges such as \"10.0.0.0/8\" or single addresses";
                reader.problem(key, format!("`{text}` is not an address range"), fix);
            }
        }
    }
    ranges
}

impl Upstream {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            allow_http: reader.flag("upstream.allow_http", false),
            allow_private_addresses: reader.flag("upstream.allow_private_addresses", false),
        }
    }
}

impl Keys {
    pub(super) fn read(reader: &mut Reader) -> Self {
        const ROTATE: &str = "keys.rotate_days";
        Self {
            master_key_file: reader.text("keys.master_key_file").map(PathBuf::from),
            rotate_days: reader.is_set(ROTATE).then(|| reader.number(ROTATE, 90, 2..=3650)),
        }
    }
}

impl Limits {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut rate = |key, default| {
            reader
                .parsed(key, "a rate such as \"600/min\" (units: s, min, h)")
                .unwrap_or(Rate { count: default, seconds: 60 })
        };
        let (per_address, per_client, failures) = (
            rate("limits.per_address", 600),
            rate("limits.per_client", 6000),
            rate("limits.failures", 30),
        );
        Self { enabled: reader.flag("limits.enabled", true), per_address, per_client, failures }
    }
}

impl RefreshTokens {
    pub(super) fn read(reader: &mut Reader) -> Self {
        const DAY: u32 = 86_400;
        let mut seconds =
            |key, default, range| TimeDelta::seconds(i64::from(reader.number(key, default, range)));
        Self {
            grace: seconds("refresh_tokens.grace_seconds", 10, 0..=300),
            lifetime: seconds("refresh_tokens.lifetime_seconds", 30 * DAY, 60..=365 * DAY),
            idle_lifetime: seconds(
                "refresh_tokens.idle_lifetime_seconds",
                15 * DAY,
                60..=365 * DAY,
            ),
        }
    }
}

impl Registration {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self { enabled: reader.flag("registration.enabled", false) }
    }
}

impl Retention {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            login_traces_days: reader.number("retention.login_traces_days", 30, 1..=3650),
            audit_days: reader.number("retention.audit_days", 400, 1..=36500),
        }
    }
}

impl Metrics {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self { listen: reader.parsed("metrics.listen", "\"127.0.0.1:9464\"") }
    }
}
