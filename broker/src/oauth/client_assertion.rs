//! `private_key_jwt` (RFC 7523 §3, OIDC Core §9): a client signs who it is, for us alone, once.

use chrono::{DateTime, TimeDelta, Utc};
use homerealm_certs::{StrictJsonError, UnverifiedJws, strict_json};
use serde_json::{Map, Value};

use super::client_keys;
use super::error::Trouble;
use super::jwt_times::{SKEW, Times};
use crate::app::App;
use crate::catalog::Client;

#[cfg(test)]
mod tests;

/// `client_assertion_type` (RFC 7523 §2.2).
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far `exp` may lie ahead: an assertion is made for one request.
const LONGEST: TimeDelta = TimeDelta::minutes(10);

/// Bytes of a `jti`.
const LONGEST_ID: usize = 256;

/// Why an assertion does not authenticate.
#[derive(Debug, thiserror::Error)]
pub enum AssertionError {
    /// The client signed it, and its `aud` is not our issuer alone.
    #[error("aud is not our issuer, and nothing else")]
    ForSomebodyElse,
    /// For the client's developers; whoever guesses learns nothing from it.
    #[error("{0}")]
    Refused(&'static str),
    /// Ours to mend.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

/// The client that an assertion names, before anybody vouched for it: a look-up key, nothing more.
pub fn unverified_client_id(assertion: &str) -> Option<String> {
    let parsed = UnverifiedJws::parse(assertion).ok()?;
    let claims: Result<Value, StrictJsonError> = strict_json(parsed.unverified_payload());
    claims.ok()?.get("sub")?.as_str().map(str::to_owned)
}

/// Verifies an assertion of `client` and uses it up.
///
/// # Errors
/// [`AssertionError`].
pub async fn verify(
    app: &App,
    client: &Client,
    assertion: &str,
    now: DateTime<Utc>,
) -> Result<(), AssertionError> {
    let pinned = client.keys.token_endpoint_auth_signing_alg;
    let verified = client_keys::verify(app, client, assertion, pinned, now)
        .await
        .map_err(AssertionError::Refused)?;
    is_an_assertion(verified.typ())?;
    let claims =
        verified.claims().map_err(|_| AssertionError::Refused("its claims are no JSON object"))?;
    for name in ["iss", "sub"] {
        if text(&claims, name) != Some(&client.client_id) {
            return Err(AssertionError::Refused("iss and sub are not both the client_id"));
        }
    }
    if !is_for(&claims, app.config.issuer.as_str()) {
        return Err(AssertionError::ForSomebodyElse);
    }
    let times = Times::read(&claims, LONGEST, now).map_err(AssertionError::Refused)?;
    let id = text(&claims, "jti").filter(|id| !id.is_empty() && id.len() <= LONGEST_ID);
    let id = id.ok_or(AssertionError::Refused("jti is missing"))?;
    let marker = format!("{}\n{id}", client.client_id);
    let until = times.exp + SKEW;
    let first = app.records.first_use("client-assertion", &marker, until, now).await;
    if first.map_err(Trouble::from)? {
        Ok(())
    } else {
        Err(AssertionError::Refused("it was used before"))
    }
}

/// RFC 8725 §3.11: no token of another kind passes. Most libraries write none or `JWT`.
fn is_an_assertion(typ: Option<&str>) -> Result<(), AssertionError> {
    let known = |typ: &str| {
        typ.eq_ignore_ascii_case("JWT") || typ.eq_ignore_ascii_case("client-authentication+jwt")
    };
    if typ.is_none_or(known) {
        Ok(())
    } else {
        Err(AssertionError::Refused("its typ is not that of a client assertion"))
    }
}

/// Our issuer and nobody else (THREATS A6): what was signed for another server is not for us, and what is for our token
/// endpoint's URL could be an attacker's idea of it.
pub(super) fn is_for(claims: &Map<String, Value>, issuer: &str) -> bool {
    let audience = claims.get("aud");
    let only = match audience.and_then(Value::as_array).map(Vec::as_slice) {
        Some([only]) => Some(only),
        Some(_) => None,
        None => audience,
    };
    only.and_then(Value::as_str) == Some(issuer)
}

pub(super) fn text<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c String> {
    match claims.get(name) {
        Some(Value::String(text)) => Some(text),
        Some(
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_),
        )
        | None => None,
    }
}
