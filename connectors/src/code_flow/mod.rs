//! The authorization code flow (RFC 6749 §4.1) with PKCE (RFC 7636), as OpenID Connect and plain OAuth share it.

mod client_authentication;
mod request;
mod token_endpoint;

use serde_json::Value;

pub(crate) use client_authentication::ClientAuthentication;
pub use request::is_protocol_parameter;
pub(crate) use request::{Query, challenge, unguessable};
pub(crate) use token_endpoint::{Fault, Redemption, redeem};

/// Some providers send the text (Amazon Cognito does).
pub(crate) fn as_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::String(text) => text.to_ascii_lowercase().parse().ok(),
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
