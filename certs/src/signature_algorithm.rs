//! The signature algorithms we know, and which key may verify which.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519,
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, VerificationAlgorithm,
};

/// What kind of public key it is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum KeyKind {
    Rsa { bits: u32 },
    P256,
    P384,
    Ed25519,
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA {bits}"),
            Self::P256 => f.write_str("P-256"),
            Self::P384 => f.write_str("P-384"),
            Self::Ed25519 => f.write_str("Ed25519"),
        }
    }
}

/// A signature algorithm. All are asymmetric; `none` and the HMACs have no value here.
///
/// PSS salts are as long as the hash (RFC 7518 §3.5). ECDSA signatures are r ‖ s of fixed width (RFC 7518 §3.4).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SignatureAlgorithm {
    /// For connections with a named SHA-1 exception only; the caller has to have checked that.
    RsaPkcs1Sha1,
    RsaPkcs1Sha256,
    RsaPkcs1Sha384,
    RsaPkcs1Sha512,
    RsaPssSha256,
    RsaPssSha384,
    RsaPssSha512,
    EcdsaP256Sha256,
    EcdsaP384Sha384,
    Ed25519,
}

impl SignatureAlgorithm {
    pub const ALL: [Self; 10] = [
        Self::RsaPkcs1Sha256,
        Self::RsaPkcs1Sha384,
        Self::RsaPkcs1Sha512,
        Self::RsaPssSha256,
        Self::RsaPssSha384,
        Self::RsaPssSha512,
        Self::EcdsaP256Sha256,
        Self::EcdsaP384Sha384,
        Self::Ed25519,
        Self::RsaPkcs1Sha1,
    ];

    /// Reads a JWS `alg` (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2). Names are case-sensitive.
    #[must_use]
    pub fn from_jws(alg: &str) -> Option<Self> {
        match alg {
            // the same algorithm under its fully specified name
            "Ed25519" => Some(Self::Ed25519),
            _ => Self::ALL.into_iter().find(|known| known.jws_name() == Some(alg)),
        }
    }

    /// The JWS `alg`; `None` for what JWS does not have.
    #[must_use]
    pub const fn jws_name(self) -> Option<&'static str> {
        match self {
            Self::RsaPkcs1Sha1 => None,
            Self::RsaPkcs1Sha256 => Some("RS256"),
            Self::RsaPkcs1Sha384 => Some("RS384"),
            Self::RsaPkcs1Sha512 => Some("RS512"),
            Self::RsaPssSha256 => Some("PS256"),
            Self::RsaPssSha384 => Some("PS384"),
            Self::RsaPssSha512 => Some("PS512"),
            Self::EcdsaP256Sha256 => Some("ES256"),
            Self::EcdsaP384Sha384 => Some("ES384"),
            Self::Ed25519 => Some("EdDSA"),
        }
    }

    /// Whether a key of this kind may verify with this algorithm (RFC 8725 §3.1).
    #[must_use]
    pub const fn fits(self, kind: KeyKind) -> bool {
        match self {
            Self::RsaPkcs1Sha1
            | Self::RsaPkcs1Sha256
            | Self::RsaPkcs1Sha384
            | Self::RsaPkcs1Sha512
            | Self::RsaPssSha256
            | Self::RsaPssSha384
            | Self::RsaPssSha512 => matches!(kind, KeyKind::Rsa { .. }),
            Self::EcdsaP256Sha256 => matches!(kind, KeyKind::P256),
            Self::EcdsaP384Sha384 => matches!(kind, KeyKind::P384),
            Self::Ed25519 => matches!(kind, KeyKind::Ed25519),
        }
    }

    pub(crate) fn verifier(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::RsaPkcs1Sha1 => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            Self::RsaPkcs1Sha256 => &RSA_PKCS1_2048_8192_SHA256,
            Self::RsaPkcs1Sha384 => &RSA_PKCS1_2048_8192_SHA384,
            Self::RsaPkcs1Sha512 => &RSA_PKCS1_2048_8192_SHA512,
            Self::RsaPssSha256 => &RSA_PSS_2048_8192_SHA256,
            Self::RsaPssSha384 => &RSA_PSS_2048_8192_SHA384,
            Self::RsaPssSha512 => &RSA_PSS_2048_8192_SHA512,
            Self::EcdsaP256Sha256 => &ECDSA_P256_SHA256_FIXED,
            Self::EcdsaP384Sha384 => &ECDSA_P384_SHA384_FIXED,
            Self::Ed25519 => &ED25519,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_algorithm_fits_one_kind_of_key() {
        use KeyKind::{Ed25519, P256, P384, Rsa};
        for algorithm in SignatureAlgorithm::ALL {
            let kinds = [Rsa { bits: 2048 }, P256, P384, Ed25519];
            assert_eq!(kinds.into_iter().filter(|kind| algorithm.fits(*kind)).count(), 1);
        }
    }

    #[test]
    fn jws_names_are_read_back() {
        for algorithm in SignatureAlgorithm::ALL {
            if let Some(name) = algorithm.jws_name() {
                assert_eq!(SignatureAlgorithm::from_jws(name), Some(algorithm));
            }
        }
        assert_eq!(SignatureAlgorithm::from_jws("Ed25519"), Some(SignatureAlgorithm::Ed25519));
    }

    #[test]
    fn names_of_what_we_do_not_verify_are_unknown() {
        for name in
            ["none", "None", "NONE", "HS256", "HS512", "ES512", "rs256", "RS256 ", "RS1", ""]
        {
            assert_eq!(SignatureAlgorithm::from_jws(name), None, "{name}");
        }
    }
}
