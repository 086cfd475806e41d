//! Client authentication at the token endpoint (RFC 6749 §2.3): exactly one method, and the registered one.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use subtle::{Choice, ConstantTimeEq as _};

use super::error::Trouble;
use super::params::{self, Params};
use crate::catalog::{Catalog, CatalogError, Client, ClientAuthMethod, Organization};
use crate::ids;

/// A client that has shown who it is, or a public one that has said so. Made by [`authenticate`] only.
#[derive(Clone, Debug)]
pub struct AuthenticatedClient(Arc<Client>);

/// Why a client is not authenticated.
#[derive(Debug, thiserror::Error)]
pub enum ClientAuthError {
    /// Unknown, disabled, wrong secret, wrong method: one answer for all (RFC 6749 §5.2 `invalid_client`).
    #[error("the client could not be authenticated")]
    Refused,
    /// `invalid_request`: RFC 6749 §2.3 forbids it.
    #[error("the client authenticates in two ways at once")]
    TwoMethods,
    /// Ours to mend.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

/// What a request presents. An `Authorization` header of another scheme is a refusal, not an absence.
#[derive(Eq, PartialEq)]
struct Presented {
    client_id: String,
    method: ClientAuthMethod,
    secret: Option<String>,
}

impl AuthenticatedClient {
    /// The client.
    pub fn client(&self) -> &Client {
        &self.0
    }

    /// Whether it authenticates by a secret.
    pub fn is_confidential(&self) -> bool {
        self.0.token_endpoint_auth_method != ClientAuthMethod::None
    }
}

/// Authenticates the client of a request with these body parameters and this `Authorization` header.
///
/// # Errors
/// [`ClientAuthError`].
pub async fn authenticate(
    catalog: &Catalog,
    authorization: Option<&str>,
    params: &Params,
) -> Result<AuthenticatedClient, ClientAuthError> {
    let presented = Presented::read(authorization, params)?;
    let found = registered(catalog, &presented.client_id).await.map_err(Trouble::from)?;
    // hashed for an unknown client too: the answer comes no sooner
    let proven = proves(found.as_deref(), presented.secret.as_deref());
    let client = found.ok_or(ClientAuthError::Refused)?;
    let needs_secret = presented.method != ClientAuthMethod::None;
    if client.token_endpoint_auth_method != presented.method || (needs_secret && !proven) {
        return Err(ClientAuthError::Refused);
    }
    if !is_enabled(catalog, &client).await.map_err(Trouble::from)? {
        return Err(ClientAuthError::Refused);
    }
    Ok(AuthenticatedClient(client))
}

/// The client with this `client_id`.
///
/// # Errors
/// As the catalog.
pub async fn registered(
    catalog: &Catalog,
    client_id: &str,
) -> Result<Option<Arc<Client>>, CatalogError> {
    let found = catalog.get::<Client>(client_id).await?;
    Ok(found.map(|client| client.object).filter(|client| client.client_id == client_id))
}

/// Whether a client may do anything: neither it nor the organization that it belongs to is disabled (THREATS X7).
///
/// # Errors
/// As the catalog.
pub async fn is_enabled(catalog: &Catalog, client: &Client) -> Result<bool, CatalogError> {
    let Some(organization) = client.organization() else { return Ok(client.enabled) };
    let organization = catalog.get::<Organization>(organization.as_str()).await?;
    Ok(client.enabled && organization.is_some_and(|organization| organization.enabled))
}

impl Presented {
    fn read(authorization: Option<&str>, params: &Params) -> Result<Self, ClientAuthError> {
        // RFC 7521 §4.2: a method that no client can register yet
        if params.has("client_assertion") || params.has("client_assertion_type") {
            return Err(ClientAuthError::Refused);
        }
        let client_id = params.get("client_id");
        let secret = params.get("client_secret");
        let Some(header) = authorization else {
            let client_id = client_id.ok_or(ClientAuthError::Refused)?.to_owned();
            let method = match secret {
                Some(_) => ClientAuthMethod::ClientSecretPost,
                None => ClientAuthMethod::None,
            };
            return Ok(Self { client_id, method, secret: secret.map(str::to_owned) });
        };
        if params.has("client_secret") {
            return Err(ClientAuthError::TwoMethods);
        }
        let (id, secret) = basic(header).ok_or(ClientAuthError::Refused)?;
        if client_id.is_some_and(|other| other != id) {
            return Err(ClientAuthError::Refused);
        }
        let method = ClientAuthMethod::ClientSecretBasic;
        Ok(Self { client_id: id, method, secret: Some(secret) })
    }
}

/// RFC 6749 §2.3.1: user name and password are form-urlencoded before they go into RFC 7617's base64.
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, value) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(value.trim_matches(' ')).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let (id, secret) = (params::decode(id).ok()?, params::decode(secret).ok()?);
    (!id.is_empty() && !secret.is_empty()).then_some((id, secret))
}

/// Compares the SHA-256 of the secret with every live one, in constant time.
fn proves(client: Option<&Client>, secret: Option<&str>) -> bool {
    let Some(secret) = secret else { return false };
    let hash = ids::sha256_hex(secret);
    let live = client.map_or(&[][..], |client| &client.secrets);
    let equal = |known: &str| known.as_bytes().ct_eq(hash.as_bytes());
    live.iter().fold(Choice::from(0), |any, known| any | equal(&known.sha256)).into()
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Presented({}, {:?})", self.client_id, self.method)
    }
}
