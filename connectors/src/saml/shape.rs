//! What a document may look like before any cryptography: rules for the whole document, and where a Signature may be.
//!
//! Every wrapping attack needs a second Assertion, an ambiguous ID or a Signature that speaks for something else than
//! its parent. All three are refused here, from the raw document, for what it is and not for what we would look up.

#[cfg(test)]
mod tests;

use super::decode::base64_value;
use super::names::Namespace;
use super::rejection::Rejection;
use super::signature::SignedInfo;
use super::tree::{Element, Tree};
use super::verify::VerifyPolicy;

/// What the document has: at most one assertion, and up to two signatures.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) content: Content,
    pub(super) response_signature: Option<SignatureShape>,
    pub(super) assertion_signature: Option<SignatureShape>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Content {
    NoAssertion,
    Assertion,
    EncryptedAssertion,
}

/// A Signature of the accepted shape. Nothing in it is trusted yet.
#[derive(Debug)]
pub(super) struct SignatureShape {
    pub(super) signed_info: SignedInfo,
    pub(super) value: Vec<u8>,
}

/// The rules for the document that the browser brings.
pub(super) fn response_shape(tree: &Tree, policy: &VerifyPolicy<'_>) -> Result<Shape, Rejection> {
    let root = tree.root();
    if !root.is(Namespace::SAMLP, "Response") {
        return Err(Rejection::NotAResponse { received: root.qualified_name().to_owned() });
    }
    let found = survey(root)?;
    let content = match found.assertions.as_slice() {
        [] => Content::NoAssertion,
        [one] if one.parent() != Some(root) => return Err(Rejection::AssertionMisplaced),
        [one] if one.is(Namespace::SAML, "Assertion") => Content::Assertion,
        [one] if one.is(Namespace::SAML, "EncryptedAssertion") => Content::EncryptedAssertion,
        [_] => return Err(Rejection::AssertionMisplaced),
        several => return Err(Rejection::AssertionCount { found: several.len() }),
    };
    let assertion = assertion_of(root);
    let (mut response_signature, mut assertion_signature) = (None, None);
    for signature in found.signatures {
        let parent = signature.parent();
        let slot = if parent == Some(root) {
            &mut response_signature
        } else if parent.is_some() && parent == assertion {
            &mut assertion_signature
        } else {
            return Err(Rejection::SignatureMisplaced);
        };
        if slot.is_some() {
            return Err(Rejection::SignatureCount { found: 2 });
        }
        *slot = Some(signature_shape(signature, policy)?);
    }
    Ok(Shape { content, response_signature, assertion_signature })
}

/// The same rules for what came out of an EncryptedAssertion: exactly one Assertion, which is the root.
pub(super) fn decrypted_shape(
    tree: &Tree,
    policy: &VerifyPolicy<'_>,
) -> Result<Option<SignatureShape>, Rejection> {
    let root = tree.root();
    let found = survey(root)?;
    if found.assertions.len() != 1 {
        return Err(Rejection::AssertionCount { found: found.assertions.len() });
    }
    match found.signatures.as_slice() {
        [] => Ok(None),
        [one] if one.parent() == Some(root) => signature_shape(*one, policy).map(Some),
        [_] => Err(Rejection::SignatureMisplaced),
        several => Err(Rejection::SignatureCount { found: several.len() }),
    }
}

/// The plain Assertion of a Response.
pub(super) fn assertion_of(response: Element<'_>) -> Option<Element<'_>> {
    response.child_elements().find(|child| child.is(Namespace::SAML, "Assertion"))
}

struct Survey<'t> {
    assertions: Vec<Element<'t>>,
    signatures: Vec<Element<'t>>,
}

