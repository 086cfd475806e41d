//! Users: local subjects and the identities that lead to them.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{Context, SHA256};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Name;

/// A local subject.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct User {
    /// `usr_…`: the `sub` of every token; opaque and stable.
    pub id: String,
    /// Claims of the last login, normalized.
    pub claims: NormalizedClaims,
    /// The connection of that login; `None` where there was none yet.
    #[serde(default)]
    pub claims_from: Option<Name>,
    /// Claims of the last login by each other connection.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claims_elsewhere: BTreeMap<Name, NormalizedClaims>,
    /// What leads here; the key is (connection, issuer, subject), never an e-mail address.
    pub identities: Vec<Identity>,
    /// Organizations that this user belongs to.
    #[serde(default)]
    pub organizations: Vec<Name>,
    /// A blocked user is refused with 403 after verification.
    pub blocked: bool,
    /// When they were signed out everywhere, or blocked: what a login until then established counts no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_out_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When its claims or flags were changed last.
    pub updated_at: DateTime<Utc>,
}

impl User {
    /// What the last login by a connection said. A user may be linked to connections of several organizations, whose IdPs
    /// say different things.
    pub fn claims_by(&self, connection: &Name) -> Option<&NormalizedClaims> {
        match &self.claims_from {
            Some(from) if from == connection => Some(&self.claims),
            Some(_) => self.claims_elsewhere.get(connection),
            // before the first login they are what an admin wrote
            None => {
                let only = self.identities.iter().all(|i| i.connection == *connection);
                only.then_some(&self.claims)
            }
        }
    }

    /// Why what a login established counts no longer, if that is so: the one rule for sessions, codes, access tokens and
    /// refresh tokens (THREATS X7). `connection` is the one that they came by, where that is known; a login of an unknown
    /// time is older than any sign-out.
    pub fn bars(
        &self,
        connection: Option<&Name>,
        signed_in_at: Option<DateTime<Utc>>,
    ) -> Option<&'static str> {
        if self.blocked {
            return Some("user_blocked");
        }
        if self.signed_out_at.is_some_and(|end| signed_in_at.is_none_or(|at| at <= end)) {
            return Some("user_signed_out");
        }
        let linked = |name: &Name| self.identities.iter().any(|i| i.connection == *name);
        connection.is_some_and(|name| !linked(name)).then_some("identity_unlinked")
    }
}

/// An upstream identity.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Identity {
    /// Name of the connection.
    pub connection: Name,
    /// Upstream issuer: OIDC URL or SAML entity id.
    pub issuer: String,
    /// Upstream subject, in its unambiguous form.
    pub subject: String,
}

/// Claims in our vocabulary: OIDC standard claims, `groups`, `roles` (OIDC Core §5.1).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names of OIDC Core §5.1")]
pub struct NormalizedClaims {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zoneinfo: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Ours to state (RULES 19); present exactly when `email` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

/// Hex SHA-256 over texts, each with its length in front, so that no two lists have the same.
pub(super) fn hashed(texts: &[&str]) -> String {
    let mut context = Context::new(&SHA256);
    for text in texts {
        context.update(&(text.len() as u64).to_be_bytes());
        context.update(text.as_bytes());
    }
    hex::encode(context.finish().as_ref())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::login::fixtures::{name, now};

    fn ada() -> User {
        let (issuer, subject) = ("https://op.example".to_owned(), "1".to_owned());
        User {
            id: "usr_1".to_owned(),
            claims: NormalizedClaims::default(),
            claims_from: None,
            claims_elsewhere: BTreeMap::new(),
            identities: vec![Identity { connection: name("acme-oidc"), issuer, subject }],
            organizations: Vec::new(),
            blocked: false,
            signed_out_at: None,
            created_at: now(),
            updated_at: now(),
        }
    }

    #[test]
    fn a_sign_out_ends_what_was_established_until_then() {
        let user = User { signed_out_at: Some(now()), ..ada() };
        let second = TimeDelta::seconds(1);

        for before in [None, Some(now() - second), Some(now())] {
            assert_eq!(user.bars(None, before), Some("user_signed_out"), "{before:?}");
        }
        assert_eq!(user.bars(None, Some(now() + second)), None);
        assert_eq!(ada().bars(None, None), None, "nobody signed them out");
    }

    #[test]
    fn a_block_and_an_unlinked_identity_end_it_whenever_it_was() {
        let later = Some(now() + TimeDelta::days(1));
        let blocked = User { blocked: true, ..ada() };

        assert_eq!(blocked.bars(Some(&name("acme-oidc")), later), Some("user_blocked"));
        assert_eq!(ada().bars(Some(&name("acme-saml")), later), Some("identity_unlinked"));
        assert_eq!(ada().bars(Some(&name("acme-oidc")), later), None);
    }
}
