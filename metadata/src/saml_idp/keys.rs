//! The keys of an IdP (SAML Metadata §2.4.1.1, XML Signature §4.5).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use homerealm_certs::{
    Certificate, CertificateError, CertificateSummary, KeyError, KeyKind, TrustedKeys,
    VerificationKey, sha256_hex,
};
use serde::Serialize;

use crate::MetadataRefusal;
use crate::refusal::cut;
use crate::xml_names::{DS, DSIG11, MD};
use crate::xml_tree::Element;

/// A certificate in the metadata, as people see it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct MetadataCertificate {
    /// SHA-256 of what the document holds in base64, in lower-case hexadecimal. That is the DER,
    /// and with it the fingerprint; where a product encodes PEM once more, a warning says so.
    pub sha256: String,
    /// Its subject.
    pub subject: String,
    /// When it ends. Pinned keys outlive their certificates, so this is for people.
    pub not_after: DateTime<Utc>,
    /// What the IdP says that the key is for.
    #[serde(rename = "use")]
    pub key_use: KeyUse,
    /// Why its key is not used at all, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropped: Option<String>,
}

/// What a key is for. A `KeyDescriptor` without `use` is for both.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyUse {
    /// To verify what the IdP signs.
    Signing,
    /// To encrypt what is sent to the IdP. It never verifies anything.
    Encryption,
    /// Either.
    Both,
}

impl KeyUse {
    fn read(descriptor: &Element) -> Option<Self> {
        match descriptor.attribute("use") {
            None => Some(Self::Both),
            Some("signing") => Some(Self::Signing),
            Some("encryption") => Some(Self::Encryption),
            Some(_) => None,
        }
    }

    const fn signs(self) -> bool {
        matches!(self, Self::Signing | Self::Both)
    }
}

/// What the key descriptors of an IdP come to.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) certificates: Vec<MetadataCertificate>,
    pub(super) signing_certificates: Vec<Certificate>,
    pub(super) trusted_keys: TrustedKeys,
    pub(super) warnings: Vec<String>,
}

/// IdPs have one to four, in the middle of several rollovers. A signature is tried with each, and whoever posts a response
/// makes us try.
const MAX_SIGNING_KEYS: usize = 32;

/// Reads all keys. Without a usable signing key nothing else matters.
pub(super) fn read(roles: &[&Element]) -> Result<Keys, MetadataRefusal> {
    let mut found = Found::default();
    for descriptor in roles.iter().flat_map(|role| role.children(MD, "KeyDescriptor")) {
        match (KeyUse::read(descriptor), descriptor.child(DS, "KeyInfo")) {
            (Some(key_use), Some(info)) => found.add(key_use, info),
            (None, _) => found.dropped.push("a key with an unknown `use` was dropped".to_owned()),
            (_, None) => {
                found.dropped.push("a key descriptor without `ds:KeyInfo` was dropped".to_owned())
            }
        }
    }
    if found.keys.len() > MAX_SIGNING_KEYS {
        let (count, limit) = (found.keys.len(), MAX_SIGNING_KEYS);
        return Err(MetadataRefusal::TooManyKeys { count, limit });
    }
    match TrustedKeys::try_from(found.keys) {
        Ok(trusted_keys) => Ok(Keys {
            certificates: found.certificates,
            signing_certificates: found.signing_certificates,
            trusted_keys,
            warnings: [found.dropped, found.warnings].concat(),
        }),
        Err(_) => Err(MetadataRefusal::NoSigningKey { dropped: found.dropped }),
    }
}

#[derive(Debug, Default)]
struct Found {
    certificates: Vec<MetadataCertificate>,
    signing_certificates: Vec<Certificate>,
    keys: Vec<VerificationKey>,
    /// Why keys are not used; warnings too where there are others.
    dropped: Vec<String>,
    warnings: Vec<String>,
}

impl Found {
    /// One `KeyInfo` speaks of one key. Certificates come first; the first in an `X509Data` is the
    /// IdP's own, what follows is its chain, which must not be trusted to sign assertions.
    fn add(&mut self, key_use: KeyUse, info: &Element) {
        let data = info.children(DS, "X509Data");
        let mut certificates = data.filter_map(|data| data.child(DS, "X509Certificate")).peekable();
        if certificates.peek().is_none() {
            return self.add_key_value(key_use, info.child(DS, "KeyValue"));
        }
        for certificate in certificates {
            let text = without_armour(certificate.text()).unwrap_or(certificate.text());
            match from_base64(text) {
                Some(content) => self.add_certificate(key_use, &content),
                None => self.drop_key(key_use, &CertificateError::Base64),
            }
        }
    }

