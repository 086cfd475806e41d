//! Claims that are not in the ID token (OIDC Core §5.3).

use homerealm_certs::strict_json;
use serde_json::{Map, Value};
use url::Url;

use super::Rejection;
use crate::error::ConnectorError;
use crate::http::{Fetched, Outbound, Secret};

const MAX_ANSWER: usize = 256 * 1024;

/// Asks for the claims of the user that `subject` names.
pub(super) async fn fetch(
    outbound: &Outbound,
    endpoint: &Url,
    access_token: &Secret,
    subject: &str,
) -> Result<Map<String, Value>, ConnectorError> {
    let fetched = outbound
        .get_bearer(endpoint, "application/json", access_token, MAX_ANSWER)
        .await
        .map_err(|e| ConnectorError::Unreachable {
            what: "the userinfo endpoint",
            reason: e.to_string(),
        })?;
    Ok(read(&fetched, subject)?)
}

/// OIDC Core §5.3.2: the answer may be used only if its `sub` is that of the ID token.
fn read(fetched: &Fetched, subject: &str) -> Result<Map<String, Value>, Rejection> {
    if fetched.status != 200 {
        return Err(Rejection::Userinfo { reason: "the status is not 200" });
    }
    if !fetched.is_json() {
        return Err(Rejection::Userinfo { reason: "the content type is not JSON" });
    }
    let Ok(Value::Object(claims)) = strict_json(&fetched.body) else {
        return Err(Rejection::Userinfo { reason: "not a well-formed JSON object" });
    };
    match claims.get("sub") {
        Some(Value::String(sub)) if sub == subject => Ok(claims),
        Some(_) => Err(Rejection::UserinfoSubject),
        None => Err(Rejection::Userinfo { reason: "sub is missing" }),
    }
}
