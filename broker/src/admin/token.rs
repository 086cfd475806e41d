//! Tokens that we give out once and keep as their SHA-256: how they are made, found and compared.

use homerealm_certs::Random;
use subtle::ConstantTimeEq as _;

use crate::ids;

/// Separates a token's id from its secret; neither holds it.
const SEPARATOR: char = '.';

/// A new token for the object with this id, and what is kept of it: the hex SHA-256.
pub(super) fn issue(id: &str, random: &dyn Random) -> (String, String) {
    let token = format!("{id}{SEPARATOR}{}", ids::secret(random));
    let kept = ids::sha256_hex(&token);
    (token, kept)
}

/// The id that a presented token claims to be of.
pub(super) fn id_of(presented: &str) -> &str {
    presented.split(SEPARATOR).next().unwrap_or_default()
}

/// Compares a token with what is kept of one, in constant time.
pub(super) fn is_of(presented: &str, kept_sha256: Option<&str>) -> bool {
    let hash = ids::sha256_hex(presented);
    kept_sha256.is_some_and(|kept| hash.as_bytes().ct_eq(kept.as_bytes()).into())
}
