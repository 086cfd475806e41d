//! Login traces: what happened in one login, check by check, redacted.

use chrono::{DateTime, Utc};
use homerealm_connectors::check::Check;
use serde::{Deserialize, Serialize};

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
