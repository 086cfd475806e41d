//! Public keys and certificates of a client.

use std::fmt;

use homerealm_certs::{CertificateName, SignatureAlgorithm};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a client proves itself with beside secrets (RFC 7591 §2, OIDC Registration §2, RFC 8705 §2).
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct ClientKeys {
    /// Its JWK Set (RFC 7517 §5), public keys only.
    pub jwks: Option<Value>,
    /// Where its JWK Set is.
    pub jwks_uri: Option<String>,
    /// The only algorithm of its assertions; `None`: what fits the key.
    pub token_endpoint_auth_signing_alg: Option<ClientSigningAlgorithm>,
    /// The only algorithm of its request objects; `None`: what fits the key.
    pub request_object_signing_alg: Option<ClientSigningAlgorithm>,
    /// What its certificate must name.
    #[serde(flatten)]
    pub tls: TlsNames,
}

/// Names that a client's certificate must carry; one of them is set (RFC 8705 §2.1.2).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names of the specification")]
pub struct TlsNames {
    pub tls_client_auth_subject_dn: Option<String>,
    pub tls_client_auth_san_dns: Option<String>,
    pub tls_client_auth_san_uri: Option<String>,
    pub tls_client_auth_san_ip: Option<String>,
    pub tls_client_auth_san_email: Option<String>,
}

/// An algorithm that clients sign with: the asymmetric ones of JWS that we verify, SHA-1 and `none` never.
#[derive(Clone, Copy, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientSigningAlgorithm(SignatureAlgorithm);

/// Not one of [`ClientSigningAlgorithm::NAMES`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must be one of {}", ClientSigningAlgorithm::NAMES.join(", "))]
pub struct UnknownClientAlgorithm;

impl ClientSigningAlgorithm {
    /// All of them.
    pub const ALL: [SignatureAlgorithm; 9] = [
        SignatureAlgorithm::EcdsaP256Sha256,
        SignatureAlgorithm::EcdsaP384Sha384,
        SignatureAlgorithm::Ed25519,
        SignatureAlgorithm::RsaPssSha256,
        SignatureAlgorithm::RsaPssSha384,
        SignatureAlgorithm::RsaPssSha512,
        SignatureAlgorithm::RsaPkcs1Sha256,
        SignatureAlgorithm::RsaPkcs1Sha384,
        SignatureAlgorithm::RsaPkcs1Sha512,
    ];

    /// Their names, as discovery lists them.
    pub const NAMES: [&str; 9] =
        ["ES256", "ES384", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"];

    /// For verifying.
    pub const fn algorithm(self) -> SignatureAlgorithm {
        self.0
    }
}

impl TlsNames {
    /// The one name that the certificate must carry; `None` where none or several are set, or one cannot be read.
    pub fn only(&self) -> Option<CertificateName> {
        let subject = |text: &String| text.parse().map(CertificateName::Subject).ok();
        let mut set = [
            self.tls_client_auth_subject_dn.as_ref().map(subject),
            self.tls_client_auth_san_dns.as_ref().map(|text| Some(CertificateName::dns(text))),
            self.tls_client_auth_san_uri.clone().map(|text| Some(CertificateName::Uri(text))),
            self.tls_client_auth_san_ip.as_ref().map(|text| CertificateName::ip(text).ok()),
            self.tls_client_auth_san_email.clone().map(|text| Some(CertificateName::Email(text))),
        ]
        .into_iter()
        .flatten();
        match (set.next(), set.next()) {
            (Some(only), None) => only,
            (Some(_) | None, _) => None,
        }
    }
}

impl TryFrom<String> for ClientSigningAlgorithm {
    type Error = UnknownClientAlgorithm;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let known = SignatureAlgorithm::from_jws(&name).filter(|known| Self::ALL.contains(known));
        known.map(Self).ok_or(UnknownClientAlgorithm)
    }
}

impl From<ClientSigningAlgorithm> for String {
    fn from(algorithm: ClientSigningAlgorithm) -> Self {
        algorithm.0.jws_name().unwrap_or_default().to_owned()
    }
}

impl fmt::Debug for ClientSigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.jws_name().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_the_algorithms() {
        let names = ClientSigningAlgorithm::ALL.map(|known| known.jws_name().unwrap());
        assert_eq!(names, ClientSigningAlgorithm::NAMES);
        for bad in ["none", "HS256", "ES512", "RS1", "es256", ""] {
            assert!(ClientSigningAlgorithm::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_certificate_is_asked_for_exactly_one_name() {
        let dns = Some("app.example".to_owned());
        let one = TlsNames { tls_client_auth_san_dns: dns, ..TlsNames::default() };
        assert_eq!(one.only(), Some(CertificateName::dns("app.example")));
        assert_eq!(TlsNames::default().only(), None);
        let ip = Some("192.0.2.1".to_owned());
        let two = TlsNames { tls_client_auth_san_ip: ip, ..one };
        assert_eq!(two.only(), None);
        let broken = Some("192.0.2".to_owned());
        assert_eq!(TlsNames { tls_client_auth_san_ip: broken, ..TlsNames::default() }.only(), None);
    }
}
