//! Signed request objects (RFC 9101): an authorization request as a JWT of the client, for us, for a short while.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use super::client_assertion::{is_for, text};
use super::client_keys;
use super::jwt_times::Times;
use super::params::{Params, REPEATABLE};
use crate::app::App;
use crate::catalog::Client;

#[cfg(test)]
mod tests;

/// How far `exp` may lie ahead.
const LONGEST: TimeDelta = TimeDelta::hours(1);

/// Verifies a request object of `client` and gives its parameters.
///
/// # Errors
/// For the client's developers: why it is refused.
pub(super) async fn read(
    app: &App,
    client: &Client,
    object: &str,
    now: DateTime<Utc>,
) -> Result<Params, &'static str> {
    let pinned = client.keys.request_object_signing_alg;
    let verified = client_keys::verify(app, client, object, pinned, now).await?;
    is_a_request(verified.typ())?;
    let claims = verified.claims().map_err(|_| "its claims are no JSON object")?;
    for name in ["iss", "client_id"] {
        if text(&claims, name) != Some(&client.client_id) {
            return Err("iss and client_id are not both the client_id");
        }
    }
    // RFC 9101 §10.8: or it could pass as a client assertion
    if text(&claims, "sub") == Some(&client.client_id) {
        return Err("sub must not be the client_id");
    }
    if !is_for(&claims, app.config.issuer.as_str()) {
        return Err("aud is not our issuer, and nothing else");
    }
    Times::read(&claims, LONGEST, now)?;
    parameters(claims)
}

/// RFC 9101 §10.8.
fn is_a_request(typ: Option<&str>) -> Result<(), &'static str> {
    let known = |typ: &str| {
        typ.eq_ignore_ascii_case("JWT") || typ.eq_ignore_ascii_case("oauth-authz-req+jwt")
    };
    if typ.is_none_or(known) { Ok(()) } else { Err("its typ is not that of a request object") }
}

/// RFC 9101 §4: texts as they are, numbers and objects as JSON writes them; no object in the object.
fn parameters(claims: Map<String, Value>) -> Result<Params, &'static str> {
    let mut pairs = Vec::new();
    for (name, value) in claims {
        match (name.as_str(), value) {
            ("request" | "request_uri", _) => return Err("it holds another request"),
            // the JWT's own
            ("iss" | "aud" | "exp" | "nbf" | "iat" | "jti" | "sub", _) => {}
            (repeatable, Value::Array(several)) if REPEATABLE.contains(&repeatable) => {
                for one in several {
                    pairs.push((name.clone(), parameter(one)?));
                }
            }
            (_, value) => pairs.push((name, parameter(value)?)),
        }
    }
    Params::of(pairs).map_err(|_| "it has too many parameters")
}

fn parameter(value: Value) -> Result<String, &'static str> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(_) | Value::Object(_) => Ok(value.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) => Err("a parameter is of another type"),
    }
}
