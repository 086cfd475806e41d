//! Answers that the broker must refuse: each is good but for one thing.

use chrono::TimeDelta;
use serde_json::{Map, Value};

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OidcFault {
    /// The ID token ended an hour ago.
    Expired,
    /// The ID token is for another client.
    OtherAudience,
    /// The ID token is from another issuer.
    OtherIssuer,
    /// The ID token is signed with a key that is not in the key set, under the right `kid`.
    OtherKey,
    /// The ID token is for another login.
    OtherNonce,
    /// The redirect names another issuer (RFC 9207).
    ResponseIssuer,
    /// The ID token is not signed (`alg` is `none`).
    Unsigned,
}

pub(super) const OTHER_ISSUER: &str = "https://another-idp.example";

impl OidcFault {
    /// In the order in which the page offers them.
    pub const ALL: [Self; 7] = [
        Self::OtherAudience,
        Self::Expired,
        Self::Unsigned,
        Self::OtherKey,
        Self::OtherIssuer,
        Self::OtherNonce,
        Self::ResponseIssuer,
    ];

    /// What the form sends.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::OtherAudience => "other_audience",
            Self::OtherIssuer => "other_issuer",
            Self::OtherKey => "other_key",
            Self::OtherNonce => "other_nonce",
            Self::ResponseIssuer => "response_issuer",
            Self::Unsigned => "unsigned",
        }
    }

    /// Of a form's value.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.as_str() == text)
    }

    /// What the button says after "Send a response".
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Expired => "that has expired",
            Self::OtherAudience => "for another audience",
            Self::OtherIssuer => "from another identity provider",
            Self::OtherKey => "signed with an unknown key",
            Self::OtherNonce => "to another request",
            Self::ResponseIssuer => "whose address names another identity provider",
            Self::Unsigned => "without a signature",
        }
    }

    /// What is wrong in the claims.
    pub(super) fn change(self, claims: &mut Map<String, Value>) {
        let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        match self {
            Self::OtherAudience => drop(set("aud", "another-app".into())),
            Self::OtherIssuer => drop(set("iss", OTHER_ISSUER.into())),
            Self::OtherNonce => drop(set("nonce", "the-nonce-of-another-login".into())),
            Self::Expired => {
                let hour = TimeDelta::hours(1).num_seconds();
                for name in ["iat", "exp", "auth_time"] {
                    if let Some(Value::Number(at)) = claims.get(name) {
                        let earlier = at.as_i64().unwrap_or_default() - hour;
                        claims.insert(name.to_owned(), earlier.into());
                    }
                }
            }
            Self::OtherKey | Self::ResponseIssuer | Self::Unsigned => {}
        }
    }
}
