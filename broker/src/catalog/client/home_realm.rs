//! Where a client's users go whom no domain leads anywhere.

use serde::{Deserialize, Serialize};

use crate::catalog::Name;

/// The client's own end of the home realm.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct ClientHomeRealm {
    /// For e-mail addresses of unknown domains: none, and the page says politely that it cannot go on; one, and it goes there;
    /// several, and the user chooses.
    pub otherwise_connections: Vec<Name>,
}
