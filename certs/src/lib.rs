#![doc = include_str!("../README.md")]

mod base64;
mod error;
mod jwk;
mod jwks;
mod jws;
mod keyset;
mod random;
mod signature_algorithm;
mod signing_key;
mod sp_key;
mod strict_json;
mod trusted_keys;
mod verification_key;
mod x509;

pub use error::{BadSignature, KeyError, SigningError};
pub use jwks::{JwksError, UpstreamKey, UpstreamKeySet};
pub use jws::{JwsError, UnverifiedJws, VerifiedJws, sign_compact};
pub use keyset::{KeySet, KeySetError, KeyState};
pub use random::{Random, SequenceRandom, SystemRandom};
pub use signature_algorithm::{KeyKind, SignatureAlgorithm};
pub use signing_key::{JwsAlgorithm, SigningKey, UnknownJwsAlgorithm};
pub use sp_key::{DecryptError, OaepHash, SpKey, SpKeyError};
pub use strict_json::{StrictJsonError, strict_json};
pub use trusted_keys::{NoTrustedKey, TrustedKeys};
pub use verification_key::VerificationKey;
pub use x509::{Certificate, CertificateError, CertificateSummary, sha256_hex};
