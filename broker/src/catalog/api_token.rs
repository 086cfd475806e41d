//! Tokens of the management API, beside the bootstrap token.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Name;

/// Lets its holder use the management API until it ends or is revoked.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ApiToken {
    /// `apt_…`; the token itself begins with it.
    pub id: String,
    /// Unique, immutable and never reused: the audit log names the token by it.
    pub name: Name,
    /// What it is good for.
    #[serde(flatten)]
    pub scope: ApiScope,
    /// Ids of the tokens that made it, each by the one before; empty: it was made with the bootstrap token. It ends with any.
    #[serde(default)]
    pub makers: Vec<String>,
    /// Hex SHA-256 of the token.
    pub token_sha256: String,
    /// From then on it opens nothing.
    pub expires_at: DateTime<Utc>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was made; a token never changes.
    pub updated_at: DateTime<Utc>,
}

/// What a token of the management API is good for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "scope", rename_all = "snake_case")]
pub enum ApiScope {
    /// Everything.
    Operator,
    /// Some of what is one organization's own.
    Organization {
        /// Whose.
        organization: Name,
    },
    /// Reads everything, writes nothing.
    ReadOnly,
}

impl ApiScope {
    /// The organization that it is limited to, if it is limited to one.
    pub const fn organization(&self) -> Option<&Name> {
        match self {
            Self::Organization { organization } => Some(organization),
            Self::Operator | Self::ReadOnly => None,
        }
    }
}
