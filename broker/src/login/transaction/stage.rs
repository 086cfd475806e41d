//! How far a login is, and the answer that waits for its browser. What is shown of them has no secret in it.

use std::fmt;

use homerealm_connectors::assertion::AssertionParts;
use homerealm_connectors::check::Check;
use homerealm_connectors::connector::Expected;
use serde::{Deserialize, Serialize};

use crate::catalog::Name;

/// How far a login is.
#[derive(Clone, Deserialize, Serialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// Our page is shown.
    Asked {
        /// What was typed or hinted, to show it again.
        email: Option<String>,
        /// Connections to choose from; empty: the e-mail address is asked for.
        choices: Vec<Name>,
        /// The address was understood, its domain leads nowhere.
        unknown_domain: bool,
        /// Offered beside the question: the browser's last connection.
        #[serde(default)]
        offer: Option<Name>,
    },
    /// Our page asks whether to go on with the account that this browser is signed in with.
    Account {
        /// Hinted, for the page after it.
        email: Option<String>,
    },
    /// The user is at the IdP.
    Pending {
        /// The connection that they were sent to; no other may answer.
        connection: Name,
        /// What the answer is held against.
        expected: Expected,
        /// What was typed or hinted, to show it again after "back".
        email: Option<String>,
        /// The IdP reported the user's own "no". It stays pending: such a report is not signed.
        denied: bool,
    },
    /// The answer is here and waits for its browser.
    Parked {
        /// Where it came from.
        connection: Name,
        /// The answer.
        answer: ParkedAnswer,
        /// What was checked so far.
        checks: Vec<Check>,
    },
    /// It had its one answer.
    Completed,
}

/// An answer that waits for its browser.
#[derive(Clone, Deserialize, Serialize)]
#[serde(tag = "protocol", rename_all = "lowercase")]
pub enum ParkedAnswer {
    /// Code and `iss`, not redeemed yet (RULES 4).
    #[serde(rename = "oidc")]
    Code {
        /// The upstream server's authorization code.
        code: String,
        /// RFC 9207.
        iss: Option<String>,
        /// What the answer is held against.
        expected: Expected,
    },
    /// The password was right; marked as used when it is taken.
    Password {
        /// Whose it is.
        parts: Box<AssertionParts>,
    },
    /// Verified; marked as used when it is taken.
    Saml {
        /// What the assertion says.
        parts: Box<AssertionParts>,
    },
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Account { .. } => "Account",
            Self::Asked { .. } => "Asked",
            Self::Pending { .. } => "Pending",
            Self::Parked { .. } => "Parked",
            Self::Completed => "Completed",
        })
    }
}

impl fmt::Debug for ParkedAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code { .. } => "Code(..)",
            Self::Password { .. } => "Password(..)",
            Self::Saml { .. } => "Saml(..)",
        })
    }
}
