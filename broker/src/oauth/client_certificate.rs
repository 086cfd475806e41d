//! Mutual TLS (RFC 8705 §2): what a client's certificate proves.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use homerealm_certs::ClientCertificate;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;

use super::client_keys;
use crate::app::App;
use crate::catalog::Client;

#[cfg(test)]
mod tests;

/// The CAs whose certificates authenticate clients (RFC 8705 §2.1).
#[derive(Clone)]
pub struct ClientAuthorities(Arc<dyn ClientCertVerifier>);

impl ClientAuthorities {
    /// From a PEM file of CA certificates.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn load(path: &Path) -> Result<Self, String> {
        let certificates = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|e| e.to_string())?;
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            roots.add(certificate).map_err(|e| e.to_string())?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        verifier.build().map(Self).map_err(|e| e.to_string())
    }

    /// Whether the certificate is for clients, valid now, and chains to one of the CAs.
    pub fn vouch_for(&self, certificate: &ClientCertificate, now: DateTime<Utc>) -> bool {
        let Ok(seconds) = u64::try_from(now.timestamp()) else { return false };
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let intermediates: Vec<_> = certificate.intermediates().map(CertificateDer::from).collect();
        let leaf = CertificateDer::from(certificate.der());
        self.0.verify_client_cert(&leaf, &intermediates, now).is_ok()
    }

    /// Their names, for the handshake.
    pub fn names(&self) -> Vec<rustls::DistinguishedName> {
        self.0.root_hint_subjects().to_vec()
    }
}

/// `tls_client_auth`: a certificate of a trusted CA that carries the registered name. Without CAs nobody passes.
pub fn is_vouched_for(
    app: &App,
    client: &Client,
    certificate: &ClientCertificate,
    now: DateTime<Utc>,
) -> bool {
    let named = client.keys.tls.only().is_some_and(|name| certificate.has(&name));
    let authorities = app.client_authorities.as_ref();
    named && authorities.is_some_and(|authorities| authorities.vouch_for(certificate, now))
}

/// `self_signed_tls_client_auth`: exactly a certificate that the client published in its keys (RFC 8705 §2.2.2). No chain
/// and no date counts: what is withdrawn goes from the set.
pub async fn is_registered(
    app: &App,
    client: &Client,
    certificate: &ClientCertificate,
    now: DateTime<Utc>,
) -> bool {
    let Ok(keys) = client_keys::key_set(app, client, now).await else { return false };
    let is_there = |keys: &homerealm_certs::UpstreamKeySet| {
        keys.iter().any(|key| key.certificate.as_deref() == Some(certificate.der()))
    };
    if is_there(&keys) {
        return true;
    }
    match client_keys::client_url(client) {
        Some(url) => is_there(&*app.client_keys.newer_keys(&url, keys, now).await),
        None => false,
    }
}

impl fmt::Debug for ClientAuthorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientAuthorities({})", self.0.root_hint_subjects().len())
    }
}
