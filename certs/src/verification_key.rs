//! Public keys that were pinned in configuration or metadata and now verify signatures.

use std::fmt;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::signature::{ED25519_PUBLIC_KEY_LEN, ParsedPublicKey, RsaPublicKeyComponents};

use crate::{BadSignature, KeyError, KeyKind, SignatureAlgorithm, jwk};

mod spki;
#[cfg(test)]
mod tests;

/// A public key. It verifies with the algorithms that fit its kind and with no other.
///
/// Clones share one parsed key. Two keys are equal when they are the same public key.
#[derive(Clone)]
pub struct VerificationKey(Arc<Inner>);

struct Inner {
    kind: KeyKind,
    spki: Box<[u8]>,
    members: Members,
    /// aws-lc binds a parsed key to one algorithm; each is parsed at its first use, since a connection uses one.
    parsed: Vec<(SignatureAlgorithm, OnceLock<Box<ParsedPublicKey>>)>,
}

/// The key's numbers, big endian: as they are in a JWK, before base64url.
pub(crate) enum Members {
    Rsa { n: Box<[u8]>, e: Box<[u8]> },
    Ec { x: Box<[u8]>, y: Box<[u8]> },
    Ed25519 { x: Box<[u8]> },
}

impl VerificationKey {
    /// Reads a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), DER.
    ///
    /// Only the one canonical encoding of a key is taken: no compressed points, no trailing bytes.
    ///
    /// # Errors
    /// The key is unreadable, weak, or of an unsupported type.
    pub fn from_spki(der: &[u8]) -> Result<Self, KeyError> {
        let key = spki::read(der)?;
        if *key.0.spki == *der { Ok(key) } else { Err(KeyError::Malformed) }
    }

    /// An RSA key from modulus and exponent, big endian, as in a JWK (RFC 7518 §6.3.1) or a `ds:RSAKeyValue`.
    ///
    /// Leading zero octets are tolerated; some software writes them although neither format has them.
    ///
    /// # Errors
    /// The modulus has not 2048 to 8192 bits or is even, or the exponent is even, below 3, or 2³² or more.
    pub fn from_rsa_components(n: &[u8], e: &[u8]) -> Result<Self, KeyError> {
        let (n, e) = (without_leading_zeros(n), without_leading_zeros(e));
        let bits = rsa_bits(n)?;
        check_exponent(e)?;
        if n.last().is_none_or(|last| last % 2 == 0) {
            return Err(KeyError::Malformed);
        }
        let spki = RsaPublicKeyComponents { n, e }.as_der().map_err(|_| KeyError::Malformed)?;
        Self::new(KeyKind::Rsa { bits }, &spki, Members::Rsa { n: n.into(), e: e.into() })
    }

    /// A P-256 or P-384 key from its coordinates, big endian, each exactly as long as the field (RFC 7518 §6.2.1.2).
    ///
    /// # Errors
    /// The kind is no curve, a coordinate has the wrong length, or the point is not on the curve.
    pub fn from_ec_point(kind: KeyKind, x: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        let (algorithm, width) = match kind {
            KeyKind::P256 => (SignatureAlgorithm::EcdsaP256Sha256, 32),
            KeyKind::P384 => (SignatureAlgorithm::EcdsaP384Sha384, 48),
            KeyKind::Rsa { .. } | KeyKind::Ed25519 => {
                return Err(KeyError::Unsupported { what: format!("{kind} with a point") });
            }
        };
        if x.len() != width || y.len() != width {
            return Err(KeyError::Malformed);
        }
        let point = [&[UNCOMPRESSED], x, y].concat();
        let parsed =
            ParsedPublicKey::new(algorithm.verifier(), point).map_err(|_| KeyError::BadPoint)?;
        let spki = parsed.as_der().map_err(|_| KeyError::Malformed)?;
        Self::new(kind, &spki, Members::Ec { x: x.into(), y: y.into() })
    }

