//! Client grants: which client may ask which API for what.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A client, or all of a kind, may ask this API for these scopes.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ClientGrant {
    /// `cgr_…`; one grant per (holder, audience, subject type).
    pub id: String,
    /// Who may ask.
    #[serde(flatten)]
    pub holder: GrantHolder,
    /// Identifier of the API.
    pub audience: String,
    /// Scopes, each known to the API; none at all in a third-party client's own grant: no access (see `Catalog::grant_for`).
    pub scopes: Vec<String>,
    /// On behalf of a user, or as itself.
    pub subject_type: SubjectType,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

/// Whose a grant is.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(untagged)]
pub enum GrantHolder {
    /// A client's own, which wins over a default.
    Client {
        /// The client.
        client_id: String,
    },
    /// That of every client of a kind that has none of its own for the API.
    Default {
        /// The kind.
        default_for: DefaultFor,
    },
}

/// Kinds of clients that can have a grant by default.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DefaultFor {
    /// Every third-party client.
    ThirdPartyClients,
}

impl DefaultFor {
    /// As it stands in bodies and rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ThirdPartyClients => "third_party_clients",
        }
    }
}

impl GrantHolder {
    /// The client, where the grant is one's own.
    pub fn client_id(&self) -> Option<&str> {
        match self {
            Self::Client { client_id } => Some(client_id),
            Self::Default { .. } => None,
        }
    }

    /// The kind of clients, where it is a default.
    pub const fn default_for(&self) -> Option<DefaultFor> {
        match self {
            Self::Client { .. } => None,
            Self::Default { default_for } => Some(*default_for),
        }
    }
}

/// Who acts.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    /// The client itself (client credentials).
    Client,
    /// A user, through the client.
    User,
}
