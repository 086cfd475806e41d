//! Pushed authorization requests (RFC 9126): the client leaves its request with us, authenticated, and the browser carries
//! only a name for it. Signed request objects (RFC 9101) are taken here and nowhere else (THREATS A4).

#[cfg(test)]
mod tests;

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::authorize;
use super::client_authentication::{AuthenticatedClient, authenticate};
use super::dpop::{self, DpopError, Proof, Request};
use super::error::Trouble;
use super::params::Params;
use super::request_object;
use super::token::{ErrorCode, TokenError, TokenRequest};
use crate::app::App;
use crate::catalog::Client;
use crate::counter::TooMany;
use crate::ids;
use crate::login::AuthorizationRequest;
use crate::sessions::record::Record;

/// Below our issuer.
pub const PATH: &str = "/oauth/par";

/// What our names for pushed requests begin with (RFC 9126 §2.2).
pub const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// The answer (RFC 9126 §2.2).
#[derive(Debug, Serialize)]
pub struct Pushed {
    request_uri: String,
    expires_in: i64,
}

/// Why a request is not kept.
#[derive(Debug, thiserror::Error)]
pub enum ParError {
    /// An error of the authorization endpoint (RFC 9126 §2.3), or of RFC 9101 §7.
    #[error("{error}: {description}")]
    Refused {
        /// As it stands in the answer.
        error: &'static str,
        /// For the client's developers.
        description: String,
    },
    /// What the token endpoint would say too: the client, its proof, its limit, or us.
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// A request that waits for its browser.
#[derive(Deserialize, Serialize)]
struct PushedRequest(AuthorizationRequest);

impl Record for PushedRequest {
    const KIND: &'static str = "pushed";
    /// From the answer to the browser's arrival.
    const LIFETIME: TimeDelta = TimeDelta::seconds(90);
}

/// Keeps a request: authenticate the client, read its parameters, validate them as `/authorize` would. What anybody can
/// push in a public client's name counts by its `sender`, as at `/authorize` (RULES 38).
///
/// # Errors
/// [`ParError`]; nothing is kept then.
pub async fn push(
    app: &App,
    request: TokenRequest<'_>,
    sender: Option<IpAddr>,
    now: DateTime<Utc>,
) -> Result<Pushed, ParError> {
    let params = request.params;
    if params.has_repeated() {
        return refuse("invalid_request", "A parameter came more than once.");
    }
    // RFC 9126 §2.1
    if params.has("request_uri") {
        return refuse("invalid_request", "request_uri is what you get here.");
    }
    let client = authenticate(app, request.credentials(), now).await.map_err(TokenError::from)?;
    counted(app, &client, sender, now).map_err(TokenError::TooMany)?;
    let client = client.client();
    let signed = match params.get("request") {
        Some(object) => Some(unwrapped(app, client, object, now).await?),
        None if params.has("request") => return refuse("invalid_request", "request came twice."),
        None => None,
    };
    let mut asked = validated(app, client, signed.as_ref().unwrap_or(params)).await?;
    let post = Request { method: "POST", path: PATH, access_token: None };
    let proof = dpop::check(app, request.sender.proof, post, now).map_err(refused_proof)?;
    if let Some(proof) = proof {
        bind(&mut asked, &proof)?;
        proof.spend(app, now).await.map_err(refused_proof)?;
    }
    let secret = ids::secret(app.random.as_ref());
    let request_uri = format!("{PREFIX}{secret}");
    let handle = handle(&client.client_id, &request_uri);
    let kept = app.records.put(&handle, &PushedRequest(asked), now).await;
    kept.map_err(Trouble::from).map_err(TokenError::from)?;
    Ok(Pushed { request_uri, expires_in: PushedRequest::LIFETIME.num_seconds() })
}

/// By what the client is, whatever else it shows.
fn counted(
    app: &App,
    client: &AuthenticatedClient,
    sender: Option<IpAddr>,
    now: DateTime<Utc>,
) -> Result<(), TooMany> {
    if client.is_confidential() {
        return app.limits.client(&client.client().client_id, now);
    }
    sender.map_or(Ok(()), |sender| app.limits.open(sender, now))
}

/// The request that a client pushed, once. Another client's is none: the name alone does not find it.
///
/// # Errors
/// [`Trouble`]; then nobody knows.
pub async fn take(
    app: &App,
    client: &Client,
    request_uri: &str,
    now: DateTime<Utc>,
) -> Result<Option<AuthorizationRequest>, Trouble> {
    let handle = handle(&client.client_id, request_uri);
    let taken = app.records.take::<PushedRequest>(&handle, now).await?;
    Ok(taken.map(|pushed| pushed.0))
}

/// RFC 9126 §3: the parameters of the object, and no others.
async fn unwrapped(
    app: &App,
    client: &Client,
    object: &str,
    now: DateTime<Utc>,
) -> Result<Params, ParError> {
    request_object::read(app, client, object, now).await.or_else(|why| {
        refuse("invalid_request_object", &format!("The request object is refused: {why}."))
    })
}

async fn validated(
    app: &App,
    client: &Client,
    params: &Params,
) -> Result<AuthorizationRequest, ParError> {
    if params.get("client_id").is_some_and(|named| named != client.client_id) {
        return refuse("invalid_request", "client_id names another client.");
    }
    match authorize::validate_pushed(app, client, params).await {
        Ok(asked) => Ok(asked),
        Err(authorize::Fault::Refused { error, description }) => {
            Err(ParError::Refused { error, description })
        }
        Err(authorize::Fault::Trouble(trouble)) => Err(TokenError::from(trouble).into()),
    }
}

/// RFC 9449 §10.1: a proof binds the code like `dpop_jkt` does; both must name the same key.
fn bind(asked: &mut AuthorizationRequest, proof: &Proof) -> Result<(), ParError> {
    let key = &proof.thumbprint;
    if asked.dpop_jkt.as_ref().is_some_and(|named| named != key) {
        return Err(refused_proof(DpopError::Invalid("dpop_jkt names another key")));
    }
    asked.dpop_jkt = Some(key.clone());
    Ok(())
}

fn refused_proof(error: DpopError) -> ParError {
    let description = error.to_string();
    let code = match error {
        DpopError::Invalid(_) => ErrorCode::InvalidDpopProof,
        DpopError::Trouble(trouble) => return TokenError::from(trouble).into(),
        DpopError::UseNonce => ErrorCode::UseDpopNonce,
    };
    TokenError::Refused { code, description }.into()
}

fn handle(client_id: &str, request_uri: &str) -> String {
    format!("{client_id}\n{request_uri}")
}

fn refuse<T>(error: &'static str, description: &str) -> Result<T, ParError> {
    Err(ParError::Refused { error, description: description.to_owned() })
}
