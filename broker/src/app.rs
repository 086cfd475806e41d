//! What every handler gets, as `web::Data<App>`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use homerealm_certs::Random;
use homerealm_connectors::http::Outbound;
use homerealm_connectors::oidc::ClientKeySets;

use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::config::Config;
use crate::domains::dns::TxtLookup;
use crate::http::limits::Limiter;
use crate::keys::KeyRing;
use crate::login::connectors::Connectors;
use crate::login::decryptions::Decryptions;
use crate::login::session::SsoSessions;
use crate::login::trace::TraceBudget;
use crate::metrics::Metrics;
use crate::oauth::client_certificate::ClientAuthorities;
use crate::oauth::logout::notifier::LogoutNotifier;
use crate::passwords::Passwords;
use crate::seal::Sealer;
use crate::sessions::record::Records;
use crate::startup::AdminToken;

/// The running broker: configuration, state, and the sources of time and randomness.
#[derive(Debug)]
pub struct App {
    /// Checked settings; `issuer` is final.
    pub config: Config,
    /// What a caller of the management API must present.
    pub admin_token: AdminToken,
    /// Durable objects.
    pub catalog: Catalog,
    /// Ephemeral state.
    pub records: Records,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness of identifiers and secrets.
    pub random: Arc<dyn Random>,
    /// Seals and opens secrets at rest.
    pub sealer: Sealer,
    /// What tokens are signed with.
    pub keys: KeyRing,
    /// The one outbound client.
    pub outbound: Arc<Outbound>,
    /// Connectors of the connections in use.
    pub connectors: Connectors,
    /// Key sets that clients publish.
    pub client_keys: ClientKeySets,
    /// CAs whose certificates authenticate clients.
    pub client_authorities: Option<ClientAuthorities>,
    /// What Prometheus reads.
    pub metrics: Arc<Metrics>,
    /// Tells clients that a session has ended.
    pub logout: LogoutNotifier,
    /// TXT records, which prove domains.
    pub dns: Arc<dyn TxtLookup>,
    /// Rate limits.
    pub limits: Limiter,
    /// Hashes and compares passwords.
    pub passwords: Passwords,
    /// How many encrypted assertions are decrypted for one login.
    pub decryptions: Decryptions,
    /// How many traces are written of logins that prove nothing.
    pub traces: TraceBudget,
    pub(crate) stopping: AtomicBool,
    /// Whether signing keys were changed and could not be read again.
    pub(crate) keys_are_old: AtomicBool,
}

impl App {
    /// The time of this request.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Whether a stop is under way: not ready, but still answering.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// The single sign-on sessions as they are now.
    pub fn sso_sessions(&self) -> SsoSessions<'_> {
        SsoSessions::new(&self.records, self.config.session, self.now())
    }

    /// What keeps the broker from serving, if anything does.
    pub async fn not_ready(&self) -> Option<String> {
        if let Err(error) = self.records.store().ready().await {
            tracing::warn!(%error, "the session store is not ready");
            return Some("the session store does not answer".to_owned());
        }
        if let Err(error) = self.catalog.ready().await {
            tracing::warn!(%error, "the database is not ready");
            return Some("the database does not answer".to_owned());
        }
        if self.keys_are_old.load(Ordering::Relaxed) {
            return Some("the signing keys cannot be read".to_owned());
        }
        None
    }
}
