//! Why a SAML response was refused: one variant per rule, in alphabetical order.
//!
//! The codes are stable: login traces and support pages name them. `facts.rs` holds, for each variant, the
//! code, what was expected, what was received and what the IT admin of the identity provider can do.

mod facts;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};

/// One broken rule. Values of a user (NameID, e-mail, attribute values) never appear in it.
///
/// `element` is `"Response"` or `"Assertion"`; `field` and `what` name parts of the document in our own words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Rejection {
    /// There must be exactly one `Assertion` or `EncryptedAssertion`, counted in every namespace.
    AssertionCount { found: usize },
    /// Conditions/@NotOnOrAfter is over (SAML Core §2.5.1.2).
    AssertionExpired { at: DateTime<Utc>, now: DateTime<Utc> },
    /// The one assertion is not the Response's direct child.
    AssertionMisplaced,
    /// Status says success, but there is no assertion (SAML Profiles §4.1.4.2).
    AssertionMissing,
    /// Conditions/@NotBefore is still to come (SAML Core §2.5.1.2).
    AssertionNotYetValid { at: DateTime<Utc>, now: DateTime<Utc> },
    /// An `EncryptedAttribute` (SAML Core §2.7.3.2): not supported.
    AttributeEncrypted,
    /// An AudienceRestriction does not name us (SAML Core §2.5.1.4).
    AudienceMismatch { expected: String, received: Vec<String> },
    /// No AudienceRestriction at all (SAML Profiles §4.1.4.2).
    AudienceRestrictionMissing { expected: String },
    /// AuthnInstant is later than now plus skew.
    AuthnInFuture { at: DateTime<Utc>, now: DateTime<Utc> },
    /// No AuthnStatement (SAML Profiles §4.1.4.2).
    AuthnStatementMissing,
    /// The user authenticated before the time that this login asked for (`prompt=login`, `max_age`).
    AuthnTooOld { at: DateTime<Utc>, oldest: DateTime<Utc> },
    /// The form field is not base64.
    Base64,
    /// No SubjectConfirmation with the bearer method (SAML Profiles §4.1.4.2).
    BearerConfirmationMissing,
    /// Canonicalization gave no bytes.
    CanonicalFormEmpty,
    /// The canonical form would be many times as large as the document.
    CanonicalFormTooLarge { limit: usize },
    /// CanonicalizationMethod or the c14n transform is not on the allow-list.
    CanonicalizationMethod { received: String },
    /// `CipherReference`: nothing is ever dereferenced.
    CipherReference,
    /// A condition that we do not know makes the assertion indeterminate (SAML Core §2.5.1.1).
    ConditionUnknown { received: String },
    /// No Conditions element.
    ConditionsMissing { expected: String },
    /// SubjectConfirmationData/@NotOnOrAfter is over (SAML Profiles §4.1.4.3).
    ConfirmationExpired { at: DateTime<Utc>, now: DateTime<Utc> },
    /// SubjectConfirmationData has no NotOnOrAfter (SAML Profiles §4.1.4.2).
    ConfirmationNotOnOrAfterMissing,
    /// SubjectConfirmationData/@NotBefore is still to come.
    ConfirmationNotYetValid { at: DateTime<Utc>, now: DateTime<Utc> },
    /// The block cipher of the EncryptedAssertion is not on the allow-list.
    ContentCipher { received: String },
    /// Decryption failed. One neutral reason for every cause.
    DecryptionFailed,
    /// The assertion is encrypted and the connection has no decryption key.
    DecryptionNotConfigured,
    /// One request has had as many answers decrypted as it gets.
    DecryptionsExhausted,
    /// Response/@Destination is another URL (SAML Bindings §3.5.5.2).
    DestinationMismatch { expected: String, received: String },
    /// A signed Response without Destination (SAML Bindings §3.5.5.2).
    DestinationMissing { expected: String },
    /// DigestMethod is not on the allow-list.
    DigestAlgorithm { received: String },
    /// The signed part was changed after it was signed.
    DigestMismatch { element: &'static str },
    /// Decrypted, but nobody signed what came out.
    EncryptedAssertionUnsigned,
    /// This EncryptedKey was presented before; one decryption per key.
    EncryptedKeyReused,
    /// EncryptedAssertion does not have the shape that we accept.
    EncryptionShape { what: &'static str },
    /// An attribute that some parser could take for an ID.
    IdAttributeOdd { name: String },
    /// An ID that is not an NCName (SAML Core §1.3.4).
    IdInvalid { id: String },
    /// Two elements have the same ID.
    IdRepeated { id: String },
    /// The IdP says that it did not authenticate the user (SAML Core §3.2.2.2).
    IdpError { codes: Vec<String>, message: Option<String> },
    /// InResponseTo has different values within one response.
    InResponseToInconsistent { received: Vec<String> },
    /// InResponseTo is not the ID of this login's AuthnRequest.
    InResponseToMismatch { expected: String, received: Option<String> },
    /// Inclusive C14N 1.0 without the connection's opt-in.
    InclusiveC14n,
    /// Invisible or control characters in a value that identifies somebody.
    InvisibleCharacters { field: &'static str },
    /// Issued before the session store began: a replay could not be seen.
    IssuedBeforeEpoch { at: DateTime<Utc>, earliest: DateTime<Utc> },
    /// IssueInstant is later than now plus skew.
    IssuedInFuture { element: &'static str, at: DateTime<Utc>, now: DateTime<Utc> },
    /// IssueInstant is more than a day ago.
    IssuedTooLongAgo { element: &'static str, at: DateTime<Utc>, now: DateTime<Utc> },
    /// Issuer has a Format other than entity (SAML Profiles §4.1.4.2).
    IssuerFormat { element: &'static str, received: String },
    /// Issuer is not the connection's identity provider.
    IssuerMismatch { element: &'static str, expected: String, received: String },
    /// There must be an Issuer and there is none.
    IssuerMissing { element: &'static str, expected: String },
    /// Key transport is not RSA-OAEP.
    KeyTransport { received: String },
    /// Not what the SAML schema says; `what` names the part.
    Malformed { what: &'static str },
    /// Something other than text inside a value that identifies somebody.
    MixedContent { field: &'static str },
    /// A relative namespace URI, for which canonicalization is undefined.
    NamespaceRelative { received: String },
    /// The root element is not `samlp:Response`.
    NotAResponse { received: String },
    /// The digest and the mask generation function of RSA-OAEP differ.
    OaepHashesDiffer { digest: String, mgf: String },
    /// RSA-OAEP with OAEPparams.
    OaepParams,
    /// An answer to a login that is not, or no longer, pending.
    PendingLoginMissing,
    /// InclusiveNamespaces/@PrefixList is longer than 512 bytes.
    PrefixListTooLong,
    /// SubjectConfirmationData/@Recipient is not our ACS (SAML Profiles §4.1.4.3).
    RecipientMismatch { expected: String, received: Option<String> },
    /// The handle of the login transaction is not fit to be a request ID and RelayState (SAML Core §1.3.4).
    RequestHandle,
    /// Requests have to be signed and the connection has no key.
    RequestKeyMissing,
    /// The connection's key did not sign.
    RequestSigningFailed,
    /// More bytes than the connection accepts.
    ResponseTooLarge { limit: usize },
    /// A RetrievalMethod that does not name the EncryptedKey beside it.
    RetrievalMethod,
    /// SessionNotOnOrAfter is over (SAML Core §2.7.2).
    SessionOver { at: DateTime<Utc>, now: DateTime<Utc> },
    /// Signed or digested with SHA-1 without the connection's opt-in.
    Sha1 { received: String },
    /// SignatureMethod is not on the allow-list.
    SignatureAlgorithm { received: String },
    /// More than one Signature on an element, or more than two in the document.
    SignatureCount { found: usize },
    /// No key of the connection verifies the SignatureValue.
    SignatureInvalid { element: &'static str },
    /// A Signature that is not right after the Issuer of the Response or the Assertion.
    SignatureMisplaced,
    /// Neither the Response nor the Assertion is signed.
    SignatureMissing,
    /// The Reference does not name the Signature's own parent (SAML Core §5.4.2).
    SignatureReference { expected: String, received: Option<String> },
    /// The Signature does not have the shape that we accept.
    SignatureShape { what: &'static str },
    /// The IdP's metadata lists no SingleSignOnService that we can use (SAML Metadata §2.4.3).
    SsoEndpointMissing,
    /// The configured subject attribute was not sent, or is empty.
    SubjectAttributeMissing { name: String },
    /// The subject attribute is not of the form that its name promises.
    SubjectAttributeUnreadable { name: &'static str },
    /// An `EncryptedID` (SAML Core §2.2.4): not supported.
    SubjectEncrypted,
    /// The configured subject attribute has several values.
    SubjectSeveralValues { name: String },
    /// A transient NameID or none: nothing that names the user twice the same way (SAML Core §8.3.8).
    SubjectTransient { received: Option<String> },
    /// Not an instant in UTC (SAML Core §1.3.3).
    TimeUnreadable { field: &'static str, received: String },
    /// A transform other than enveloped-signature and one c14n (SAML Core §5.4.4).
    Transform { received: String },
    /// A response that nobody asked for, where the connection does not accept them.
    Unsolicited,
    /// Version is not 2.0.
    Version { element: &'static str, received: String },
    /// Refused by the gate, before parsing; `reason` is the gate's code.
    Xml { reason: &'static str },
}

impl Rejection {
    /// The stable name of the rule, `saml_…`.
    pub fn code(&self) -> &'static str {
        self.facts().code
    }

    /// What a correct response would have had.
    pub fn expected(&self) -> Option<String> {
        self.facts().expected
    }

    /// What this one had, cut to a length fit for a page.
    pub fn received(&self) -> Option<String> {
        self.facts().received
    }

    /// What the IT admin of the identity provider, or of the connection, can do.
    pub fn fix(&self) -> Option<String> {
        Some(self.facts().fix)
    }
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let facts = self.facts();
        f.write_str(facts.code)?;
        if let Some(expected) = facts.expected {
            write!(f, ", expected {expected}")?;
        }
        if let Some(received) = facts.received {
            write!(f, ", received {received}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Rejection {}
