//! The certificate that a client showed in its TLS handshake (RFC 8705).

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use x509_parser::extensions::GeneralName;

use crate::base64::to_base64url;
use crate::distinguished_name::DistinguishedName;
use crate::{CertificateError, x509};

#[cfg(test)]
mod tests;

/// A certificate whose holder opened the connection. What it says is proven by a chain or a pin only; the caller asks.
#[derive(Clone, Eq, PartialEq)]
pub struct ClientCertificate(Arc<Inner>);

#[derive(Eq, PartialEq)]
struct Inner {
    der: Box<[u8]>,
    intermediates: Vec<Box<[u8]>>,
    thumbprint: String,
    subject: Option<DistinguishedName>,
    alternatives: Vec<CertificateName>,
}

/// A name that a certificate may carry (RFC 8705 §2.1.2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CertificateName {
    Subject(DistinguishedName),
    Dns(String),
    Uri(String),
    Ip(IpAddr),
    Email(String),
}

/// The text is no name of that kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("is not a name of this kind")]
pub struct InvalidCertificateName;

impl ClientCertificate {
    /// Reads a certificate, DER, and what else was sent to chain it.
    ///
    /// # Errors
    /// The DER is unreadable or has bytes behind it.
    pub fn from_der(der: &[u8], intermediates: &[&[u8]]) -> Result<Self, CertificateError> {
        let parsed = x509::read(der)?;
        // two extensions of one kind, or one that cannot be read: then it names nobody
        let names = parsed.subject_alternative_name().ok().flatten();
        let names = names.map(|names| names.value.general_names.as_slice()).unwrap_or_default();
        Ok(Self(Arc::new(Inner {
            der: der.into(),
            intermediates: intermediates.iter().map(|der| Box::from(*der)).collect(),
            thumbprint: to_base64url(digest(&SHA256, der).as_ref()),
            subject: DistinguishedName::of_certificate(parsed.subject()),
            alternatives: names.iter().filter_map(alternative).collect(),
        })))
    }

    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// What the client sent to reach its CA, without the certificate itself.
    pub fn intermediates(&self) -> impl Iterator<Item = &[u8]> {
        self.0.intermediates.iter().map(AsRef::as_ref)
    }

    /// `x5t#S256` (RFC 8705 §3.1): base64url of the SHA-256 of the DER.
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.0.thumbprint
    }

    /// Whether the certificate carries this name.
    #[must_use]
    pub fn has(&self, name: &CertificateName) -> bool {
        match name {
            CertificateName::Subject(expected) => self.0.subject.as_ref() == Some(expected),
            CertificateName::Dns(_)
            | CertificateName::Uri(_)
            | CertificateName::Ip(_)
            | CertificateName::Email(_) => self.0.alternatives.contains(name),
        }
    }
}

impl CertificateName {
    /// A DNS name; compared without regard to case, never by wildcard.
    #[must_use]
    pub fn dns(text: &str) -> Self {
        Self::Dns(text.to_ascii_lowercase())
    }

    /// An IP address (RFC 8705 §2.1.2).
    ///
    /// # Errors
    /// It is none.
    pub fn ip(text: &str) -> Result<Self, InvalidCertificateName> {
        text.parse().map(Self::Ip).map_err(|_| InvalidCertificateName)
    }
}

fn alternative(name: &GeneralName<'_>) -> Option<CertificateName> {
    if let GeneralName::DNSName(text) = name {
        return Some(CertificateName::dns(text));
    }
    if let GeneralName::URI(text) = name {
        return Some(CertificateName::Uri((*text).to_owned()));
    }
    if let GeneralName::RFC822Name(text) = name {
        return Some(CertificateName::Email((*text).to_owned()));
    }
    let GeneralName::IPAddress(bytes) = name else { return None };
    let four = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
    let address = four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
    address.ok().map(CertificateName::Ip)
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientCertificate({})", self.0.thumbprint)
    }
}
