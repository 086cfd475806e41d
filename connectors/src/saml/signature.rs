//! One Signature: SignatureValue over SignedInfo first, then the digest over the parent (XML Signature §3.2).

#[cfg(test)]
mod tests;

use aws_lc_rs::digest;
use homerealm_certs::SignatureAlgorithm;

use super::algorithms::{
    algorithm_of, canonicalization, digest_algorithm, no_content, signature_algorithm,
};
use super::c14n::{Method, canonical_form};
use super::decode::base64_value;
use super::names::{ENVELOPED, Namespace};
use super::rejection::Rejection;
use super::shape::SignatureShape;
use super::tree::{Element, Tree};
use super::verify::VerifyPolicy;

/// SignedInfo (XML Signature §4.4), cut to the profile of SAML Core §5.4.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct SignedInfo {
    canonicalization: Method,
    algorithm: SignatureAlgorithm,
    /// The c14n transform of the one Reference.
    transform: Method,
    digest: &'static digest::Algorithm,
    digest_value: Vec<u8>,
}

impl SignedInfo {
    /// Reads a SignedInfo that must refer to the element with the ID `parent_id`.
    pub(super) fn read(
        signed_info: Element<'_>,
        parent_id: &str,
        policy: &VerifyPolicy<'_>,
    ) -> Result<Self, Rejection> {
        let malformed = Rejection::SignatureShape { what: "children of SignedInfo" };
        if !signed_info.is(Namespace::DS, "SignedInfo") {
            return Err(malformed);
        }
        let [method, signature_method, reference] =
            ds_children(signed_info, ["CanonicalizationMethod", "SignatureMethod", "Reference"])
                .ok_or(malformed)?;
        no_content(signature_method)?;
        let canonicalization = canonicalization(method, policy)?;
        let algorithm = signature_algorithm(algorithm_of(signature_method)?, policy.allow_sha1)?;
        names_its_parent(reference, parent_id)?;
        let [transforms, digest_method, digest_value] =
            ds_children(reference, ["Transforms", "DigestMethod", "DigestValue"])
                .ok_or(Rejection::SignatureShape { what: "children of Reference" })?;
        no_content(digest_method)?;
        let digest = digest_algorithm(algorithm_of(digest_method)?, policy.allow_sha1)?;
        let digest_value = digest_value
            .only_text()
            .and_then(base64_value)
            .filter(|value| value.len() == digest.output_len())
            .ok_or(Rejection::SignatureShape { what: "DigestValue" })?;
        Ok(Self {
            canonicalization,
            algorithm,
            transform: transform(transforms, policy)?,
            digest,
            digest_value,
        })
    }
}

/// The canonical bytes of `parent`, without its Signature, that a pinned key vouches for.
///
/// What the digest is compared with is read from the canonical SignedInfo that the SignatureValue verified, not from
/// the document: nothing that canonicalisation drops can play a part.
pub(super) fn verify(
    parent: Element<'_>,
    shape: &SignatureShape,
    policy: &VerifyPolicy<'_>,
    name: &'static str,
) -> Result<String, Rejection> {
    let gone = Rejection::SignatureShape { what: "children of Signature" };
    let mut signatures =
        parent.child_elements().filter(|child| child.is(Namespace::DS, "Signature"));
    let signature = signatures.next().ok_or_else(|| gone.clone())?;
    let signed_info = signature.child_elements().next().ok_or(gone)?;
    let canonical =
        not_empty(canonical_form(signed_info, &shape.signed_info.canonicalization, None)?)?;
    policy
        .keys
        .verify(shape.signed_info.algorithm, canonical.as_bytes(), &shape.value)
        .map_err(|_| Rejection::SignatureInvalid { element: name })?;

    let vouched = Tree::parse(&canonical)?;
    let parent_id = parent.attribute("ID").unwrap_or_default();
    let vouched = SignedInfo::read(vouched.root(), parent_id, policy)?;
    if vouched != shape.signed_info {
        return Err(Rejection::SignatureShape {
            what: "SignedInfo differs from its canonical form",
        });
    }
    let content = not_empty(canonical_form(parent, &vouched.transform, Some(signature))?)?;
    let actual = digest::digest(vouched.digest, content.as_bytes());
    if actual.as_ref() == vouched.digest_value.as_slice() {
        Ok(content)
    } else {
        Err(Rejection::DigestMismatch { element: name })
    }
}

/// A canonicaliser that fails must not turn into a digest of nothing.
fn not_empty(canonical: String) -> Result<String, Rejection> {
    if canonical.is_empty() { Err(Rejection::CanonicalFormEmpty) } else { Ok(canonical) }
}

/// SAML Core §5.4.2: the one Reference is to the element that the Signature is in.
fn names_its_parent(reference: Element<'_>, parent_id: &str) -> Result<(), Rejection> {
    let uri = reference.attribute("URI");
    if uri.and_then(|uri| uri.strip_prefix('#')) == Some(parent_id) && !parent_id.is_empty() {
        return Ok(());
    }
    Err(Rejection::SignatureReference {
        expected: format!("#{parent_id}"),
        received: uri.map(str::to_owned),
    })
}

/// SAML Core §5.4.4: enveloped-signature, then a c14n. We want both, in this order.
///
/// A reference by `#ID` leaves comments out before any transform sees them (XML Signature §4.4.3.3), so the
/// WithComments variants keep none here.
fn transform(transforms: Element<'_>, policy: &VerifyPolicy<'_>) -> Result<Method, Rejection> {
    let shape = Rejection::SignatureShape { what: "Transforms" };
    let mut children = transforms.child_elements();
    let (first, second) = (children.next(), children.next());
    let (Some(enveloped), Some(c14n)) = (first, second) else { return Err(shape) };
    let is_transform = |element: &Element<'_>| element.is(Namespace::DS, "Transform");
    if !is_transform(&enveloped) || !is_transform(&c14n) || transforms.has_own_text() {
        return Err(shape);
    }
    let first = algorithm_of(enveloped)?;
    if first != ENVELOPED {
        return Err(Rejection::Transform { received: first.to_owned() });
    }
    no_content(enveloped)?;
    let method = canonicalization(c14n, policy);
    if let Err(Rejection::CanonicalizationMethod { received }) = method {
        return Err(Rejection::Transform { received });
    }
    let method = method?;
    if let Some(third) = children.next() {
        let received =
            third.attribute("Algorithm").unwrap_or_else(|| third.local_name()).to_owned();
        return Err(Rejection::Transform { received });
    }
    Ok(Method { with_comments: false, ..method })
}

/// The children of `parent` if they are exactly these elements of XML Signature, in order, with no text in between.
fn ds_children<'t, const N: usize>(
    parent: Element<'t>,
    names: [&str; N],
) -> Option<[Element<'t>; N]> {
    let children: Vec<_> = parent.child_elements().take(N + 1).collect();
    let children: [Element<'t>; N] = children.try_into().ok()?;
    let as_named = children.iter().zip(names).all(|(child, name)| child.is(Namespace::DS, name));
    (as_named && !parent.has_own_text()).then_some(children)
}
