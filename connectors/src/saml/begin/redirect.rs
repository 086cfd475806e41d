//! The HTTP-Redirect binding with DEFLATE encoding (SAML Bindings §3.4.4.1).

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use homerealm_certs::SpKey;
use url::Url;
use url::form_urlencoded::byte_serialize;

use crate::saml::rejection::Rejection;

/// Adds the request to the IdP's URL, whose own query stays in front.
pub(super) fn with_request(
    mut url: Url,
    xml: &str,
    relay_state: &str,
    key: Option<&SpKey>,
) -> Result<Url, Rejection> {
    let mut query = format!(
        "SAMLRequest={}&RelayState={}",
        encoded(&STANDARD.encode(deflated(xml)?)),
        encoded(relay_state)
    );
    if let Some(key) = key {
        query = signed(&query, key)?;
    }
    if let Some(own) = url.query().filter(|own| !own.is_empty()) {
        query = format!("{own}&{query}");
    }
    url.set_query(Some(&query));
    Ok(url)
}

/// Signed are the octets of the query as they are sent, SigAlg last.
fn signed(query: &str, key: &SpKey) -> Result<String, Rejection> {
    let octets =
        format!("{query}&SigAlg={}", encoded("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"));
    let signature =
        key.sign_rsa_sha256(octets.as_bytes()).map_err(|_| Rejection::RequestSigningFailed)?;
    Ok(format!("{octets}&Signature={}", encoded(&STANDARD.encode(signature))))
}

/// RFC 1951, without a zlib header.
fn deflated(xml: &str) -> Result<Vec<u8>, Rejection> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(xml.as_bytes()).and_then(|()| encoder.finish());
    written.map_err(|_| Rejection::Malformed { what: "AuthnRequest that does not deflate" })
}

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}
