//! Who may come in through a connection for the first time.

use serde::{Deserialize, Serialize};

/// Rules for identities that have no user yet.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Newcomers {
    /// Whether a user is made just in time.
    #[serde(default)]
    pub jit: Jit,
}

/// Whether the first login of an identity makes a user.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Jit {
    /// Yes.
    #[default]
    Create,
    /// No: only whom an admin made, or linked, comes in.
    ExistingOnly,
    /// Only whom an open invitation names.
    Invitation,
}