/// One walk over all elements: identifiers, assertions in any namespace, signatures.
fn survey(root: Element<'_>) -> Result<Survey<'_>, Rejection> {
    let mut found = Survey { assertions: Vec::new(), signatures: Vec::new() };
    let mut ids = Vec::with_capacity(8);
    for element in root.subtree() {
        ids.extend(identifier(element)?);
        match element.local_name() {
            "Assertion" | "EncryptedAssertion" => found.assertions.push(element),
            "Signature" if element.namespace() == Namespace::DS => found.signatures.push(element),
            _ => {}
        }
    }
    ids.sort_unstable();
    if let Some(id) = ids
        .windows(2)
        .find_map(|pair| if pair.first() == pair.last() { pair.first() } else { None })
    {
        return Err(Rejection::IdRepeated { id: (*id).to_owned() });
    }
    if found.signatures.len() > 2 {
        return Err(Rejection::SignatureCount { found: found.signatures.len() });
    }
    Ok(found)
}

/// The identifier of an element: `ID` in SAML (SAML Core §1.3.4), `Id` in XML Signature and XML Encryption.
///
/// Whatever else some parser might take for one is refused: other cases, `xml:id`, prefixed ones, SAML 1's names.
fn identifier(element: Element<'_>) -> Result<Option<&str>, Rejection> {
    let expected = if element.namespace().is_signature_or_encryption() { "Id" } else { "ID" };
    let mut id = None;
    for attribute in element.attributes() {
        let name = attribute.local_name();
        if attribute.namespace() == Namespace::NONE && name == expected {
            if !is_ncname(attribute.value()) {
                return Err(Rejection::IdInvalid { id: attribute.value().to_owned() });
            }
            id = Some(attribute.value());
        } else if ID_LIKE.iter().any(|odd| name.eq_ignore_ascii_case(odd)) {
            return Err(Rejection::IdAttributeOdd { name: attribute.qualified_name().to_owned() });
        }
    }
    Ok(id)
}

const ID_LIKE: [&str; 4] = ["ID", "AssertionID", "ResponseID", "RequestID"];

/// Namespaces in XML 1.0 §3, as far as IDs of real identity providers go: letters, digits, `_`, `-`, `.`.
fn is_ncname(id: &str) -> bool {
    id.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && id.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '\u{b7}'))
}

/// XML Signature §4.1, cut to the profile: SignedInfo, SignatureValue, optionally KeyInfo; no Object.
fn signature_shape(
    signature: Element<'_>,
    policy: &VerifyPolicy<'_>,
) -> Result<SignatureShape, Rejection> {
    let parent = signature.parent().ok_or(Rejection::SignatureMisplaced)?;
    if !is_in_its_place(signature, parent) {
        return Err(Rejection::SignatureMisplaced);
    }
    let mut children = signature.child_elements();
    let (signed_info, value) = (children.next(), children.next());
    let (key_info, rest) = (children.next(), children.next());
    let (Some(signed_info), Some(value), None) = (signed_info, value, rest) else {
        return Err(Rejection::SignatureShape { what: "children of Signature" });
    };
    let in_order = signed_info.is(Namespace::DS, "SignedInfo")
        && value.is(Namespace::DS, "SignatureValue")
        && key_info.is_none_or(|element| element.is(Namespace::DS, "KeyInfo"));
    if !in_order || signature.has_own_text() {
        return Err(Rejection::SignatureShape { what: "children of Signature" });
    }
    key_info.map_or(Ok(()), key_info_is_harmless)?;
    let id = parent
        .attribute("ID")
        .ok_or(Rejection::SignatureShape { what: "signed element without ID" })?;
    let value = value.only_text().and_then(base64_value).filter(|value| !value.is_empty());
    Ok(SignatureShape {
        signed_info: SignedInfo::read(signed_info, id, policy)?,
        value: value.ok_or(Rejection::SignatureShape { what: "SignatureValue" })?,
    })
}

/// SAML Core §2.3.3, §3.2.2: right after Issuer; the first child where there is none.
fn is_in_its_place(signature: Element<'_>, parent: Element<'_>) -> bool {
    let is_issuer = |child: &Element<'_>| child.is(Namespace::SAML, "Issuer");
    let mut children = parent.child_elements();
    let first = children.next();
    if parent.child_elements().any(|child| is_issuer(&child)) {
        first.is_some_and(|child| is_issuer(&child)) && children.next() == Some(signature)
    } else {
        first == Some(signature)
    }
}

/// KeyInfo is never read: keys come from the connection alone. It may only hold what a KeyInfo holds, and nothing that
/// asks to be fetched.
fn key_info_is_harmless(key_info: Element<'_>) -> Result<(), Rejection> {
    let known = |child: Element<'_>| match child.namespace() {
        Namespace::DS => matches!(child.local_name(), "KeyName" | "KeyValue" | "X509Data"),
        Namespace::DS11 => child.local_name() == "DEREncodedKeyValue",
        _ => false,
    };
    let of_its_kind = |element: Element<'_>| {
        matches!(element.namespace(), Namespace::DS | Namespace::DS11)
            && element.local_name() != "RetrievalMethod"
    };
    if key_info.child_elements().all(known) && key_info.subtree().all(of_its_kind) {
        Ok(())
    } else {
        Err(Rejection::SignatureShape { what: "content of KeyInfo" })
    }
}
