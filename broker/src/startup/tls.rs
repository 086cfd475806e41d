//! The certificate and key that we serve with.

mod any_certificate;

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{DistinguishedName, ServerConfig};

use self::any_certificate::AnyCertificate;
use super::error::StartupError;
use crate::config::TlsFiles;

/// TLS 1.2 and 1.3 with aws-lc, HTTP/1.1 only. Clients are asked for a certificate where `ask_for_client` says so, with the
/// names of the CAs that count, if any do.
///
/// # Errors
/// [`StartupError::Tls`] names the setting and the file: unreadable, empty, or key and certificate that do not fit.
pub fn load(
    files: &TlsFiles,
    ask_for_client: Option<Vec<DistinguishedName>>,
) -> Result<ServerConfig, StartupError> {
    let chain = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| refused("tls.cert", &files.cert, &e))?;
    if chain.is_empty() {
        return Err(refused("tls.cert", &files.cert, &"it holds no PEM certificate"));
    }
    let key =
        PrivateKeyDer::from_pem_file(&files.key).map_err(|e| refused("tls.key", &files.key, &e))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| refused("tls.cert", &files.cert, &e))?;
    let builder = match ask_for_client {
        Some(names) => {
            builder.with_client_cert_verifier(Arc::new(AnyCertificate::new(&provider, names)))
        }
        None => builder.with_no_client_auth(),
    };
    let mut config =
        builder.with_single_cert(chain, key).map_err(|e| refused("tls.key", &files.key, &e))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn refused(key: &'static str, path: &Path, reason: &dyn ToString) -> StartupError {
    StartupError::Tls { key, path: path.to_owned(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use homerealm_certs::SpKey;

    use super::*;

    fn reason(cert: &str, key: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let files =
            TlsFiles { cert: folder.path().join("c.pem"), key: folder.path().join("k.pem") };
        std::fs::write(&files.cert, cert).unwrap();
        std::fs::write(&files.key, key).unwrap();
        match load(&files, None) {
            Ok(_) => "ok".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    fn pair() -> (String, String) {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let now = chrono::DateTime::from_timestamp(1_900_000_000, 0).unwrap();
        let key = SpKey::generate("localhost", now, 30).unwrap();
        let pem = |label: &str, der: &[u8]| {
            format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
        };
        (pem("CERTIFICATE", key.certificate().der()), pem("PRIVATE KEY", &key.to_pkcs8()))
    }

    #[test]
    fn serves_with_a_pair_that_fits_and_names_the_file_otherwise() {
        let (cert, key) = pair();
        let (_, other) = pair();

        assert_eq!(reason(&cert, &key), "ok");
        assert!(reason("", &key).contains("tls.cert"));
        assert!(reason("-----BEGIN", &key).contains("c.pem"));
        assert!(reason(&cert, "").contains("tls.key"));
        assert!(reason(&cert, &other).contains("k.pem"));
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let files = TlsFiles { cert: "no/c.pem".into(), key: "no/k.pem".into() };
        assert!(load(&files, Some(Vec::new())).unwrap_err().to_string().contains("no/c.pem"));
    }
}
