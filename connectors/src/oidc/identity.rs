//! From a verified ID token, and what userinfo adds, to what the broker gets.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::id_token::VerifiedIdToken;
use super::id_token::claims::Claims;
use super::{Rejection, entra};
use crate::assertion::{AssertionParts, Subject, VerifiedAssertion};
use crate::code_flow::as_bool;
use crate::invisible::has_invisible;

/// Puts both sources together; where both speak, the ID token is right (OIDC Core §5.3.2 lets only it be signed).
pub(super) fn assertion(
    token: &VerifiedIdToken,
    userinfo: Option<Map<String, Value>>,
    is_entra: bool,
) -> Result<VerifiedAssertion, Rejection> {
    let claims = &token.claims;
    let subject =
        if is_entra { entra::subject(claims)? } else { claims.identifier("sub")?.to_owned() };
    let mutable_email_like = subject.contains('@');
    let is_email_verified = is_entra.then(|| entra::is_email_verified(claims));
    let (acr, session_index) = (owned(claims.text("acr")?), owned(claims.text("sid")?));
    let amr = claims.amr()?.into_iter().map(str::to_owned).collect();
    let merged = merge(claims, userinfo.unwrap_or_default());
    let upstream_email_verified =
        is_email_verified.or_else(|| as_bool(merged.get("email_verified")?));
    let parts = AssertionParts {
        issuer: token.issuer.clone(),
        subject: Subject { mutable_email_like, ..Subject::bare(subject) },
        attributes: attributes(merged)?,
        auth_time: token.auth_time,
        acr,
        amr,
        session_index,
        session_not_on_or_after: None,
        replay: token.replay.clone(),
        issued_at: token.issued_at,
        upstream_email_verified,
    };
    Ok(VerifiedAssertion::new(token, parts))
}

/// Whether the scopes promise claims that the ID token does not have, so that a login without userinfo would lack them.
pub(super) fn lacks_promised_claims(claims: &Claims, scopes: &[String]) -> bool {
    let asked = |scope: &str| scopes.iter().any(|s| s == scope);
    let has = |names: &[&str]| names.iter().any(|name| claims.get(name).is_some());
    (asked("email") && !has(&["email"])) || (asked("profile") && !has(&NAMES))
}

const NAMES: [&str; 4] = ["name", "given_name", "family_name", "preferred_username"];

/// `email` and `email_verified` come from one source: one source's yes is not about the other's address.
fn merge(claims: &Claims, mut userinfo: Map<String, Value>) -> Map<String, Value> {
    let mut merged = claims.as_map().clone();
    if merged.contains_key("email") {
        userinfo.remove("email_verified");
    } else {
        merged.remove("email_verified");
    }
    for (name, value) in userinfo {
        if !PROTOCOL.contains(&name.as_str()) {
            merged.entry(name).or_insert(value);
        }
    }
    merged
}

/// Everything but what belongs to the protocol; a list becomes its values, everything else is one value.
fn attributes(claims: Map<String, Value>) -> Result<BTreeMap<String, Vec<Value>>, Rejection> {
    let mut attributes = BTreeMap::new();
    for (name, value) in claims {
        if PROTOCOL.contains(&name.as_str()) {
            continue;
        }
        let values = match value {
            Value::Null => continue,
            Value::Array(values) => values,
            one @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
                vec![one]
            }
        };
        attributes.insert(name, values);
    }
    email_is_visible(&attributes)?;
    Ok(attributes)
}

/// Two addresses that look alike must be alike.
fn email_is_visible(attributes: &BTreeMap<String, Vec<Value>>) -> Result<(), Rejection> {
    let values = attributes.get("email").into_iter().flatten();
    let is_visible = |value: &Value| value.as_str().is_none_or(|text| !has_invisible(text));
    if values.into_iter().all(is_visible) {
        return Ok(());
    }
    Err(Rejection::ClaimMalformed { claim: "email", expected: "visible characters only" })
}

/// Claims about the token, not about the user. `tid` and `oid` stay: mappings may name them.
const PROTOCOL: [&str; 17] = [
    "acr",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "azp",
    "c_hash",
    "exp",
    "iat",
    "iss",
    "jti",
    "nbf",
    "nonce",
    "s_hash",
    "sid",
    "sub",
    "typ",
];

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

#[cfg(test)]
mod tests;
