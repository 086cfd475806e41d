//! The value of a refresh token: `fam_….SECRET.MARK`.
//!
//! The family's name is no secret: every access token's `jti` has it. The secret is 256 random bits. The mark is an HMAC over
//! both under a key of the family: it tells a token that was rotated long ago, whose hash is forgotten, from a made-up one.
//! The first revokes the family, and nobody can make the second do so.

use std::fmt;

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use homerealm_certs::Random;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use crate::ids;

/// A refresh token as it is presented; whether it is good is for its family to say.
#[derive(Clone, Eq, PartialEq)]
pub struct RefreshToken {
    text: String,
    /// Where the family's name ends.
    name: usize,
    /// Where the mark's dot stands.
    marked: usize,
}

/// The key of a family's marks, base64url.
#[derive(Clone, Deserialize, Serialize)]
#[serde(transparent)]
pub(super) struct Mark(String);

/// Longer than any of ours.
const LONGEST: usize = 200;

impl RefreshToken {
    /// A new one of a family.
    pub(super) fn new(family: &str, mark: &Mark, random: &dyn Random) -> Self {
        let unmarked = format!("{family}.{}", ids::secret(random));
        let text = format!("{unmarked}.{}", mark.of(&unmarked));
        Self { text, name: family.len(), marked: unmarked.len() }
    }

    /// Takes one apart; `None` where it has not the form of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.find('.')?;
        let marked = text.rfind('.').filter(|marked| *marked > name)?;
        let is_ours = text.starts_with("fam_") && text.len() <= LONGEST && text.is_ascii();
        is_ours.then(|| Self { text: text.to_owned(), name, marked })
    }

    /// The family that it names.
    pub fn family(&self) -> &str {
        self.text.get(..self.name).unwrap_or_default()
    }

    /// Its value.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How it is stored.
    pub(super) fn sha256(&self) -> String {
        ids::sha256_hex(&self.text)
    }
}

impl Mark {
    pub(super) fn new(random: &dyn Random) -> Self {
        Self(ids::secret(random))
    }

    pub(super) fn is_on(&self, token: &RefreshToken) -> bool {
        let (unmarked, mark) = token.text.split_at(token.marked);
        equal(&format!(".{}", self.of(unmarked)), mark)
    }

    fn of(&self, unmarked: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_bytes());
        URL_SAFE_NO_PAD.encode(hmac::sign(&key, unmarked.as_bytes()))
    }
}

/// In constant time.
pub(super) fn equal(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

/// Shows the family only.
impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RefreshToken({})", self.family())
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mark(…)")
    }
}

#[cfg(test)]
mod tests {
    use homerealm_certs::SystemRandom;

    use super::*;

    #[test]
    fn a_token_names_its_family_and_bears_its_mark() {
        let (mark, other) = (Mark::new(&SystemRandom), Mark::new(&SystemRandom));
        let token = RefreshToken::new("fam_1", &mark, &SystemRandom);

        let read = RefreshToken::parse(token.as_str()).unwrap();

        assert_eq!((read.family(), &read), ("fam_1", &token));
        assert!(mark.is_on(&read) && !other.is_on(&read));
        let (unmarked, _) = token.as_str().rsplit_once('.').unwrap();
        for forged in [
            format!("{}x.{}", unmarked, mark.of(unmarked)),
            format!("{unmarked}."),
            token.as_str().replace("fam_1", "fam_2"),
        ] {
            assert!(!mark.is_on(&RefreshToken::parse(&forged).unwrap()), "{forged}");
        }
    }

    #[test]
    fn what_has_not_our_form_is_not_read() {
        let long = format!("fam_1.{}.a", "a".repeat(LONGEST));
        for bad in ["", "fam_1", "fam_1.a", "x.a.b", "fam_1.ä.b", long.as_str()] {
            assert_eq!(RefreshToken::parse(bad), None, "{bad}");
        }
    }
}
