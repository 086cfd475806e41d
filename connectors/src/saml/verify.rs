//! The verifier: from the form field to the one assertion that a pinned key vouches for.
//!
//! [`Received`] is parsed and of the accepted shape, and nothing in it is trusted. [`VerifiedSaml`] is what is left
//! after the signatures: canonical bytes that were digested, never the document that came. There is no third state.

#[cfg(test)]
mod tests;

use aws_lc_rs::digest;
use homerealm_certs::{SpKey, TrustedKeys};

use super::c14n::{Method, canonical_form};
use super::decrypt::{EncryptedParts, decrypt};
use super::envelope::{Envelope, Status};
use super::lookup::SamlResponse;
use super::names::Namespace;
use super::rejection::Rejection;
use super::shape::{Content, Shape, assertion_of, decrypted_shape, response_shape};
use super::signature;
use super::tree::{Element, Tree, gated_tree};

/// What a connection accepts.
#[derive(Clone, Copy, Debug)]
pub struct VerifyPolicy<'a> {
    /// The keys pinned from the IdP's metadata; the only ones that count.
    pub keys: &'a TrustedKeys,
    /// Our key, if the connection takes encrypted assertions.
    pub decryption: Option<&'a SpKey>,
    /// Opt-in: SHA-1 in signatures and digests.
    pub allow_sha1: bool,
    /// Opt-in: inclusive C14N 1.0, where what surrounds the signed element has a say in what was signed.
    pub allow_inclusive_c14n: bool,
    /// Limit of the decoded response, in bytes.
    pub max_response_bytes: usize,
}

/// A response that was decoded, gated and parsed, and has the accepted shape. **Nothing in it is trusted.**
pub struct Received {
    tree: Tree,
    shape: Shape,
    envelope: Envelope,
    encrypted: Option<EncryptedParts>,
}

impl std::fmt::Debug for Received {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Received").field("content", &self.shape.content).finish_non_exhaustive()
    }
}

impl Received {
    /// Reads the `SAMLResponse` form field.
    ///
    /// # Errors
    /// The first rule that is broken: size, base64, the gate, or the shape of document, signatures or encryption.
    pub fn read(response: SamlResponse, policy: &VerifyPolicy<'_>) -> Result<Self, Rejection> {
        Self::of(response.into_tree(policy.max_response_bytes)?, policy)
    }

    /// Reads the decoded document.
    ///
    /// # Errors
    /// As [`Received::read`].
    pub fn parse_xml(xml: &[u8], policy: &VerifyPolicy<'_>) -> Result<Self, Rejection> {
        Self::of(gated_tree(xml, policy.max_response_bytes)?, policy)
    }

    fn of(tree: Tree, policy: &VerifyPolicy<'_>) -> Result<Self, Rejection> {
        let shape = response_shape(&tree, policy)?;
        let envelope = Envelope::read(tree.root(), false)?;
        let encrypted = match shape.content {
            Content::EncryptedAssertion => Some(encrypted_parts(tree.root())?),
            Content::Assertion | Content::NoAssertion => None,
        };
        Ok(Self { tree, shape, envelope, encrypted })
    }

    /// Response/@InResponseTo: a look-up key, nothing more.
    pub fn unverified_in_response_to(&self) -> Option<&str> {
        self.envelope.in_response_to.as_deref()
    }

    /// Whether there is an Assertion, encrypted or not.
    pub fn has_assertion(&self) -> bool {
        self.shape.content != Content::NoAssertion
    }

    /// The status, which can refuse a login but never admit one.
    pub fn unverified_status(&self) -> Status {
        self.envelope.status.clone()
    }

    /// SHA-256 of the decoded EncryptedKey: the caller lets each be decrypted once, before [`Received::verify`].
    pub fn encrypted_key_digest(&self) -> Option<[u8; 32]> {
        let parts = self.encrypted.as_ref()?;
        digest::digest(&digest::SHA256, parts.encrypted_key()).as_ref().try_into().ok()
    }