    /// An Ed25519 key from its 32 octets (RFC 8037 §2).
    ///
    /// # Errors
    /// There are not 32 octets.
    pub fn from_ed25519(x: &[u8]) -> Result<Self, KeyError> {
        if x.len() != ED25519_PUBLIC_KEY_LEN {
            return Err(KeyError::Malformed);
        }
        let parsed = ParsedPublicKey::new(SignatureAlgorithm::Ed25519.verifier(), x)
            .map_err(|_| KeyError::Malformed)?;
        let spki = parsed.as_der().map_err(|_| KeyError::Malformed)?;
        Self::new(KeyKind::Ed25519, &spki, Members::Ed25519 { x: x.into() })
    }

    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.0.kind
    }

    /// Its thumbprint as a JWK (RFC 7638 §3), base64url of 32 bytes.
    #[must_use]
    pub fn jwk_thumbprint(&self) -> String {
        jwk::thumbprint(self)
    }

    /// The SubjectPublicKeyInfo, canonical DER.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.0.spki
    }

    /// Verifies `signature` over `message`.
    ///
    /// # Errors
    /// The signature is wrong, or the algorithm does not fit this kind of key.
    pub fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), BadSignature> {
        let parsed = self.parsed(algorithm).ok_or(BadSignature)?;
        parsed.verify_sig(message, signature).map_err(|_| BadSignature)
    }

    pub(crate) fn members(&self) -> &Members {
        &self.0.members
    }

    fn new(kind: KeyKind, spki: &PublicKeyX509Der<'_>, members: Members) -> Result<Self, KeyError> {
        let fitting = SignatureAlgorithm::ALL.into_iter().filter(|algorithm| algorithm.fits(kind));
        let parsed = fitting.map(|algorithm| (algorithm, OnceLock::new())).collect();
        let key = Self(Arc::new(Inner { kind, spki: spki.as_ref().into(), members, parsed }));
        let usual = key.0.parsed.first().map(|(algorithm, _)| *algorithm);
        // aws-lc has the last word on the key now, not at the first login
        usual.and_then(|usual| key.parsed(usual)).ok_or(KeyError::Malformed)?;
        Ok(key)
    }

    fn parsed(&self, algorithm: SignatureAlgorithm) -> Option<&ParsedPublicKey> {
        let (_, slot) = self.0.parsed.iter().find(|(known, _)| *known == algorithm)?;
        if slot.get().is_none() {
            let parsed = ParsedPublicKey::new(algorithm.verifier(), &self.0.spki).ok()?;
            // when two threads parse at once, either result will do
            let _ = slot.set(Box::new(parsed));
        }
        slot.get().map(AsRef::as_ref)
    }
}

impl Eq for VerificationKey {}

impl PartialEq for VerificationKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.spki == other.0.spki
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerificationKey({})", self.0.kind)
    }
}

/// SEC 1 §2.3.3: the first octet of a point that has both coordinates.
const UNCOMPRESSED: u8 = 4;

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// NIST SP 800-131A for the lower bound; the upper one is about time: verification grows with the square.
fn rsa_bits(n: &[u8]) -> Result<u32, KeyError> {
    let unused = n.first().map_or(0, |first| first.leading_zeros());
    let bits = u32::try_from(n.len()).unwrap_or(u32::MAX).saturating_mul(8).saturating_sub(unused);
    match bits {
        ..2048 => Err(KeyError::TooSmall { bits }),
        2048..=8192 => Ok(bits),
        _ => Err(KeyError::TooLarge { bits }),
    }
}

/// Odd, 3 or more (with 1 a signature is the padded message itself), below 2³².
fn check_exponent(e: &[u8]) -> Result<(), KeyError> {
    let sensible = e.len() <= 4 && e != [1] && e.last().is_some_and(|last| last % 2 == 1);
    if sensible { Ok(()) } else { Err(KeyError::BadExponent) }
}
