//! What an access token is bound to: `cnf` (RFC 7800 §3.1).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

/// Whoever uses the token shows this as well. Written as JSON it is the claim `cnf`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Confirmation {
    /// Possession of the key with this thumbprint, by a DPoP proof (RFC 9449 §6.1).
    #[serde(rename = "jkt")]
    Key(String),
    /// The certificate with this SHA-256, in the TLS handshake (RFC 8705 §3.1).
    #[serde(rename = "x5t#S256")]
    Certificate(String),
}

impl Confirmation {
    /// `token_type` of a token that is bound like that (RFC 9449 §5; RFC 8705 leaves `Bearer`).
    pub const fn token_type(bound: Option<&Self>) -> &'static str {
        match bound {
            Some(Self::Key(_)) => "DPoP",
            Some(Self::Certificate(_)) | None => "Bearer",
        }
    }

    /// The thumbprint of the key, where it is one.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Key(thumbprint) => Some(thumbprint),
            Self::Certificate(_) => None,
        }
    }
}

/// 32 bytes in base64url without padding, as a SHA-256 thumbprint is written (RFC 7638 §3.1).
pub fn is_thumbprint(text: &str) -> bool {
    URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn written_as_json_it_is_the_claim() {
        for (bound, claim) in [
            (Confirmation::Key("a".to_owned()), json!({"jkt": "a"})),
            (Confirmation::Certificate("b".to_owned()), json!({"x5t#S256": "b"})),
        ] {
            assert_eq!(serde_json::to_value(&bound).unwrap(), claim);
            assert_eq!(serde_json::from_value::<Confirmation>(claim).unwrap(), bound);
        }
    }

    #[test]
    fn a_binding_that_we_do_not_know_is_not_read() {
        for unknown in [json!({}), json!({"kid": "x"}), json!({"jkt": "a", "x5t#S256": "b"})] {
            assert!(serde_json::from_value::<Confirmation>(unknown).is_err());
        }
    }
}
