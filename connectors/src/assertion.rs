//! What an upstream IdP says about a user, after every check.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who the user is, as the IdP names them.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct Subject {
    /// NameID, `sub`, a configured attribute, or Entra's `tid:oid`; exactly as sent.
    pub value: String,
    /// SAML: the NameID's Format, or `attribute:NAME` where an attribute names the subject. `None` for OIDC and Entra.
    pub format: Option<String>,
    pub name_qualifier: Option<String>,
    pub sp_name_qualifier: Option<String>,
    /// Looks like an e-mail address, which may be given to somebody else one day.
    pub mutable_email_like: bool,
}

impl Subject {
    /// A subject that stands for itself: OIDC `sub`, Entra `tid:oid`.
    pub fn bare(value: String) -> Self {
        Self {
            value,
            format: None,
            name_qualifier: None,
            sp_name_qualifier: None,
            mutable_email_like: false,
        }
    }

    /// Names the account within one connection and issuer; two different subjects never share one.
    ///
    /// A bare subject is its value. A SAML NameID is a JSON array of format, qualifiers and value, because
    /// the same value under another Format or qualifier is another person (SAML Core §2.2.2).
    pub fn account_key(&self) -> String {
        if self.format.is_none()
            && self.name_qualifier.is_none()
            && self.sp_name_qualifier.is_none()
        {
            return self.value.clone();
        }
        serde_json::json!([self.format, self.name_qualifier, self.sp_name_qualifier, self.value])
            .to_string()
    }
}

/// Shows the form of the subject, never who it is.
impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subject")
            .field("format", &self.format)
            .field("mutable_email_like", &self.mutable_email_like)
            .finish_non_exhaustive()
    }
}

/// What must be remembered, and how long, so that an assertion is used once (SAML Profiles §4.1.4.5).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ReplayKey {
    /// Unique within the connection: the assertion's ID, or a hash of issuer and `jti` or nonce.
    pub value: String,
    /// The assertion's end plus the clock skew that is granted to it.
    pub until: DateTime<Utc>,
}

/// The statement of an IdP about a user, verified. Only the verifiers of this crate can make one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VerifiedAssertion(AssertionParts);

impl VerifiedAssertion {
    /// `_proof` is the verified document that the parts were read from.
    pub(crate) fn new(_proof: &impl VerifiedDocument, parts: AssertionParts) -> Self {
        Self(parts)
    }

    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    pub fn subject(&self) -> &Subject {
        &self.0.subject
    }

    /// Everything that the IdP said about the user, under the IdP's names.
    pub fn attributes(&self) -> &BTreeMap<String, Vec<Value>> {
        &self.0.attributes
    }

    /// When the user authenticated, if the IdP said so.
    pub fn auth_time(&self) -> Option<DateTime<Utc>> {
        self.0.auth_time
    }

    /// SAML AuthnContextClassRef or OIDC `acr`, in the IdP's words.
    pub fn acr(&self) -> Option<&str> {
        self.0.acr.as_deref()
    }

    pub fn amr(&self) -> &[String] {
        &self.0.amr
    }

    /// SAML SessionIndex or OIDC `sid`.
    pub fn session_index(&self) -> Option<&str> {
        self.0.session_index.as_deref()
    }

    pub fn session_not_on_or_after(&self) -> Option<DateTime<Utc>> {
        self.0.session_not_on_or_after
    }

    pub fn replay(&self) -> &ReplayKey {
        &self.0.replay
    }

    pub fn issued_at(&self) -> DateTime<Utc> {
        self.0.issued_at
    }

    /// What the IdP says about the e-mail; `None` where it says nothing. Never ours to repeat unexamined.
    pub fn upstream_email_verified(&self) -> Option<bool> {
        self.0.upstream_email_verified
    }

    /// Takes it apart, for parking and for the claims.
    pub fn into_parts(self) -> AssertionParts {
        self.0
    }
}

/// The plain content of a [`VerifiedAssertion`]; there is no way back from it.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct AssertionParts {
    pub issuer: String,
    pub subject: Subject,
    pub attributes: BTreeMap<String, Vec<Value>>,
    pub auth_time: Option<DateTime<Utc>>,
    pub acr: Option<String>,
    pub amr: Vec<String>,
    pub session_index: Option<String>,
    pub session_not_on_or_after: Option<DateTime<Utc>>,
    pub replay: ReplayKey,
    pub issued_at: DateTime<Utc>,
    pub upstream_email_verified: Option<bool>,
}

/// Shows whose statement it is and when it was made, not about whom.
impl std::fmt::Debug for AssertionParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AssertionParts")
            .field("issuer", &self.issuer)
            .field("subject", &self.subject)
            .field("attributes", &self.attributes.keys())
            .field("issued_at", &self.issued_at)
            .finish_non_exhaustive()
    }
}

/// Implemented by `saml::VerifiedSaml`, `oidc::VerifiedIdToken` and the userinfo answer of `oauth2`, each of which only its
/// verifier can make.
pub(crate) trait VerifiedDocument {}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_id(format: Option<&str>, qualifier: Option<&str>, value: &str) -> Subject {
        Subject {
            value: value.to_owned(),
            format: format.map(str::to_owned),
            name_qualifier: qualifier.map(str::to_owned),
            sp_name_qualifier: None,
            mutable_email_like: false,
        }
    }

    #[test]
    fn a_bare_subject_is_its_own_account_key() {
        assert_eq!(Subject::bare("248289761001".to_owned()).account_key(), "248289761001");
    }

    #[test]
    fn the_same_value_under_another_format_or_qualifier_is_another_account() {
        let keys = [
            name_id(Some("f"), None, "u").account_key(),
            name_id(Some("g"), None, "u").account_key(),
            name_id(Some("f"), Some("q"), "u").account_key(),
            Subject { sp_name_qualifier: Some("q".to_owned()), ..name_id(Some("f"), None, "u") }
                .account_key(),
            Subject::bare("u".to_owned()).account_key(),
        ];

        let different: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(different.len(), keys.len());
    }

    #[test]
    fn a_value_cannot_imitate_another_subjects_key() {
        let forger = name_id(Some("f"), None, r#"u","x"#);

        assert_eq!(forger.account_key(), r#"["f",null,null,"u\",\"x"]"#);
    }

    #[test]
    fn debug_output_does_not_show_who_it_is() {
        let subject = name_id(Some("f"), Some("q"), "alice@acme.example");

        assert!(!format!("{subject:?}").contains("alice"));
    }
}
