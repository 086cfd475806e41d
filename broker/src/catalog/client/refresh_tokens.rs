//! How long a client's refresh tokens live.

use serde::{Deserialize, Serialize};

/// Lifetimes of a client's own; absent: those of the configuration.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct RefreshTokens {
    /// From the login on, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token_lifetime_seconds: Option<u32>,
    /// From the last use on, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token_idle_lifetime_seconds: Option<u32>,
}
