//! Client authentication (RFC 6749 §2.3, RFC 7523, RFC 8705): exactly one method, and the registered one.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use homerealm_certs::ClientCertificate;
use subtle::{Choice, ConstantTimeEq as _};

use super::client_assertion::{self, AssertionError};
use super::client_certificate;
use super::error::Trouble;
use super::params::{self, Params};
use crate::app::App;
use crate::catalog::{Catalog, CatalogError, Client, ClientAuthMethod, Organization};
use crate::ids;
use crate::login::standing::is_admitted;

/// A client that has shown who it is, or a public one that has said so. Made by [`authenticate`] only.
#[derive(Clone, Debug)]
pub struct AuthenticatedClient(Arc<Client>);

/// Why a client is not authenticated.
#[derive(Debug, thiserror::Error)]
pub enum ClientAuthError {
    /// Unknown, disabled, wrong secret, wrong method: one answer for all (RFC 6749 §5.2 `invalid_client`).
    #[error("the client could not be authenticated")]
    Refused,
    /// An assertion that the client signed, for somebody else: only its own developers see this.
    #[error(
        "the client assertion is for somebody else: its aud must be the issuer, and nothing else"
    )]
    ForSomebodyElse,
    /// `invalid_request`: RFC 6749 §2.3 forbids it.
    #[error("the client authenticates in two ways at once")]
    TwoMethods,
    /// Ours to mend.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

/// What a request brings to show who its client is.
#[derive(Clone, Copy, Debug)]
pub struct Credentials<'a> {
    /// The `Authorization` header, if one came.
    pub authorization: Option<Authorization<'a>>,
    /// The certificate of the TLS connection, if one was shown.
    pub certificate: Option<&'a ClientCertificate>,
    /// The body.
    pub params: &'a Params,
}

/// An `Authorization` header; its `Debug` shows nothing of it.
#[derive(Clone, Copy)]
pub struct Authorization<'a>(pub &'a str);

/// Who a request says that it is from, and how it shows that. An `Authorization` header of another scheme is a refusal, not
/// an absence.
struct Presented<'a> {
    client_id: String,
    proof: Proof<'a>,
}

