//! A JWS that carries the public key of its own signer (RFC 7515 §4.1.3): it proves that the sender holds that key, and
//! nothing about who the sender is. For proofs of possession only (RFC 9449 §4.2), never for identity.

use std::fmt;

use serde_json::Value;

use crate::base64::from_base64url;
use crate::jwks::{has_secret_members, read_key};
use crate::{
    JwsError, SignatureAlgorithm, UnverifiedJws, VerificationKey, VerifiedJws, strict_json,
};

#[cfg(test)]
mod tests;

/// A key whose holder signed the token.
pub struct ProvenKey {
    /// The key from the header.
    pub key: VerificationKey,
    /// What its holder said.
    pub token: VerifiedJws,
}

/// Verifies a token with the public key in its own header.
///
/// # Errors
/// As [`UnverifiedJws::parse`] and [`UnverifiedJws::verify`]; [`JwsError::Header`] where there is no public key that we
/// verify with in the header, or private members stand beside it.
pub fn prove_possession(
    token: &str,
    allowed: &[SignatureAlgorithm],
) -> Result<ProvenKey, JwsError> {
    let parsed = UnverifiedJws::parse(token)?;
    let key = embedded_key(token).ok_or(JwsError::Header)?;
    let token = parsed.verify(&key, allowed)?;
    Ok(ProvenKey { key, token })
}

fn embedded_key(token: &str) -> Option<VerificationKey> {
    let (header, _) = token.split_once('.')?;
    let header = strict_json(&from_base64url(header)?).ok()?;
    let jwk = header.get("jwk").and_then(Value::as_object)?;
    if has_secret_members(jwk) {
        return None;
    }
    read_key(jwk).ok()
}

/// The token may carry whatever its holder wrote.
impl fmt::Debug for ProvenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProvenKey({:?})", self.key)
    }
}
