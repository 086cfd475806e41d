//! Login traces: what happened in one login, check by check, redacted.

use chrono::{DateTime, Utc};
use homerealm_connectors::check::Check;
use serde::{Deserialize, Serialize};

use super::AuditEntry;

/// The record of one login.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct LoginTrace {
    /// `ltr_…`.
    pub id: String,
    /// Short text that the user can read out, e.g. `K7Q-93F-2MX`; unique.
    pub reference: String,
    /// When the outcome was known.
    pub at: DateTime<Utc>,
    /// How it ended.
    pub outcome: TraceOutcome,
    /// Stable code of the failed check, e.g. `saml_audience_mismatch`; `None` where it succeeded.
    pub code: Option<String>,
    /// Name of the connection, if one was chosen.
    pub connection: Option<String>,
    /// The client.
    pub client_id: Option<String>,
    /// Local subject, where the login got that far.
    #[serde(default)]
    pub user_id: Option<String>,
    /// Every check in order.
    pub checks: Vec<Check>,
}

/// How a login ended, as it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct EndedLogin {
    /// Its trace.
    pub trace: LoginTrace,
    /// What the audit log keeps of it, if anything.
    pub entry: Option<AuditEntry>,
    /// What stands behind it.
    pub behind: Behind,
}

/// What stands behind the end of a login.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Behind {
    /// A request that named no login.
    Nothing,
    /// A login that somebody had started.
    Login,
    /// A verified statement of an identity provider.
    Statement,
}

impl Behind {
    /// As it is stored.
    pub(super) const fn number(self) -> i64 {
        match self {
            Self::Nothing => 0,
            Self::Login => 1,
            Self::Statement => 2,
        }
    }
}

/// How a login ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TraceOutcome {
    /// Verified but barred, or the user's own "no".
    Denied,
    /// A check failed.
    Failed,
    /// A code was issued.
    Succeeded,
}