    /// Verifies every signature that is there, and decrypts.
    ///
    /// # Errors
    /// Any signature that does not hold, no signature, no assertion, or an encryption that cannot be undone.
    pub fn verify(self, policy: &VerifyPolicy<'_>) -> Result<VerifiedSaml, Rejection> {
        let root = self.tree.root();
        let response = self
            .shape
            .response_signature
            .as_ref()
            .map(|shape| signature::verify(root, shape, policy, "Response"))
            .transpose()?
            .map(|canonical| Tree::parse(&canonical))
            .transpose()?;
        let envelope = match &response {
            Some(tree) => Envelope::read(tree.root(), true)?,
            None => self.envelope.clone(),
        };
        let assertion = match self.shape.content {
            Content::NoAssertion => return Err(Rejection::AssertionMissing),
            Content::Assertion => self.plain_assertion(response.as_ref(), policy)?,
            Content::EncryptedAssertion => self.encrypted_assertion(response.as_ref(), policy)?,
        };
        let was_encrypted = self.shape.content == Content::EncryptedAssertion;
        Ok(VerifiedSaml { assertion, envelope, was_encrypted })
    }

    /// Its own signature first; else the Response's, read from the bytes that it covers.
    fn plain_assertion(
        &self,
        response: Option<&Tree>,
        policy: &VerifyPolicy<'_>,
    ) -> Result<String, Rejection> {
        let missing = Rejection::SignatureMissing;
        if let Some(shape) = &self.shape.assertion_signature {
            let assertion = assertion_of(self.tree.root()).ok_or(missing)?;
            return signature::verify(assertion, shape, policy, "Assertion");
        }
        let assertion = response.and_then(|tree| assertion_of(tree.root())).ok_or(missing)?;
        canonical_form(assertion, &Method::EXCLUSIVE, None)
    }

    /// Decrypts, and puts what comes out through gate, parser, shape and signature again.
    fn encrypted_assertion(
        &self,
        response: Option<&Tree>,
        policy: &VerifyPolicy<'_>,
    ) -> Result<String, Rejection> {
        let key = policy.decryption.ok_or(Rejection::DecryptionNotConfigured)?;
        let parts = self.encrypted.as_ref().ok_or(Rejection::AssertionMissing)?;
        if let Some(tree) = response
            && encrypted_parts(tree.root())? != *parts
        {
            return Err(Rejection::DigestMismatch { element: "Response" });
        }
        let inner = decrypt(parts, key, policy.max_response_bytes)?;
        match decrypted_shape(&inner, policy)? {
            Some(shape) => signature::verify(inner.root(), &shape, policy, "Assertion"),
            None if response.is_some() => canonical_form(inner.root(), &Method::EXCLUSIVE, None),
            None => Err(Rejection::EncryptedAssertionUnsigned),
        }
    }
}

/// The one Assertion, in canonical bytes that were verified, and what stood around it.
pub struct VerifiedSaml {
    assertion: String,
    envelope: Envelope,
    was_encrypted: bool,
}

impl std::fmt::Debug for VerifiedSaml {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifiedSaml")
            .field("was_encrypted", &self.was_encrypted)
            .finish_non_exhaustive()
    }
}

impl VerifiedSaml {
    /// Canonical XML of the Assertion, without comments and without its Signature.
    pub fn assertion(&self) -> &[u8] {
        self.assertion.as_bytes()
    }

    /// What stands on the Response; see [`Envelope::is_signed`].
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    pub fn was_encrypted(&self) -> bool {
        self.was_encrypted
    }
}

fn encrypted_parts(response: Element<'_>) -> Result<EncryptedParts, Rejection> {
    let encrypted =
        response.child_elements().find(|child| child.is(Namespace::SAML, "EncryptedAssertion"));
    EncryptedParts::read(encrypted.ok_or(Rejection::AssertionMissing)?)
}
