//! A connection's own RSA key: as SAML service provider we sign requests and decrypt assertions with it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
    OaepAlgorithm, OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use aws_lc_rs::signature::{KeyPair, RsaKeyPair};
use chrono::{DateTime, Utc};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyUsagePurpose, PublicKeyData};
use zeroize::Zeroizing;

use crate::signing_key::{new_rsa_pkcs8, sign_rsa_sha256};
use crate::{Certificate, CertificateError, SigningError, VerificationKey};

#[cfg(test)]
mod tests;

/// An RSA key with its self-signed certificate, parsed once; clones share it.
#[derive(Clone)]
pub struct SpKey(Arc<Inner>);

struct Inner {
    pair: RsaKeyPair,
    decrypting: OaepPrivateDecryptingKey,
    pkcs8: Zeroizing<Vec<u8>>,
    certificate: Certificate,
}

/// Why there is no such key.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SpKeyError {
    #[error("the certificate is refused: {0}")]
    Certificate(#[from] CertificateError),
    #[error("a common name has 1 to 64 characters and no control characters")]
    CommonName,
    #[error("a new key or its certificate could not be made")]
    Generation,
    #[error("the certificate belongs to another key")]
    KeyMismatch,
    #[error("a certificate lives from 1 to 36500 days, within the years 1970 to 9999")]
    Lifetime,
    #[error("the private key cannot be read")]
    PrivateKey,
}

/// The hash of RSA-OAEP, for the digest and for MGF1 alike.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum OaepHash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// A ciphertext that does not decrypt. It does not say why: the difference would be an oracle.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the key does not decrypt this")]
pub struct DecryptError;

impl SpKey {
    /// A new key of 2048 bits with a self-signed certificate.
    ///
    /// The certificate is valid from an hour before `now`, since clocks of IdPs are late, until `lifetime_days` after.
    ///
    /// # Errors
    /// The name or the lifetime cannot stand in a certificate, or the generator failed.
    pub fn generate(
        common_name: &str,
        now: DateTime<Utc>,
        lifetime_days: i64,
    ) -> Result<Self, SpKeyError> {
        let params = certificate_params(common_name, now, lifetime_days)?;
        let pkcs8 = new_rsa_pkcs8().map_err(|_| SpKeyError::Generation)?;
        let pair = RsaKeyPair::from_pkcs8(&pkcs8).map_err(|_| SpKeyError::Generation)?;
        let certificate =
            params.self_signed(&CertificateSigner(&pair)).map_err(|_| SpKeyError::Generation)?;
        Self::from_parts(&pkcs8, certificate.der())
    }

    /// Reads a stored key: PKCS#8 and certificate, both DER.
    ///
    /// # Errors
    /// One of them is unreadable, or they do not belong together.
    pub fn from_parts(pkcs8: &[u8], certificate_der: &[u8]) -> Result<Self, SpKeyError> {
        let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| SpKeyError::PrivateKey)?;
        let decrypting =
            PrivateDecryptingKey::from_pkcs8(pkcs8).map_err(|_| SpKeyError::PrivateKey).and_then(
                |key| OaepPrivateDecryptingKey::new(key).map_err(|_| SpKeyError::PrivateKey),
            )?;
        let certificate = Certificate::from_der(certificate_der)?;
        let spki: PublicKeyX509Der<'_> =
            pair.public_key().as_der().map_err(|_| SpKeyError::PrivateKey)?;
        if spki.as_ref() != certificate.key().spki_der() {
            return Err(SpKeyError::KeyMismatch);
        }
        let pkcs8 = Zeroizing::new(pkcs8.to_vec());
        Ok(Self(Arc::new(Inner { pair, decrypting, pkcs8, certificate })))
    }

    /// The private key as PKCS#8 DER, to be sealed and stored.
    #[must_use]
    pub fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        self.0.pkcs8.clone()
    }

    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.0.certificate
    }

    /// Verifies what this key signed.
    #[must_use]
    pub fn verification_key(&self) -> &VerificationKey {
        self.0.certificate.key()
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256: `http://www.w3.org/2001/04/xmldsig-more#rsa-sha256`.
    ///
    /// # Errors
    /// aws-lc refused, which no message causes.
    pub fn sign_rsa_sha256(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        sign_rsa_sha256(&self.0.pair, message).map_err(|_| SigningError::Key)
    }

    /// Decrypts RSA-OAEP (RFC 8017 §7.1.2) with the empty label; digest and MGF1 have the same hash.
    ///
    /// # Errors
    /// The ciphertext is not exactly as long as the modulus, or does not decrypt.
    pub fn decrypt_oaep(
        &self,
        hash: OaepHash,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
        let key = &self.0.decrypting;
        if ciphertext.len() != key.key_size_bytes() {
            return Err(DecryptError);
        }
        let mut room = Zeroizing::new(vec![0; key.min_output_size()]);
        let plaintext =
            key.decrypt(hash.algorithm(), ciphertext, &mut room, None).map_err(|_| DecryptError)?;
        Ok(Zeroizing::new(plaintext.to_vec()))
    }
}

impl fmt::Debug for SpKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpKey({:?})", self.0.certificate)
    }
}

impl OaepHash {
    fn algorithm(self) -> &'static OaepAlgorithm {
        match self {
            Self::Sha1 => &OAEP_SHA1_MGF1SHA1,
            Self::Sha256 => &OAEP_SHA256_MGF1SHA256,
            Self::Sha384 => &OAEP_SHA384_MGF1SHA384,
            Self::Sha512 => &OAEP_SHA512_MGF1SHA512,
        }
    }
}

fn certificate_params(
    common_name: &str,
    now: DateTime<Utc>,
    lifetime_days: i64,
) -> Result<CertificateParams, SpKeyError> {
    let length = common_name.chars().count();
    // X.520 sets the 64
    if !(1..=64).contains(&length) || common_name.chars().any(char::is_control) {
        return Err(SpKeyError::CommonName);
    }
    if !(1..=36_500).contains(&lifetime_days) {
        return Err(SpKeyError::Lifetime);
    }
    let now = now.timestamp();
    let mut params = CertificateParams::default();
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + since_epoch(now - 3600)?;
    params.not_after = epoch + since_epoch(now + lifetime_days * 86_400)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    Ok(params)
}

/// The last second that X.509 can write (RFC 5280 §4.1.2.5): the end of the year 9999.
const END_OF_TIME: u64 = 253_402_300_799;

fn since_epoch(timestamp: i64) -> Result<Duration, SpKeyError> {
    let seconds = u64::try_from(timestamp).map_err(|_| SpKeyError::Lifetime)?;
    if seconds <= END_OF_TIME {
        Ok(Duration::from_secs(seconds))
    } else {
        Err(SpKeyError::Lifetime)
    }
}

/// Lets rcgen sign with the key that aws-lc has parsed already.
struct CertificateSigner<'a>(&'a RsaKeyPair);

impl PublicKeyData for CertificateSigner<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

impl rcgen::SigningKey for CertificateSigner<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        sign_rsa_sha256(self.0, message).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}
