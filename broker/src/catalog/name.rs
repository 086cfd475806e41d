//! Names of catalog objects.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The unique, immutable name of an organization or a connection: `[a-z0-9][a-z0-9-]{0,62}`.
///
/// Every id has a prefix that ends in `_`, which no name can hold, so a name is never mistaken for an id.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Why a text is not a name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "must start with a lower-case letter or digit and hold only lower-case letters, digits and hyphens, 63 characters at most"
)]
pub struct InvalidName;

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if text.is_empty() || text.len() > 63 || text.starts_with('-') || !text.bytes().all(allowed)
        {
            return Err(InvalidName);
        }
        Ok(Self(text))
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_shortest_and_the_longest_name() {
        assert!(Name::try_from("a".to_owned()).is_ok());
        assert!(Name::try_from("a".repeat(63)).is_ok());
    }

    #[test]
    fn refuses_what_could_be_an_id_or_a_path() {
        for bad in ["", "-a", "A", "a_b", "a/b", "a.b", "ä", &"a".repeat(64)] {
            assert_eq!(Name::try_from(bad.to_owned()), Err(InvalidName), "{bad}");
        }
    }
}
