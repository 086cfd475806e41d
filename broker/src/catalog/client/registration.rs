//! How a client came to be registered, where nobody of ours did it.

use serde::{Deserialize, Serialize};

/// Of a client that registered itself (RFC 7591, RFC 7592); empty for all others.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct ClientRegistration {
    /// Hex SHA-256 of the token that it manages its registration with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_token_sha256: Option<String>,
    /// Id of the initial access token that it was registered with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registered_with: Option<String>,
}
