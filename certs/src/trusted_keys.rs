//! The keys of one connection.

use crate::{BadSignature, SignatureAlgorithm, VerificationKey};

/// The keys that a connection trusts, in the order in which they were given. There is always at least one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TrustedKeys(Vec<VerificationKey>);

/// A connection without a key would trust nobody, or, with one mistake more, everybody.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("there is no trusted key")]
pub struct NoTrustedKey;

impl TrustedKeys {
    pub fn iter(&self) -> impl Iterator<Item = &VerificationKey> {
        self.0.iter()
    }

    /// Verifies with the keys of the kind that the algorithm needs; one has to match.
    ///
    /// # Errors
    /// No key verifies the signature.
    pub fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), BadSignature> {
        let mut fitting = self.0.iter().filter(|key| algorithm.fits(key.kind()));
        let verified = fitting.any(|key| key.verify(algorithm, message, signature).is_ok());
        if verified { Ok(()) } else { Err(BadSignature) }
    }
}

impl TryFrom<Vec<VerificationKey>> for TrustedKeys {
    type Error = NoTrustedKey;

    fn try_from(keys: Vec<VerificationKey>) -> Result<Self, Self::Error> {
        if keys.is_empty() { Err(NoTrustedKey) } else { Ok(Self(keys)) }
    }
}