    /// `content` is the certificate's DER, or its PEM, which some products encode once more.
    fn add_certificate(&mut self, key_use: KeyUse, content: &[u8]) {
        let unpacked = std::str::from_utf8(content).ok().and_then(without_armour);
        let der = match unpacked {
            Some(text) => from_base64(text).unwrap_or_default(),
            None => content.to_vec(),
        };
        let summary = match CertificateSummary::from_der(&der) {
            Ok(summary) => summary,
            Err(error) => return self.drop_key(key_use, &error),
        };
        let mut shown = MetadataCertificate {
            sha256: sha256_hex(content),
            subject: summary.subject,
            not_after: summary.not_after,
            key_use,
            dropped: None,
        };
        if unpacked.is_some() {
            self.warnings.push(format!(
                "the certificate {} is PEM in base64; its own fingerprint is {}",
                shown.sha256, summary.sha256_hex
            ));
        }
        match Certificate::from_der(&der) {
            Ok(certificate) => self.trust_certificate(key_use, certificate),
            Err(error) => {
                self.drop_key(key_use, &error);
                shown.dropped = Some(cut(&error.to_string()));
            }
        }
        self.show(shown);
    }

    fn show(&mut self, shown: MetadataCertificate) {
        match self.certificates.iter_mut().find(|known| known.sha256 == shown.sha256) {
            Some(known) if known.key_use != shown.key_use => known.key_use = KeyUse::Both,
            Some(_) => {}
            None => self.certificates.push(shown),
        }
    }

    fn trust_certificate(&mut self, key_use: KeyUse, certificate: Certificate) {
        if key_use.signs() {
            self.trust(certificate.key().clone());
            if !self.signing_certificates.contains(&certificate) {
                self.signing_certificates.push(certificate);
            }
        }
    }

    fn add_key_value(&mut self, key_use: KeyUse, value: Option<&Element>) {
        match value {
            None => self.drop_key(key_use, &NoKeyInside),
            Some(value) if key_use.signs() => match read_key_value(value) {
                Ok(key) => self.trust(key),
                Err(error) => self.drop_key(key_use, &error),
            },
            Some(_) => {}
        }
    }

    fn trust(&mut self, key: VerificationKey) {
        if !self.keys.iter().any(|known| known.spki_der() == key.spki_der()) {
            self.keys.push(key);
        }
    }

    fn drop_key(&mut self, key_use: KeyUse, error: &dyn std::error::Error) {
        self.dropped.push(format!("{} was dropped: {}", name(key_use), cut(&error.to_string())));
    }
}

#[derive(Debug, thiserror::Error)]
#[error("it has neither a certificate nor a key value")]
struct NoKeyInside;

const fn name(key_use: KeyUse) -> &'static str {
    match key_use {
        KeyUse::Signing => "a signing key",
        KeyUse::Encryption => "an encryption key",
        KeyUse::Both => "a key for signing and encryption",
    }
}

/// A bare key (XML Signature §4.5.2).
fn read_key_value(value: &Element) -> Result<VerificationKey, KeyError> {
    if let Some(rsa) = value.child(DS, "RSAKeyValue") {
        let number = |name| rsa.child(DS, name).and_then(|e| from_base64(e.text()));
        let modulus = number("Modulus").ok_or(KeyError::Malformed)?;
        let exponent = number("Exponent").ok_or(KeyError::Malformed)?;
        return VerificationKey::from_rsa_components(&modulus, &exponent);
    }
    match value.child(DSIG11, "ECKeyValue") {
        Some(ec) => read_ec_key_value(ec),
        None => Err(KeyError::Unsupported { what: "other than RSA and EC".to_owned() }),
    }
}

/// XML Signature §4.5.2.3: a named curve and the uncompressed point (SEC 1 §2.3.3).
fn read_ec_key_value(ec: &Element) -> Result<VerificationKey, KeyError> {
    let curve = ec.child(DSIG11, "NamedCurve").and_then(|curve| curve.attribute("URI"));
    let (kind, size) = match curve {
        Some("urn:oid:1.2.840.10045.3.1.7") => (KeyKind::P256, 32),
        Some("urn:oid:1.3.132.0.34") => (KeyKind::P384, 48),
        _ => {
            let what = format!("EC on {}", curve.unwrap_or("no named curve"));
            return Err(KeyError::Unsupported { what });
        }
    };
    let point = ec.child(DSIG11, "PublicKey").and_then(|point| from_base64(point.text()));
    match point.as_deref() {
        Some([4, coordinates @ ..]) if coordinates.len() == 2 * size => {
            let (x, y) = coordinates.split_at(size);
            VerificationKey::from_ec_point(kind, x, y)
        }
        _ => Err(KeyError::Malformed),
    }
}

/// `ds:CryptoBinary` and `xs:base64Binary`: white space anywhere.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    let packed: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    STANDARD.decode(packed).ok().filter(|bytes| !bytes.is_empty())
}

/// What stands between the lines of PEM (RFC 7468 §5.1), which some products leave in.
fn without_armour(text: &str) -> Option<&str> {
    let begun = text.trim().strip_prefix("-----BEGIN CERTIFICATE-----")?;
    begun.strip_suffix("-----END CERTIFICATE-----")
}
