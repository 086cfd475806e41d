//! Password accounts: people of customers without an identity provider, who sign in with a password of ours.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{EmailAddress, Name};

/// One person's account at a `password` connection: the upstream identity of a user, whose subject is its id.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct PasswordAccount {
    /// `pwa_…`, never reused: the upstream subject.
    pub id: String,
    /// The connection that it signs in at; immutable.
    pub connection: Name,
    /// What the person types; immutable, so that an account never becomes another person's.
    pub email: AccountEmail,
    /// For people.
    pub name: Option<String>,
    /// `None`: not set yet, so nobody can sign in.
    pub password: Option<PasswordHash>,
    /// When the password was set last: a link to set it that was made before works no more.
    pub set_at: Option<DateTime<Utc>>,
    /// When somebody used a link that we had mailed to the address (RULES 19 b).
    pub email_proven_at: Option<DateTime<Utc>>,
    /// A disabled account cannot sign in, and is told what an unknown one is told.
    pub enabled: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

/// A password as it is stored: a PHC string of argon2id, with its parameters and its salt.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

/// The address of an account. Two that differ in case only are one: people type theirs as it comes.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountEmail {
    typed: EmailAddress,
    key: String,
}

impl PasswordHash {
    /// What [`crate::passwords`] made.
    pub const fn new(phc: String) -> Self {
        Self(phc)
    }

    /// The PHC string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AccountEmail {
    /// The address as it was typed.
    pub const fn address(&self) -> &EmailAddress {
        &self.typed
    }

    /// What accounts of one connection are told apart by.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl From<EmailAddress> for AccountEmail {
    fn from(typed: EmailAddress) -> Self {
        Self { key: typed.to_string().to_ascii_lowercase(), typed }
    }
}

impl TryFrom<String> for AccountEmail {
    type Error = super::domain::InvalidEmail;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        EmailAddress::parse(&text).map(Self::from)
    }
}

impl From<AccountEmail> for String {
    fn from(email: AccountEmail) -> Self {
        email.typed.to_string()
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

impl fmt::Debug for AccountEmail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.typed.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_same_in_any_case_and_kept_as_it_was_typed() {
        let email = |text: &str| AccountEmail::try_from(text.to_owned()).unwrap();

        let typed = email("Ann.Lee@Initech.example");

        assert_eq!(typed.address().to_string(), "Ann.Lee@initech.example");
        assert_eq!(typed.key(), email("ann.lee@initech.example").key());
        assert_ne!(typed.key(), email("annlee@initech.example").key());
        assert!(AccountEmail::try_from("a@b@c".to_owned()).is_err());
    }

    #[test]
    fn debug_output_shows_neither_the_hash_nor_who_it_is() {
        let hash = PasswordHash::new("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".to_owned());
        let email = AccountEmail::try_from("ann@initech.example".to_owned()).unwrap();

        let shown = format!("{hash:?} {email:?}");

        assert!(!shown.contains("argon2") && !shown.contains("ann"), "{shown}");
    }
}
