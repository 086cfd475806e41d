//! X.509 certificates as IdPs publish them: containers of a key, pinned and not validated.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use crate::base64::from_spaced_base64;
use crate::{KeyError, VerificationKey};

#[cfg(test)]
mod tests;

/// A certificate that could be read and holds a key that we use. Equal when byte for byte the same.
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    der: Box<[u8]>,
    sha256_hex: String,
    subject: String,
    not_before: DateTime<Utc>,
    not_after: DateTime<Utc>,
    key: VerificationKey,
}

/// Why a certificate is not usable.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CertificateError {
    /// The text is not base64, or PEM with another label or more than one certificate.
    #[error("the certificate is not base64")]
    Base64,
    #[error("the certificate's key is not usable: {0}")]
    Key(#[source] KeyError),
    /// There are bytes behind the certificate.
    #[error("there are bytes behind the certificate")]
    TrailingBytes,
    #[error("the certificate cannot be read")]
    Unreadable,
}

impl Certificate {
    /// Reads one certificate. Its signature, chain and dates decide nothing.
    ///
    /// # Errors
    /// The DER is unreadable or has trailing bytes, or the key is weak or unsupported.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let parsed = read(der)?;
        let key =
            VerificationKey::from_spki(parsed.public_key().raw).map_err(CertificateError::Key)?;
        let validity = parsed.validity();
        Ok(Self(Arc::new(Inner {
            der: der.into(),
            sha256_hex: sha256_hex(der),
            subject: parsed.subject().to_string(),
            not_before: date_time(validity.not_before)?,
            not_after: date_time(validity.not_after)?,
            key,
        })))
    }

    /// Reads a `ds:X509Certificate`: base64 with white space anywhere. PEM armour is tolerated, administrators paste it.
    ///
    /// # Errors
    /// The text is not base64 of one certificate, or [`Certificate::from_der`] refuses it.
    pub fn from_base64(text: &str) -> Result<Self, CertificateError> {
        let body = without_armour(text.trim_ascii());
        let der = from_spaced_base64(body).ok_or(CertificateError::Base64)?;
        Self::from_der(&der)
    }

    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// SHA-256 of the DER, lower-case hex: the fingerprint that people compare.
    #[must_use]
    pub fn sha256_hex(&self) -> &str {
        &self.0.sha256_hex
    }

    /// The subject's name for people. Nothing may depend on it: whoever made the certificate chose it.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    #[must_use]
    pub fn not_before(&self) -> DateTime<Utc> {
        self.0.not_before
    }

    #[must_use]
    pub fn not_after(&self) -> DateTime<Utc> {
        self.0.not_after
    }

    #[must_use]
    pub fn key(&self) -> &VerificationKey {
        &self.0.key
    }
}

impl Eq for Certificate {}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, {})", self.0.sha256_hex, self.0.key.kind())
    }
}

/// What a certificate says, whether or not its key is usable: for people, and no way to a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CertificateSummary {
    /// SHA-256 of the DER, lower-case hex.
    pub sha256_hex: String,
    /// The subject's name for people.
    pub subject: String,
    /// When it ends.
    pub not_after: DateTime<Utc>,
}

impl CertificateSummary {
    /// Reads what [`Certificate::from_der`] reads, but the key.
    ///
    /// # Errors
    /// The DER is unreadable or has trailing bytes.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let parsed = read(der)?;
        Ok(Self {
            sha256_hex: sha256_hex(der),
            subject: parsed.subject().to_string(),
            not_after: date_time(parsed.validity().not_after)?,
        })
    }
}

/// The fingerprint of a certificate as people compare it: SHA-256, lower-case hex.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}

/// Whether a certificate holds exactly this key.
pub(crate) fn is_for_key(der: &[u8], key: &VerificationKey) -> bool {
    read(der).is_ok_and(|parsed| parsed.public_key().raw == key.spki_der())
}

pub(crate) fn read(der: &[u8]) -> Result<X509Certificate<'_>, CertificateError> {
    let (rest, parsed) =
        X509Certificate::from_der(der).map_err(|_| CertificateError::Unreadable)?;
    if rest.is_empty() { Ok(parsed) } else { Err(CertificateError::TrailingBytes) }
}

/// RFC 7468 §5. Without a pair of these lines, the text stays as it is and base64 has the last word.
fn without_armour(text: &str) -> &str {
    text.strip_prefix("-----BEGIN CERTIFICATE-----")
        .and_then(|rest| rest.strip_suffix("-----END CERTIFICATE-----"))
        .unwrap_or(text)
}

fn date_time(time: ASN1Time) -> Result<DateTime<Utc>, CertificateError> {
    DateTime::from_timestamp(time.timestamp(), 0).ok_or(CertificateError::Unreadable)
}
