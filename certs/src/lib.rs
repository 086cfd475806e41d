#![doc = include_str!("../README.md")]

mod base64;
mod client_certificate;
mod distinguished_name;
mod error;
mod jwk;
mod jwks;
mod jws;
mod keyset;
mod possession;
mod random;
mod signature_algorithm;
mod signing_key;
mod sp_key;
mod strict_json;
mod trusted_keys;
mod verification_key;
mod x509;

pub use client_certificate::{CertificateName, ClientCertificate, InvalidCertificateName};
pub use distinguished_name::{DistinguishedName, InvalidDistinguishedName};
pub use error::{BadSignature, KeyError, SigningError};
pub use jwks::{JwksError, UpstreamKey, UpstreamKeySet, has_secret_members};
pub use jws::{JwsError, UnverifiedJws, VerifiedJws, sign_compact};
pub use keyset::{KeySet, KeySetError, KeyState};
pub use possession::{ProvenKey, prove_possession};
pub use random::{Random, SequenceRandom, SystemRandom};
pub use signature_algorithm::{KeyKind, SignatureAlgorithm};
pub use signing_key::{JwsAlgorithm, SigningKey, UnknownJwsAlgorithm};
pub use sp_key::{DecryptError, OaepHash, SpKey, SpKeyError};
pub use strict_json::{StrictJsonError, strict_json};
pub use trusted_keys::{NoTrustedKey, TrustedKeys};
pub use verification_key::VerificationKey;
pub use x509::{Certificate, CertificateError, CertificateSummary, sha256_hex};
