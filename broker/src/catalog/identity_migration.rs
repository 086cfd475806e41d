//! A planned change of identity provider: users of one connection are recognized at another of the same organization by an
//! attribute that an admin named, and stay who they are (RULES 19, DESIGN §5, invariant 6).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::user::hashed;
use super::{EmailAddress, Name, NormalizedClaims, User};

/// From one connection to another.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct IdentityMigration {
    /// `mig_…`.
    pub id: String,
    /// The new connection.
    pub connection: Name,
    /// The old one.
    pub from_connection: Name,
    /// Whose both are.
    pub organization: Name,
    /// How users are recognized.
    #[serde(rename = "match")]
    pub rule: MatchRule,
    /// From then on nobody is recognized any more.
    pub ends_at: DateTime<Utc>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

/// What is compared.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct MatchRule {
    /// What we know of users of the old connection.
    pub stored: Stored,
    /// The attribute in which the new identity provider says it. `None`, for [`Stored::Email`] only: the verified address. What
    /// people write into their own profile there must not make them somebody else.
    pub attribute: Option<String>,
}

/// What is known of a user of the old connection.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stored {
    /// The address, where it is verified.
    Email,
    /// The nickname.
    Nickname,
    /// The phone number.
    PhoneNumber,
    /// The preferred user name.
    PreferredUsername,
    /// The subject, such as an employee number; of a SAML NameID the value.
    Subject,
}

impl IdentityMigration {
    /// Whether users are recognized.
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        now < self.ends_at
    }

    /// What a user of the old connection is recognized by: nothing where that is not known.
    pub fn stored(&self, user: &User) -> Vec<String> {
        if self.rule.stored == Stored::Subject {
            let old = user.identities.iter().filter(|i| i.connection == self.from_connection);
            return old.map(|identity| name_id_value(&identity.subject)).collect();
        }
        let is_of_it = user.identities.iter().any(|i| i.connection == self.from_connection);
        let claims = user.claims_by(&self.from_connection).filter(|_| is_of_it);
        claims.and_then(|claims| self.rule.claim(claims)).into_iter().collect()
    }
}

impl MatchRule {
    /// The claim of this name; an address counts only verified, and without its case.
    pub fn claim(&self, claims: &NormalizedClaims) -> Option<String> {
        match self.stored {
            Stored::Email => {
                let verified = claims.email_verified == Some(true);
                let address = claims.email.as_deref().filter(|_| verified)?;
                let address = EmailAddress::parse(address).ok()?;
                Some(address.to_string().to_ascii_lowercase())
            }
            Stored::Nickname => claims.nickname.clone(),
            Stored::PhoneNumber => claims.phone_number.clone(),
            Stored::PreferredUsername => claims.preferred_username.clone(),
            Stored::Subject => None,
        }
    }

    /// How a value is looked for.
    pub fn key(&self, value: &str) -> String {
        hashed(&["alias", value])
    }
}

/// A stored subject is a bare value, or a NameID as a JSON array that ends with its value.
fn name_id_value(subject: &str) -> String {
    let parts: Option<[Option<String>; 4]> = serde_json::from_str(subject).ok();
    match parts {
        Some([_, _, _, Some(value)]) => value,
        Some([_, _, _, None]) | None => subject.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(stored: Stored) -> MatchRule {
        MatchRule { stored, attribute: None }
    }

    #[test]
    fn an_address_counts_only_verified_and_without_its_case() {
        let claims = |verified| NormalizedClaims {
            email: Some("Ada@Acme.example".to_owned()),
            email_verified: Some(verified),
            ..NormalizedClaims::default()
        };

        let known = rule(Stored::Email).claim(&claims(true));
        assert_eq!(known.as_deref(), Some("ada@acme.example"));
        assert_eq!(rule(Stored::Email).claim(&claims(false)), None);
    }

    #[test]
    fn of_a_name_id_the_value_counts() {
        assert_eq!(name_id_value("4711"), "4711");
        assert_eq!(name_id_value(r#"["urn:format",null,null,"4711"]"#), "4711");
        assert_eq!(name_id_value(r#"["urn:format",null]"#), r#"["urn:format",null]"#);
    }
}
