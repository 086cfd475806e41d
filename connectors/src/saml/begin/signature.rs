//! The enveloped XML signature of a request that goes by HTTP-POST (SAML Core §5.4).

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use homerealm_certs::SpKey;

use super::authn_request::AuthnRequest;
use crate::saml::rejection::Rejection;

const DSIG: &str = r#" xmlns:ds="http://www.w3.org/2000/09/xmldsig#""#;

/// The request with its signature.
///
/// Everything is written in canonical form, so the digest is over the unsigned text (that is what the enveloped
/// transform leaves) and the signature over SignedInfo as it would stand alone: with the namespace declaration
/// that inside of Signature it inherits.
pub(super) fn signed(request: &AuthnRequest<'_>, key: &SpKey) -> Result<String, Rejection> {
    let digest = STANDARD.encode(digest(&SHA256, request.to_xml().as_bytes()));
    let octets = signed_info(DSIG, request.id, &digest);
    let signature =
        key.sign_rsa_sha256(octets.as_bytes()).map_err(|_| Rejection::RequestSigningFailed)?;
    let (signature, certificate) =
        (STANDARD.encode(signature), STANDARD.encode(key.certificate().der()));
    let signed_info = signed_info("", request.id, &digest);
    Ok(request.with_signature(&format!(
        "<ds:Signature{DSIG}>{signed_info}<ds:SignatureValue>{signature}</ds:SignatureValue>\
         <ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>\
         </ds:Signature>"
    )))
}

/// `id` is a name: it needs no escapes.
fn signed_info(declaration: &str, id: &str, digest: &str) -> String {
    format!(
        "<ds:SignedInfo{declaration}>\
         <ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:CanonicalizationMethod>\
         <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"></ds:SignatureMethod>\
         <ds:Reference URI=\"#{id}\"><ds:Transforms>\
         <ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform>\
         <ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform>\
         </ds:Transforms>\
         <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod>\
         <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    )
}