enum Proof<'a> {
    Assertion(&'a str),
    Basic(String),
    /// Beside the `client_id` nothing but, maybe, a certificate.
    Bare,
    Post(&'a str),
}

impl AuthenticatedClient {
    /// The client.
    pub fn client(&self) -> &Client {
        &self.0
    }

    /// Whether it authenticates at all.
    pub fn is_confidential(&self) -> bool {
        self.0.token_endpoint_auth_method != ClientAuthMethod::None
    }
}

/// Authenticates the client of a request.
///
/// # Errors
/// [`ClientAuthError`].
pub async fn authenticate(
    app: &App,
    credentials: Credentials<'_>,
    now: DateTime<Utc>,
) -> Result<AuthenticatedClient, ClientAuthError> {
    let presented = Presented::read(&credentials)?;
    let found = registered(&app.catalog, &presented.client_id).await.map_err(Trouble::from)?;
    // hashed for an unknown client too: the answer comes no sooner
    let secret_fits = proves(found.as_deref(), presented.secret());
    let client = found.ok_or(ClientAuthError::Refused)?;
    if !is_enabled(app, &client).await.map_err(Trouble::from)? {
        return Err(ClientAuthError::Refused);
    }
    let proven = match (client.token_endpoint_auth_method, presented.proof) {
        (ClientAuthMethod::None, Proof::Bare) => true,
        (ClientAuthMethod::ClientSecretBasic, Proof::Basic(_))
        | (ClientAuthMethod::ClientSecretPost, Proof::Post(_)) => secret_fits,
        (ClientAuthMethod::PrivateKeyJwt, Proof::Assertion(jwt)) => {
            by_assertion(app, &client, jwt, now).await?
        }
        (method, Proof::Bare) => match credentials.certificate {
            Some(shown) => by_certificate(app, &client, method, shown, now).await,
            None => false,
        },
        (_, Proof::Assertion(_) | Proof::Basic(_) | Proof::Post(_)) => false,
    };
    if proven { Ok(AuthenticatedClient(client)) } else { Err(ClientAuthError::Refused) }
}

async fn by_assertion(
    app: &App,
    client: &Client,
    jwt: &str,
    now: DateTime<Utc>,
) -> Result<bool, ClientAuthError> {
    match client_assertion::verify(app, client, jwt, now).await {
        Ok(()) => Ok(true),
        Err(AssertionError::Trouble(trouble)) => Err(ClientAuthError::Trouble(trouble)),
        Err(AssertionError::ForSomebodyElse) => {
            tracing::info!(client.id = client.client_id, "a client assertion is for somebody else");
            Err(ClientAuthError::ForSomebodyElse)
        }
        Err(AssertionError::Refused(why)) => {
            tracing::info!(client.id = client.client_id, why, "a client assertion was refused");
            Ok(false)
        }
    }
}

async fn by_certificate(
    app: &App,
    client: &Client,
    method: ClientAuthMethod,
    shown: &ClientCertificate,
    now: DateTime<Utc>,
) -> bool {
    match method {
        ClientAuthMethod::TlsClientAuth => {
            client_certificate::is_vouched_for(app, client, shown, now)
        }
        ClientAuthMethod::SelfSignedTlsClientAuth => {
            client_certificate::is_registered(app, client, shown, now).await
        }
        ClientAuthMethod::ClientSecretBasic
        | ClientAuthMethod::ClientSecretPost
        | ClientAuthMethod::None
        | ClientAuthMethod::PrivateKeyJwt => false,
    }
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

/// Whether a client may do anything: neither it nor the organization that it belongs to is disabled (THREATS X7), and if it
/// is known by its own document, such clients are still taken.
///
/// # Errors
/// As the catalog.
pub async fn is_enabled(app: &App, client: &Client) -> Result<bool, CatalogError> {
    if !client.enabled || !is_admitted(app, client) {
        return Ok(false);
    }
    let Some(organization) = client.organization() else { return Ok(true) };
    let organization = app.catalog.get::<Organization>(organization.as_str()).await?;
    Ok(organization.is_some_and(|organization| organization.enabled))
}

impl<'a> Presented<'a> {
    fn read(credentials: &Credentials<'a>) -> Result<Self, ClientAuthError> {
        let params = credentials.params;
        let header = credentials.authorization.map(|header| header.0);
        let secret = params.has("client_secret");
        let assertion = params.has("client_assertion") || params.has("client_assertion_type");
        if [header.is_some(), secret, assertion].into_iter().filter(|came| *came).count() > 1 {
            return Err(ClientAuthError::TwoMethods);
        }
        let named = params.get("client_id");
        if let Some(header) = header {
            let (id, secret) = basic(header).ok_or(ClientAuthError::Refused)?;
            return Self::named(named, id, Proof::Basic(secret));
        }
        if assertion {
            let jwt = assertion_of(params).ok_or(ClientAuthError::Refused)?;
            let id = client_assertion::unverified_client_id(jwt).ok_or(ClientAuthError::Refused)?;
            return Self::named(named, id, Proof::Assertion(jwt));
        }
        let client_id = named.ok_or(ClientAuthError::Refused)?.to_owned();
        let proof = match params.get("client_secret") {
            Some(secret) => Proof::Post(secret),
            None if secret => return Err(ClientAuthError::Refused),
            None => Proof::Bare,
        };
        Ok(Self { client_id, proof })
    }

    /// RFC 7521 §4.2: a `client_id` beside the proof's own must be the same.
    fn named(
        named: Option<&str>,
        client_id: String,
        proof: Proof<'a>,
    ) -> Result<Self, ClientAuthError> {
        if named.is_some_and(|named| named != client_id) {
            return Err(ClientAuthError::Refused);
        }
        Ok(Self { client_id, proof })
    }

    fn secret(&self) -> Option<&str> {
        match &self.proof {
            Proof::Basic(secret) => Some(secret),
            Proof::Post(secret) => Some(secret),
            Proof::Assertion(_) | Proof::Bare => None,
        }
    }
}

fn assertion_of(params: &Params) -> Option<&str> {
    let is_jwt = params.get("client_assertion_type") == Some(client_assertion::JWT_BEARER);
    params.get("client_assertion").filter(|_| is_jwt)
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

impl fmt::Debug for Authorization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorization(…)")
    }
}
