//! Errors that several modules share.

/// Why a key is not usable.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyError {
    #[error("the RSA exponent must be odd and from 3 to below 2^32")]
    BadExponent,
    #[error("the point is not on the curve")]
    BadPoint,
    #[error("a new key could not be made")]
    Generation,
    #[error("the key cannot be read")]
    Malformed,
    #[error("an RSA key of {bits} bits is too large, at most 8192 are read")]
    TooLarge { bits: u32 },
    #[error("an RSA key of {bits} bits is too small, 2048 are required")]
    TooSmall { bits: u32 },
    #[error("keys of type {what} are not supported")]
    Unsupported { what: String },
}

/// A signature that does not verify. It does not say why: nobody but an attacker would use the difference.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

/// Why something could not be signed. Neither happens with input that our own code makes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SigningError {
    #[error("the claims cannot be written as JSON")]
    Claims,
    #[error("the key could not sign")]
    Key,
}
