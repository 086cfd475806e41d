//! Configuration: TOML, then environment variables; read once, into types, with every problem told at once.

mod checks;
mod client_certificates;
mod client_id_documents;
mod dns;
mod dpop;
mod issuer;
mod problem;
mod rate;
mod reader;
mod redis_url;
mod sections;
mod session;
mod sessions;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::Path;

pub use client_certificates::ClientCertificates;
pub use client_id_documents::ClientIdDocuments;
pub use dns::Dns;
pub use dpop::Dpop;
pub use issuer::{Issuer, IssuerFault};
pub use problem::{Problem, Problems};
pub use rate::Rate;
pub use redis_url::{RedisUrl, RedisUrlFault, Topology};
pub use sections::{
    Admin, Database, HttpEdge, Keys, Limits, Metrics, RefreshTokens, Registration, Retention,
    TlsFiles, Upstream,
};
pub use session::Session;
pub use sessions::{Redis, Sessions};

use reader::Reader;

/// Everything that can be set, checked. An instance is safe to serve with; there is no other way to get one than
/// [`Config::load`].
#[derive(Clone, Debug)]
pub struct Config {
    /// Our public base URL, the only source of our own URLs.
    pub issuer: Issuer,
    /// Whether `issuer` was left out: then it is `http://localhost:PORT` of the socket, known once that is bound.
    pub issuer_follows_listen: bool,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// An http loopback issuer with a non-loopback `listen` (RULES 37).
    pub allow_insecure_container: bool,
    /// Where the catalog is.
    pub database: Database,
    /// Where logins under way are.
    pub sessions: Sessions,
    /// How long a browser stays signed in.
    pub session: Session,
    /// The management API.
    pub admin: Admin,
    /// Certificate and key to serve TLS with; `None` is plain HTTP behind a proxy.
    pub tls: Option<TlsFiles>,
    /// Certificates of clients.
    pub client_certificates: ClientCertificates,
    /// Who is asked for the records that prove domains.
    pub dns: Dns,
    /// Proofs of possession.
    pub dpop: Dpop,
    /// The edge.
    pub http: HttpEdge,
    /// What the outbound client may reach beyond public https addresses.
    pub upstream: Upstream,
    /// Keys at rest.
    pub keys: Keys,
    /// Rate limits.
    pub limits: Limits,
    /// How long refresh tokens live.
    pub refresh_tokens: RefreshTokens,
    /// Clients that register themselves.
    pub registration: Registration,
    /// Clients known by a document of their own; `None`: none are.
    pub client_id_documents: Option<ClientIdDocuments>,
    /// How long traces and the audit log are kept.
    pub retention: Retention,
    /// Where Prometheus reads.
    pub metrics: Metrics,
}

/// Every key, in the order of the documentation.
pub const KEYS: [&str; 37] = [
    "issuer",
    "listen",
    "allow_insecure_container",
    "database.url",
    "sessions.url",
    "sessions.prefix",
    "sessions.ca_file",
    "session.idle_minutes",
    "session.absolute_minutes",
    "admin.token",
    "tls.cert",
    "tls.key",
    "client_certificates.ask_in_tls",
    "client_certificates.ca_file",
    "client_certificates.header",
    "client_certificates.proxies",
    "dns.servers",
    "dpop.require_nonce",
    "http.trusted_proxies",
    "http.drain_seconds",
    "upstream.allow_http",
    "upstream.allow_private_addresses",
    "keys.master_key_file",
    "keys.rotate_days",
    "limits.enabled",
    "limits.per_address",
    "limits.per_client",
    "limits.failures",
    "refresh_tokens.grace_seconds",
    "refresh_tokens.lifetime_seconds",
    "refresh_tokens.idle_lifetime_seconds",
    "registration.enabled",
    "client_id_documents.organization",
    "client_id_documents.hosts",
    "retention.login_traces_days",
    "retention.audit_days",
    "metrics.listen",
];

impl Config {
    /// Reads `file`, if one is given, then the `environment` (all variables; those that start with `HOMEREALM_` count),
    /// and checks everything.
    ///
    /// # Errors
    /// All problems at once, each with its key and its fix.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Problems> {
        let text = match file {
            None => String::new(),
            Some(path) => std::fs::read_to_string(path).map_err(|e| {
                Problems::one(Problem::new(
                    "--config",
                    format!("{} cannot be read: {e}", path.display()),
                    "name a readable TOML file, or leave it out for the embedded defaults",
                ))
            })?,
        };
        Self::from_toml(&text, environment)
    }

    /// As [`Self::load`], from TOML text.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn from_toml(
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Problems> {
        let mut reader = Reader::new(text, environment)?;
        let config = Self::read(&mut reader);
        checks::unsafe_combinations(&mut reader, &config);
        reader.finish()?;
        Ok(config)
    }

    /// The embedded defaults: nothing set.
    ///
    /// # Errors
    /// None in practice; a test holds that.
    pub fn embedded() -> Result<Self, Problems> {
        Self::from_toml("", [])
    }

    fn read(reader: &mut Reader) -> Self {
        let listen = sections::listen(reader);
        let issuer = sections::issuer(reader);
        Self {
            issuer_follows_listen: issuer.is_none(),
            issuer: issuer.unwrap_or_else(|| Issuer::localhost(listen.port())),
            listen,
            allow_insecure_container: reader.flag("allow_insecure_container", false),
            database: Database::read(reader),
            sessions: Sessions::read(reader),
            session: Session::read(reader),
            admin: Admin::read(reader),
            tls: TlsFiles::read(reader),
            client_certificates: ClientCertificates::read(reader),
            dns: Dns::read(reader),
            dpop: Dpop::read(reader),
            http: HttpEdge::read(reader),
            upstream: Upstream::read(reader),
            keys: Keys::read(reader),
            limits: Limits::read(reader),
            refresh_tokens: RefreshTokens::read(reader),
            registration: Registration::read(reader),
            client_id_documents: ClientIdDocuments::read(reader),
            retention: Retention::read(reader),
            metrics: Metrics::read(reader),
        }
    }
}
