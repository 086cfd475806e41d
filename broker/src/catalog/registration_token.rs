//! Initial access tokens: who may register clients of one organization by themselves (RFC 7591 §3).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Name;

/// Lets its holder register third-party clients of one organization.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct RegistrationToken {
    /// `rgt_…`; the token itself begins with it.
    pub id: String,
    /// Whose apps are registered with it.
    pub organization: Name,
    /// Hex SHA-256 of the token.
    pub token_sha256: String,
    /// From then on it registers nothing.
    pub expires_at: DateTime<Utc>,
    /// How many clients can still be registered with it.
    pub uses_left: u32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was made or used last.
    pub updated_at: DateTime<Utc>,
}
