//! Signatures of clients, by the keys that they registered: never by what a token brings.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use homerealm_certs::{UnverifiedJws, UpstreamKeySet, VerifiedJws};
use url::Url;

use crate::app::App;
use crate::catalog::Client;
use crate::catalog::client::ClientSigningAlgorithm;

/// Keys that are tried for a token without `kid`.
const MOST_TRIES: usize = 10;

/// Verifies a token of this client with its own keys; `pinned` is the one algorithm that it registered, if it did.
///
/// # Errors
/// For the client's developers: why it does not verify.
pub(super) async fn verify(
    app: &App,
    client: &Client,
    token: &str,
    pinned: Option<ClientSigningAlgorithm>,
    now: DateTime<Utc>,
) -> Result<VerifiedJws, &'static str> {
    let parsed = UnverifiedJws::parse(token).map_err(|_| "it is not a signed JWT")?;
    let algorithm = parsed.alg().filter(|alg| ClientSigningAlgorithm::ALL.contains(alg));
    let algorithm = algorithm.ok_or("its algorithm is not one that we take")?;
    if pinned.is_some_and(|pinned| pinned.algorithm() != algorithm) {
        return Err("its algorithm is not the registered one");
    }
    let keys = key_set(app, client, now).await?;
    let has_key = |keys: &UpstreamKeySet| !keys.candidates(parsed.kid(), algorithm).is_empty();
    let keys = match client_url(client) {
        Some(url) if !has_key(&keys) => app.client_keys.newer_keys(&url, keys, now).await,
        Some(_) | None => keys,
    };
    for key in keys.candidates(parsed.kid(), algorithm).into_iter().take(MOST_TRIES) {
        let attempt = UnverifiedJws::parse(token).and_then(|t| t.verify(&key.key, &[algorithm]));
        if let Ok(verified) = attempt {
            return Ok(verified);
        }
    }
    Err("no registered key verifies it")
}

/// The client's keys: those that it registered, or those at the address that it registered.
///
/// # Errors
/// For the client's developers: there are none to be had.
pub(super) async fn key_set(
    app: &App,
    client: &Client,
    now: DateTime<Utc>,
) -> Result<Arc<UpstreamKeySet>, &'static str> {
    if let Some(jwks) = &client.keys.jwks {
        let set = UpstreamKeySet::parse(jwks.to_string().as_bytes());
        return set.map(Arc::new).map_err(|_| "its jwks cannot be read");
    }
    let url = client_url(client).ok_or("the client has registered no key")?;
    app.client_keys.keys(&url, now).await.map_err(|error| {
        tracing::warn!(client.id = client.client_id, %error, "a client's jwks_uri gives no keys");
        "its jwks_uri gives no keys"
    })
}

/// Its key set's address.
pub(super) fn client_url(client: &Client) -> Option<Url> {
    client.keys.jwks_uri.as_deref().and_then(|uri| Url::parse(uri).ok())
}
