//! The typed assertion, read in one pass from the canonical bytes that were verified.

#[cfg(test)]
pub(super) mod fixture;
mod read;

use chrono::{DateTime, Utc};

/// `saml:Assertion` (SAML Core §2.3.3), as far as the browser profile looks at it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Assertion {
    pub(super) id: String,
    pub(super) version: String,
    pub(super) issue_instant: DateTime<Utc>,
    pub(super) issuer: Issuer,
    pub(super) subject: Option<SamlSubject>,
    pub(super) conditions: Option<Conditions>,
    pub(super) authn: Vec<AuthnStatement>,
    pub(super) attributes: Vec<Attribute>,
}

/// SAML Core §2.2.5.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Issuer {
    pub(super) value: String,
    pub(super) format: Option<String>,
}

/// SAML Core §2.4.1.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct SamlSubject {
    pub(super) name_id: Option<NameId>,
    pub(super) confirmations: Vec<Confirmation>,
}

/// SAML Core §2.2.3.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct NameId {
    pub(super) value: String,
    pub(super) format: Option<String>,
    pub(super) name_qualifier: Option<String>,
    pub(super) sp_name_qualifier: Option<String>,
}

/// SubjectConfirmation with its data (SAML Core §2.4.1.1, §2.4.1.2). `Address` is not read: behind proxies and
/// address translation it says nothing about who presents the assertion.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Confirmation {
    pub(super) method: String,
    /// Only a party that this NameID names may confirm; we cannot know that party.
    pub(super) names_a_presenter: bool,
    pub(super) recipient: Option<String>,
    pub(super) in_response_to: Option<String>,
    pub(super) not_before: Option<DateTime<Utc>>,
    pub(super) not_on_or_after: Option<DateTime<Utc>>,
}

impl Confirmation {
    pub(super) fn is_bearer(&self) -> bool {
        self.method == "urn:oasis:names:tc:SAML:2.0:cm:bearer" && !self.names_a_presenter
    }
}

/// SAML Core §2.5.1.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Conditions {
    pub(super) not_before: Option<DateTime<Utc>>,
    pub(super) not_on_or_after: Option<DateTime<Utc>>,
    /// The audiences of each AudienceRestriction.
    pub(super) audiences: Vec<Vec<String>>,
    /// Names of conditions other than AudienceRestriction, OneTimeUse and ProxyRestriction.
    pub(super) unknown: Vec<String>,
}

/// SAML Core §2.7.2.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct AuthnStatement {
    pub(super) instant: DateTime<Utc>,
    pub(super) session_index: Option<String>,
    pub(super) session_not_on_or_after: Option<DateTime<Utc>>,
    pub(super) class_ref: Option<String>,
}

/// SAML Core §2.7.3.1.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) values: Vec<AttributeValue>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum AttributeValue {
    /// `xsi:nil` (SAML Core §2.7.3.1.1).
    Null,
    /// Made of elements, such as eduPersonTargetedID.
    Structured,
    Text(String),
}
