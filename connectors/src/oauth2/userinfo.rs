//! Whose the access token is, in the words of the server's own API.

use homerealm_certs::strict_json;
use serde_json::{Map, Value};
use url::Url;

use super::Rejection;
use crate::assertion::VerifiedDocument;
use crate::error::ConnectorError;
use crate::http::{Fetched, Outbound, Secret};

/// What the userinfo endpoint answered to the token that this login's code bought. Only [`fetch`] makes one.
pub(super) struct UserinfoAnswer {
    pub(super) members: Map<String, Value>,
}

impl VerifiedDocument for UserinfoAnswer {}

const MAX_ANSWER: usize = 256 * 1024;

pub(super) async fn fetch(
    outbound: &Outbound,
    endpoint: &Url,
    token: &Secret,
) -> Result<UserinfoAnswer, ConnectorError> {
    let refused = |reason| Rejection::Userinfo { reason };
    match get(outbound, endpoint, token, "the userinfo endpoint", refused).await? {
        Value::Object(members) => Ok(UserinfoAnswer { members }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(refused("not a JSON object").into())
        }
    }
}

/// GitHub shows the address that a user made public, if any. The one that counts is in a list of its own: primary, and
/// verified by GitHub. Where there is none, there is no address.
pub(super) async fn add_email(
    outbound: &Outbound,
    endpoint: &Url,
    token: &Secret,
    answer: &mut UserinfoAnswer,
) -> Result<(), ConnectorError> {
    let refused = |reason| Rejection::EmailList { reason };
    let Value::Array(list) =
        get(outbound, endpoint, token, "the list of addresses", refused).await?
    else {
        return Err(refused("not a JSON array").into());
    };
    let says = |entry: &Value, name: &str| entry.get(name) == Some(&Value::Bool(true));
    let mut own = list.iter().filter(|entry| says(entry, "primary") && says(entry, "verified"));
    let address = match (own.next(), own.next()) {
        (Some(only), None) => only.get("email").filter(|email| email.is_string()).cloned(),
        _ => None,
    };
    answer.members.remove("email");
    answer.members.remove("email_verified");
    if let Some(address) = address {
        answer.members.insert("email".to_owned(), address);
        answer.members.insert("email_verified".to_owned(), Value::Bool(true));
    }
    Ok(())
}

async fn get(
    outbound: &Outbound,
    endpoint: &Url,
    token: &Secret,
    what: &'static str,
    refused: impl Fn(&'static str) -> Rejection,
) -> Result<Value, ConnectorError> {
    let fetched = outbound
        .get_bearer(endpoint, "application/json", token, MAX_ANSWER)
        .await
        .map_err(|e| ConnectorError::Unreachable { what, reason: e.to_string() })?;
    let status = fetched.status;
    if status == 429 || status >= 500 {
        let reason = format!("answered with status {status}");
        return Err(ConnectorError::Unreachable { what, reason });
    }
    Ok(read(&fetched).map_err(refused)?)
}

fn read(fetched: &Fetched) -> Result<Value, &'static str> {
    if fetched.status != 200 {
        return Err("the status is not 200");
    }
    if !fetched.is_json() {
        return Err("the content type is not JSON");
    }
    strict_json(&fetched.body).map_err(|_| "not well-formed JSON")
}
