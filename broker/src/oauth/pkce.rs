//! PKCE (RFC 7636): S256 only, for every client.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

/// What a client commits itself to at the start: the SHA-256 of its verifier, base64url (RFC 7636 §4.2).
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct CodeChallenge(String);

/// Not 32 bytes in base64url without padding.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the code challenge is not the base64url form of a SHA-256 hash")]
pub struct InvalidChallenge;

impl CodeChallenge {
    /// Whether `verifier` is the one that was committed to (RFC 7636 §4.6), in constant time. One that is not 43 to 128
    /// unreserved characters (§4.1) never is.
    pub fn is_answered_by(&self, verifier: &str) -> bool {
        let unreserved =
            |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
        let well_formed = (43..=128).contains(&verifier.len()) && verifier.bytes().all(unreserved);
        let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        well_formed && bool::from(hash.as_bytes().ct_eq(self.0.as_bytes()))
    }

    /// As it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CodeChallenge {
    type Error = InvalidChallenge;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match URL_SAFE_NO_PAD.decode(&text) {
            Ok(hash) if hash.len() == 32 => Ok(Self(text)),
            Ok(_) | Err(_) => Err(InvalidChallenge),
        }
    }
}

impl From<CodeChallenge> for String {
    fn from(challenge: CodeChallenge) -> Self {
        challenge.0
    }
}

impl fmt::Debug for CodeChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeChallenge(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn challenge(text: &str) -> Result<CodeChallenge, InvalidChallenge> {
        CodeChallenge::try_from(text.to_owned())
    }

    #[test]
    fn agrees_with_rfc_7636_appendix_b() {
        assert!(challenge(CHALLENGE).unwrap().is_answered_by(VERIFIER));
    }

    #[test]
    fn no_other_verifier_answers() {
        let challenge = challenge(CHALLENGE).unwrap();
        for wrong in
            ["", CHALLENGE, &VERIFIER[1..], &format!("{VERIFIER}="), &VERIFIER.to_uppercase()]
        {
            assert!(!challenge.is_answered_by(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_verifier_has_43_to_128_unreserved_characters() {
        let answers = |verifier: &str| {
            let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
            challenge(&hash).unwrap().is_answered_by(verifier)
        };
        assert!(answers(&"a".repeat(43)) && answers(&"~".repeat(128)));
        assert!(!answers(&"a".repeat(42)) && !answers(&"a".repeat(129)));
        assert!(
            !answers(&format!("{}ä", "a".repeat(43))) && !answers(&format!("{}+", "a".repeat(43)))
        );
    }

    #[test]
    fn refuses_what_is_not_a_hash() {
        for bad in [
            "",
            "plain",
            &CHALLENGE[1..],
            &format!("{CHALLENGE}A"),
            &format!("{CHALLENGE}="),
            &"+".repeat(43),
        ] {
            assert_eq!(challenge(bad), Err(InvalidChallenge), "{bad}");
        }
        // the last character carries two bits that no hash sets
        assert_eq!(challenge(&format!("{}N", &CHALLENGE[..42])), Err(InvalidChallenge));
    }
}
