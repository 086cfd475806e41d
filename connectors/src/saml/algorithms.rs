//! Algorithm identifiers (XML Signature 1.1 §6, RFC 9231) to what we do with them. Anything else is refused.

use aws_lc_rs::digest;
use homerealm_certs::SignatureAlgorithm;

use super::c14n::{Method, Mode};
use super::names::Namespace;
use super::rejection::Rejection;
use super::tree::Element;
use super::verify::VerifyPolicy;

const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const DSIG_MORE: &str = "http://www.w3.org/2001/04/xmldsig-more#";
const DSIG_MORE_2007: &str = "http://www.w3.org/2007/05/xmldsig-more#";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const INCLUSIVE: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";

/// The longest InclusiveNamespaces/@PrefixList, in bytes.
const MAX_PREFIX_LIST: usize = 512;

/// SignatureMethod. RSA-PSS only in its forms without parameters.
///
/// # Errors
/// [`Rejection::SignatureAlgorithm`], and [`Rejection::Sha1`] without the opt-in.
pub(super) fn signature_algorithm(
    uri: &str,
    allow_sha1: bool,
) -> Result<SignatureAlgorithm, Rejection> {
    let refused = || Rejection::SignatureAlgorithm { received: uri.to_owned() };
    if let Some(name) = uri.strip_prefix(DSIG_MORE) {
        return match name {
            "rsa-sha256" => Ok(SignatureAlgorithm::RsaPkcs1Sha256),
            "rsa-sha384" => Ok(SignatureAlgorithm::RsaPkcs1Sha384),
            "rsa-sha512" => Ok(SignatureAlgorithm::RsaPkcs1Sha512),
            "ecdsa-sha256" => Ok(SignatureAlgorithm::EcdsaP256Sha256),
            "ecdsa-sha384" => Ok(SignatureAlgorithm::EcdsaP384Sha384),
            _ => Err(refused()),
        };
    }
    if let Some(name) = uri.strip_prefix(DSIG_MORE_2007) {
        return match name {
            "sha256-rsa-MGF1" => Ok(SignatureAlgorithm::RsaPssSha256),
            "sha384-rsa-MGF1" => Ok(SignatureAlgorithm::RsaPssSha384),
            "sha512-rsa-MGF1" => Ok(SignatureAlgorithm::RsaPssSha512),
            _ => Err(refused()),
        };
    }
    match uri.strip_prefix(DS) {
        Some("rsa-sha1") if allow_sha1 => Ok(SignatureAlgorithm::RsaPkcs1Sha1),
        Some("rsa-sha1") => Err(Rejection::Sha1 { received: uri.to_owned() }),
        _ => Err(refused()),
    }
}

/// DigestMethod.
///
/// # Errors
/// [`Rejection::DigestAlgorithm`], and [`Rejection::Sha1`] without the opt-in.
pub(super) fn digest_algorithm(
    uri: &str,
    allow_sha1: bool,
) -> Result<&'static digest::Algorithm, Rejection> {
    match uri {
        "http://www.w3.org/2001/04/xmlenc#sha256" => Ok(&digest::SHA256),
        "http://www.w3.org/2001/04/xmldsig-more#sha384" => Ok(&digest::SHA384),
        "http://www.w3.org/2001/04/xmlenc#sha512" => Ok(&digest::SHA512),
        "http://www.w3.org/2000/09/xmldsig#sha1" if allow_sha1 => {
            Ok(&digest::SHA1_FOR_LEGACY_USE_ONLY)
        }
        "http://www.w3.org/2000/09/xmldsig#sha1" => {
            Err(Rejection::Sha1 { received: uri.to_owned() })
        }
        _ => Err(Rejection::DigestAlgorithm { received: uri.to_owned() }),
    }
}

/// CanonicalizationMethod or the second Transform, with its PrefixList.
///
/// # Errors
/// [`Rejection::CanonicalizationMethod`], [`Rejection::InclusiveC14n`] without the opt-in,
/// [`Rejection::PrefixListTooLong`], and [`Rejection::SignatureShape`] for other content.
pub(super) fn canonicalization(
    element: Element<'_>,
    policy: &VerifyPolicy<'_>,
) -> Result<Method, Rejection> {
    let uri = algorithm_of(element)?;
    let (base, with_comments) = match uri {
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments" => (EXCLUSIVE, true),
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments" => (INCLUSIVE, true),
        _ => (uri, false),
    };
    let mode = match base {
        EXCLUSIVE => Mode::Exclusive { prefix_list: prefix_list(element)? },
        INCLUSIVE if !policy.allow_inclusive_c14n => return Err(Rejection::InclusiveC14n),
        INCLUSIVE => no_content(element).map(|()| Mode::Inclusive)?,
        _ => return Err(Rejection::CanonicalizationMethod { received: uri.to_owned() }),
    };
    Ok(Method { mode, with_comments })
}

/// Exclusive C14N §2: at most one InclusiveNamespaces, with the list in its attribute.
fn prefix_list(element: Element<'_>) -> Result<Vec<String>, Rejection> {
    let mut children = element.child_elements();
    let list = match (children.next(), children.next()) {
        (None, _) => "",
        (Some(only), None) if only.is(Namespace::EXC_C14N, "InclusiveNamespaces") => {
            no_content(only)?;
            only.attribute("PrefixList").unwrap_or_default()
        }
        _ => {
            return Err(Rejection::SignatureShape {
                what: "content of the canonicalization method",
            });
        }
    };
    if element.has_own_text() {
        return Err(Rejection::SignatureShape { what: "content of the canonicalization method" });
    }
    if list.len() > MAX_PREFIX_LIST {
        return Err(Rejection::PrefixListTooLong);
    }
    Ok(list.split_ascii_whitespace().map(str::to_owned).collect())
}

/// The Algorithm attribute, which every method element must have.
pub(super) fn algorithm_of(element: Element<'_>) -> Result<&str, Rejection> {
    element
        .attribute("Algorithm")
        .ok_or(Rejection::SignatureShape { what: "method without Algorithm" })
}

/// No parameters: neither elements (HMACOutputLength, XPath, stylesheets) nor text.
pub(super) fn no_content(element: Element<'_>) -> Result<(), Rejection> {
    if element.child_elements().next().is_some() || element.has_own_text() {
        return Err(Rejection::SignatureShape { what: "parameters of a method" });
    }
    Ok(())
}
