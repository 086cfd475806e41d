//! What the sample site and the sample API know of the broker: its address. Everything else they read from its documents,
//! as any relying party would.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use homerealm_certs::{JwsError, SignatureAlgorithm, UnverifiedJws, UpstreamKeySet, VerifiedJws};
use homerealm_connectors::http::{Fetched, Outbound};
use homerealm_metadata::oidc::OidcProviderMetadata;
use tokio::sync::{Mutex, OnceCell};
use url::Url;

use crate::clock::Clock;

/// The issuer whose tokens are taken, with its endpoints and keys.
pub(super) struct TrustedIssuer {
    issuer: String,
    outbound: Outbound,
    clock: Arc<dyn Clock>,
    endpoints: OnceCell<OidcProviderMetadata>,
    keys: Mutex<Keys>,
}

#[derive(Default)]
struct Keys {
    set: UpstreamKeySet,
    fetched: Option<DateTime<Utc>>,
}

/// Why a token's signature is not accepted.
#[derive(Debug, thiserror::Error)]
pub(super) enum TokenFault {
    /// Not a JWS, another algorithm, or the signature is wrong.
    #[error("{0}")]
    Jws(#[from] JwsError),
    /// No published key has its `kid`.
    #[error("no key of the issuer fits it")]
    UnknownKey,
    /// The issuer's documents cannot be had.
    #[error("{0}")]
    Unavailable(String),
}

/// Bytes of a document.
const DOCUMENT: usize = 256 * 1024;
/// Between two fetches of the key set, however many unknown keys are seen.
const REFETCH: TimeDelta = TimeDelta::seconds(10);

impl TrustedIssuer {
    /// Nothing is fetched yet.
    pub(super) fn new(issuer: String, outbound: Outbound, clock: Arc<dyn Clock>) -> Self {
        Self { issuer, outbound, clock, endpoints: OnceCell::new(), keys: Mutex::default() }
    }

    /// The exact text of `iss`.
    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The client for requests to it and to the API.
    pub(super) fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    /// Its endpoints, by discovery.
    ///
    /// # Errors
    /// [`TokenFault::Unavailable`].
    pub(super) async fn endpoints(&self) -> Result<&OidcProviderMetadata, TokenFault> {
        self.endpoints.get_or_try_init(|| self.discover()).await
    }

    /// Verifies a token's signature with the issuer's published keys and pinned algorithms (RFC 8725 §3.1).
    ///
    /// # Errors
    /// [`TokenFault`].
    pub(super) async fn verify(
        &self,
        token: &str,
        allowed: &[SignatureAlgorithm],
    ) -> Result<VerifiedJws, TokenFault> {
        let token = UnverifiedJws::parse(token)?;
        let Some(algorithm) = token.alg() else {
            return Err(JwsError::AlgorithmNotAllowed(token.alg_name().to_owned()).into());
        };
        let keys = self.keys_for(token.kid(), algorithm).await?;
        let key = keys.candidates(token.kid(), algorithm).first().map(|key| key.key.clone());
        Ok(token.verify(&key.ok_or(TokenFault::UnknownKey)?, allowed)?)
    }

    /// The cached set, fetched anew where it does not know this key and was not fetched just now.
    async fn keys_for(
        &self,
        kid: Option<&str>,
        algorithm: SignatureAlgorithm,
    ) -> Result<UpstreamKeySet, TokenFault> {
        let mut keys = self.keys.lock().await;
        let now = self.clock.now();
        let known = !keys.set.candidates(kid, algorithm).is_empty();
        let recent = keys.fetched.is_some_and(|at| now - at < REFETCH);
        if !known && !recent {
            keys.set = self.fetch_keys().await?;
            keys.fetched = Some(now);
        }
        Ok(keys.set.clone())
    }

    async fn fetch_keys(&self) -> Result<UpstreamKeySet, TokenFault> {
        let url = &self.endpoints().await?.jwks_uri;
        let fetched = self.get(url).await?;
        UpstreamKeySet::parse(&fetched.body).map_err(|e| TokenFault::Unavailable(e.to_string()))
    }

    async fn discover(&self) -> Result<OidcProviderMetadata, TokenFault> {
        let text = format!("{}/.well-known/openid-configuration", self.issuer);
        let url = Url::parse(&text).map_err(|e| TokenFault::Unavailable(e.to_string()))?;
        let fetched = self.get(&url).await?;
        OidcProviderMetadata::read(&fetched.body, &self.issuer, true)
            .map_err(|e| TokenFault::Unavailable(e.to_string()))
    }

    async fn get(&self, url: &Url) -> Result<Fetched, TokenFault> {
        let fetched = self.outbound.get(url, "application/json", DOCUMENT).await;
        let fetched = fetched.map_err(|e| TokenFault::Unavailable(e.to_string()))?;
        if fetched.status == 200 {
            Ok(fetched)
        } else {
            Err(TokenFault::Unavailable(format!("{url} answered {}", fetched.status)))
        }
    }
}

impl fmt::Debug for TrustedIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrustedIssuer({})", self.issuer)
    }
}
