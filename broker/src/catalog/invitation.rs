//! Invitations: who may sign in to an organization for the first time.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::user::hashed;
use super::{EmailAddress, Identity, Name};

/// Lets one person in, once.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Invitation {
    /// `inv_…`.
    pub id: String,
    /// They become a member of it.
    pub organization: Name,
    /// Who.
    pub whom: Invited,
    /// What it is found by: [`Invited::key`].
    pub key: String,
    /// From then on it lets nobody in.
    pub expires_at: DateTime<Utc>,
    /// Who came, and when.
    pub accepted: Option<Accepted>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was made or accepted.
    pub updated_at: DateTime<Utc>,
}

/// Who is invited.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Invited {
    /// Whoever signs in with this address, verified (RULES 19).
    Email(String),
    /// Whom the identity provider names so.
    Identity(Identity),
}

/// An invitation's one use.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Accepted {
    /// By this user.
    pub user_id: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl Invitation {
    /// Whether it lets somebody in.
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        self.accepted.is_none() && now < self.expires_at
    }
}

impl Invited {
    /// What it is found by.
    pub fn key(&self) -> String {
        match self {
            Self::Email(email) => hashed(&["email", &email.to_ascii_lowercase()]),
            Self::Identity(Identity { connection, issuer, subject }) => {
                hashed(&["identity", connection.as_str(), issuer, subject])
            }
        }
    }
}

impl From<&EmailAddress> for Invited {
    fn from(address: &EmailAddress) -> Self {
        Self::Email(address.to_string())
    }
}
