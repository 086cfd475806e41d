//! A public key as a JWK (RFC 7517) and its thumbprint (RFC 7638).

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};

use crate::base64::to_base64url;
use crate::verification_key::Members;
use crate::{KeyKind, VerificationKey};

/// The members that a public key must have, no others (RFC 7638 §3.2), in the order of their names.
pub(crate) fn required_members(key: &VerificationKey) -> BTreeMap<&'static str, String> {
    match key.members() {
        Members::Rsa { n, e } => BTreeMap::from([
            ("kty", "RSA".to_owned()),
            ("n", to_base64url(n)),
            ("e", to_base64url(e)),
        ]),
        Members::Ec { x, y } => BTreeMap::from([
            ("kty", "EC".to_owned()),
            ("crv", if key.kind() == KeyKind::P384 { "P-384" } else { "P-256" }.to_owned()),
            ("x", to_base64url(x)),
            ("y", to_base64url(y)),
        ]),
        Members::Ed25519 { x } => BTreeMap::from([
            ("kty", "OKP".to_owned()),
            ("crv", "Ed25519".to_owned()),
            ("x", to_base64url(x)),
        ]),
    }
}

/// RFC 7638 §3: base64url of the SHA-256 over the required members, sorted, without white space.
pub(crate) fn thumbprint(key: &VerificationKey) -> String {
    let members: Vec<String> = required_members(key)
        .iter()
        .map(|(name, value)| format!("\"{name}\":\"{value}\""))
        .collect();
    let canonical = format!("{{{}}}", members.join(","));
    to_base64url(digest(&SHA256, canonical.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base64::from_base64url;

    const RFC_7638_N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

    #[test]
    fn the_thumbprint_of_rfc_7638_is_ours() {
        let n = from_base64url(RFC_7638_N).unwrap();
        let key = VerificationKey::from_rsa_components(&n, &[1, 0, 1]).unwrap();

        assert_eq!(thumbprint(&key), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn the_thumbprint_of_rfc_8037_is_ours() {
        let x = from_base64url("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        let key = VerificationKey::from_ed25519(&x).unwrap();

        assert_eq!(thumbprint(&key), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
