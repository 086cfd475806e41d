//! Client grants: which client may ask which API for what.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// This client may ask this API for these scopes.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ClientGrant {
    /// `cgr_…`; one grant per (client, audience, subject type).
    pub id: String,
    /// The client.
    pub client_id: String,
    /// Identifier of the API.
    pub audience: String,
    /// Scopes, each known to the API.
    pub scopes: Vec<String>,
    /// On behalf of a user, or as itself.
    pub subject_type: SubjectType,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
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
