//! The keys that we sign tokens with.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{KeyError, SignatureAlgorithm, SigningError, VerificationKey, jwk};

#[cfg(test)]
mod tests;

/// The algorithms that we sign tokens with. ES256 is the cheap one everybody reads; an RS256 signature takes some twenty times as long.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum JwsAlgorithm {
    #[serde(rename = "ES256")]
    Es256,
    #[serde(rename = "RS256")]
    Rs256,
    #[serde(rename = "EdDSA")]
    EdDsa,
}

/// Not one of the names `ES256`, `RS256`, `EdDSA`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the signing algorithm must be ES256, RS256 or EdDSA")]
pub struct UnknownJwsAlgorithm;

impl JwsAlgorithm {
    pub const ALL: [Self; 3] = [Self::Es256, Self::Rs256, Self::EdDsa];

    /// The `alg` (RFC 7518 §3.1, RFC 8037 §3.1).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// What verifies it.
    #[must_use]
    pub const fn signature_algorithm(self) -> SignatureAlgorithm {
        match self {
            Self::Es256 => SignatureAlgorithm::EcdsaP256Sha256,
            Self::Rs256 => SignatureAlgorithm::RsaPkcs1Sha256,
            Self::EdDsa => SignatureAlgorithm::Ed25519,
        }
    }
}

impl fmt::Display for JwsAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for JwsAlgorithm {
    type Err = UnknownJwsAlgorithm;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|known| known.as_str() == name).ok_or(UnknownJwsAlgorithm)
    }
}

/// A private signing key, parsed once; clones share it.
#[derive(Clone)]
pub struct SigningKey(Arc<Inner>);

struct Inner {
    algorithm: JwsAlgorithm,
    pair: Pair,
    pkcs8: Zeroizing<Vec<u8>>,
    public: VerificationKey,
    kid: String,
    public_jwk: Value,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// A new key; RSA gets 2048 bits.
    ///
    /// # Errors
    /// The generator failed.
    pub fn generate(algorithm: JwsAlgorithm) -> Result<Self, KeyError> {
        let pkcs8 = new_pkcs8(algorithm).map_err(|_| KeyError::Generation)?;
        Self::from_pkcs8(algorithm, &pkcs8)
    }

    /// Reads an unencrypted PKCS#8 private key (RFC 5958), DER.
    ///
    /// # Errors
    /// The key is unreadable, of another type than the algorithm needs, or an RSA key of unfit size or exponent.
    pub fn from_pkcs8(algorithm: JwsAlgorithm, der: &[u8]) -> Result<Self, KeyError> {
        let pair = Pair::read(algorithm, der)?;
        let spki = pair.public_key().map_err(|_| KeyError::Malformed)?;
        let public = VerificationKey::from_spki(spki.as_ref())?;
        let kid = jwk::thumbprint(&public);
        let public_jwk = public_jwk(&public, algorithm, &kid);
        let pkcs8 = Zeroizing::new(der.to_vec());
        Ok(Self(Arc::new(Inner { algorithm, pair, pkcs8, public, kid, public_jwk })))
    }

    /// The private key as PKCS#8 DER, to be sealed and stored.
    #[must_use]
    pub fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        self.0.pkcs8.clone()
    }

    #[must_use]
    pub fn algorithm(&self) -> JwsAlgorithm {
        self.0.algorithm
    }

    /// The RFC 7638 thumbprint of the public key.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.0.kid
    }

    /// The public key with `kid`, `use` and `alg` (RFC 7517 §4).
    #[must_use]
    pub fn public_jwk(&self) -> &Value {
        &self.0.public_jwk
    }

    /// Verifies what this key signed.
    #[must_use]
    pub fn verification_key(&self) -> &VerificationKey {
        &self.0.public
    }

    /// Signs `message`: r ‖ s for ES256, as JWS has it (RFC 7518 §3.4).
    ///
    /// # Errors
    /// aws-lc refused, which no message causes.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        self.0.pair.sign(message).map_err(|_| SigningError::Key)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, {})", self.0.algorithm, self.0.kid)
    }
}

impl Pair {
    fn read(algorithm: JwsAlgorithm, der: &[u8]) -> Result<Self, KeyError> {
        match algorithm {
            JwsAlgorithm::Es256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map(Self::Ecdsa)
            }
            JwsAlgorithm::Rs256 => RsaKeyPair::from_pkcs8(der).map(Self::Rsa),
            JwsAlgorithm::EdDsa => Ed25519KeyPair::from_pkcs8(der).map(Self::Ed25519),
        }
        .map_err(|_| KeyError::Malformed)
    }

    fn public_key(&self) -> Result<PublicKeyX509Der<'static>, Unspecified> {
        match self {
            Self::Ecdsa(pair) => pair.public_key().as_der(),
            Self::Rsa(pair) => pair.public_key().as_der(),
            Self::Ed25519(pair) => pair.public_key().as_der(),
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        match self {
            Self::Ecdsa(pair) => Ok(pair.sign(&SystemRandom::new(), message)?.as_ref().to_vec()),
            Self::Rsa(pair) => sign_rsa_sha256(pair, message),
            Self::Ed25519(pair) => Ok(pair.try_sign(message)?.as_ref().to_vec()),
        }
    }
}

/// RSASSA-PKCS1-v1_5 with SHA-256.
pub(crate) fn sign_rsa_sha256(pair: &RsaKeyPair, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)?;
    Ok(signature)
}

fn new_pkcs8(algorithm: JwsAlgorithm) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
    match algorithm {
        JwsAlgorithm::Es256 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
            Ok(Zeroizing::new(pair.to_pkcs8v1()?.as_ref().to_vec()))
        }
        JwsAlgorithm::Rs256 => new_rsa_pkcs8(),
        JwsAlgorithm::EdDsa => {
            let pair = Ed25519KeyPair::generate()?;
            Ok(Zeroizing::new(pair.to_pkcs8v1()?.as_ref().to_vec()))
        }
    }
}

/// A new RSA key of 2048 bits.
pub(crate) fn new_rsa_pkcs8() -> Result<Zeroizing<Vec<u8>>, Unspecified> {
    let der: Pkcs8V1Der<'_> = RsaKeyPair::generate(KeySize::Rsa2048)?.as_der()?;
    Ok(Zeroizing::new(der.as_ref().to_vec()))
}

fn public_jwk(key: &VerificationKey, algorithm: JwsAlgorithm, kid: &str) -> Value {
    let mut members = jwk::required_members(key);
    members.insert("kid", kid.to_owned());
    members.insert("use", "sig".to_owned());
    members.insert("alg", algorithm.to_string());
    members.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect()
}
