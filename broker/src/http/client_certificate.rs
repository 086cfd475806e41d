//! The certificate that a client showed (RFC 8705): in our own TLS, or as a trusted proxy tells it (RULES 36).

use std::any::Any;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::HttpRequest;
use actix_web::dev::Extensions;
use actix_web::http::header::HeaderMap;
use actix_web::rt::net::TcpStream;
use homerealm_certs::ClientCertificate;
use percent_encoding::percent_decode_str;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::config::ClientCertificates;

/// The certificate of this request's client, if there is one.
///
/// From a proxy that is trusted with it, only its header counts: the proxy's own certificate is not its clients'. From
/// everybody else the header says nothing.
pub fn of(request: &HttpRequest, settings: &ClientCertificates) -> Option<ClientCertificate> {
    let peer = request.peer_addr()?.ip().to_canonical();
    if settings.proxies.iter().any(|proxy| proxy.contains(&peer)) {
        return told(request.headers(), settings.header.as_deref()?);
    }
    request.conn_data::<ClientCertificate>().cloned()
}

/// Keeps what the client showed in the handshake, for every request on the connection.
pub(super) fn keep(connection: &dyn Any, kept: &mut Extensions) {
    let Some(stream) = connection.downcast_ref::<TlsStream<TcpStream>>() else { return };
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let Some((leaf, rest)) = chain.split_first() else { return };
    let rest: Vec<&[u8]> = rest.iter().map(AsRef::as_ref).collect();
    if let Ok(certificate) = ClientCertificate::from_der(leaf, &rest) {
        kept.insert(certificate);
    }
}

/// A header that came twice, or cannot be read, is no certificate.
fn told(headers: &HeaderMap, name: &str) -> Option<ClientCertificate> {
    let mut values = headers.get_all(name);
    let (Some(only), None) = (values.next(), values.next()) else { return None };
    let der = der(only.to_str().ok()?.trim())?;
    ClientCertificate::from_der(&der, &[]).ok()
}

/// RFC 9440 §2.1 (`:base64:`), or percent-encoded PEM, as nginx writes `$ssl_client_escaped_cert`.
fn der(value: &str) -> Option<Vec<u8>> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    if let Some(base64) = value.strip_prefix(':') {
        return STANDARD.decode(base64.strip_suffix(':')?).ok();
    }
    let pem = percent_decode_str(value).decode_utf8().ok()?;
    let mut certificates = CertificateDer::pem_slice_iter(pem.as_bytes());
    match (certificates.next(), certificates.next()) {
        (Some(Ok(only)), None) => Some(only.to_vec()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
