//! How a client came to be registered, where nobody of ours did it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Of a client that registered itself (RFC 7591, RFC 7592) or is known by a document of its own; empty for all others.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct ClientRegistration {
    /// Hex SHA-256 of the token that it manages its registration with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_token_sha256: Option<String>,
    /// Id of the initial access token that it was registered with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registered_with: Option<String>,
    /// Until when the document that its `client_id` is the address of need not be fetched again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document_until: Option<DateTime<Utc>>,
}
