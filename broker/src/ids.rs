//! Identifiers and machine-made secrets, from the random source that the caller hands in.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use homerealm_certs::Random;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// An identifier of a catalog object: `org_` + 26 characters, 130 random bits.
pub fn id(prefix: &str, random: &dyn Random) -> String {
    format!("{prefix}_{}", base32(26, random).to_ascii_lowercase())
}

/// A handle or secret of 256 random bits, base64url without padding (43 characters).
pub fn secret(random: &dyn Random) -> String {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The handle of a login transaction: 160 random bits as lower-case hexadecimal, so that `_` + handle is an XML name and
/// the handle fits RelayState's 80 bytes (SAML Core §1.3.4, Bindings §3.4.3).
pub fn transaction(random: &dyn Random) -> String {
    let mut bytes = [0; 20];
    random.fill(&mut bytes);
    hex::encode(bytes)
}

/// A reference that a person can read out: `K7Q-93F-2MX`, 45 random bits, Crockford's alphabet.
pub fn reference(random: &dyn Random) -> String {
    let text = base32(9, random);
    let (a, rest) = text.split_at(3);
    let (b, c) = rest.split_at(3);
    format!("{a}-{b}-{c}")
}

/// Hex SHA-256 of a machine-made secret: how it is stored.
pub fn sha256_hex(text: &str) -> String {
    hex::encode(digest(&SHA256, text.as_bytes()).as_ref())
}

fn base32(length: usize, random: &dyn Random) -> String {
    let mut bytes = vec![0; length];
    random.fill(&mut bytes);
    bytes.iter().filter_map(|b| ALPHABET.get(usize::from(b & 31))).map(|c| char::from(*c)).collect()
}

#[cfg(test)]
mod tests {
    use homerealm_certs::SystemRandom;

    use super::*;

    #[test]
    fn ids_have_their_shape() {
        assert_eq!(id("org", &SystemRandom).len(), 30);
        assert_eq!(secret(&SystemRandom).len(), 43);
        assert_eq!(transaction(&SystemRandom).len(), 40);
        let reference = reference(&SystemRandom);
        assert_eq!((reference.len(), reference.matches('-').count()), (11, 2));
    }
}
