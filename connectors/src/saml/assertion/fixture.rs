//! The one good answer from which the tests of the rules start.

use chrono::{DateTime, Utc};

use super::{
    Assertion, Attribute, AttributeValue, AuthnStatement, Conditions, Confirmation, Issuer, NameId,
    SamlSubject,
};
use crate::saml::{Envelope, Status};

pub(in crate::saml) const IDP: &str = "https://idp.acme.example/saml";
pub(in crate::saml) const SP: &str = "https://login.example.com/saml/acme/metadata";
pub(in crate::saml) const ACS: &str = "https://login.example.com/saml/acme/acs";
pub(in crate::saml) const REQUEST: &str = "_0f1e2d3c4b5a69788796a5b4c3d2e1f0";

pub(in crate::saml) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Issued at 12:00:00, good until 12:05:00.
pub(in crate::saml) fn good() -> Assertion {
    Assertion {
        id: "_a1".to_owned(),
        version: "2.0".to_owned(),
        issue_instant: at("2030-01-31T12:00:00Z"),
        issuer: Issuer { value: IDP.to_owned(), format: None },
        subject: Some(SamlSubject { name_id: Some(name_id()), confirmations: vec![bearer()] }),
        conditions: Some(Conditions {
            not_before: Some(at("2030-01-31T12:00:00Z")),
            not_on_or_after: Some(at("2030-01-31T12:05:00Z")),
            audiences: vec![vec![SP.to_owned()]],
            unknown: Vec::new(),
        }),
        authn: vec![authn()],
        attributes: vec![attribute("mail", &["alice@acme.example"])],
    }
}

pub(in crate::saml) fn name_id() -> NameId {
    NameId {
        value: "G-4711".to_owned(),
        format: Some("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent".to_owned()),
        name_qualifier: Some(IDP.to_owned()),
        sp_name_qualifier: None,
    }
}

pub(in crate::saml) fn bearer() -> Confirmation {
    Confirmation {
        method: "urn:oasis:names:tc:SAML:2.0:cm:bearer".to_owned(),
        names_a_presenter: false,
        recipient: Some(ACS.to_owned()),
        in_response_to: Some(REQUEST.to_owned()),
        not_before: None,
        not_on_or_after: Some(at("2030-01-31T12:05:00Z")),
    }
}

pub(in crate::saml) fn authn() -> AuthnStatement {
    AuthnStatement {
        instant: at("2030-01-31T11:59:30Z"),
        session_index: Some("_s1".to_owned()),
        session_not_on_or_after: None,
        class_ref: Some(
            "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport".to_owned(),
        ),
    }
}

pub(in crate::saml) fn attribute(name: &str, values: &[&str]) -> Attribute {
    let values = values.iter().map(|value| AttributeValue::Text((*value).to_owned())).collect();
    Attribute { name: name.to_owned(), values }
}

pub(in crate::saml) fn envelope() -> Envelope {
    Envelope {
        id: "_r1".to_owned(),
        version: "2.0".to_owned(),
        issue_instant: "2030-01-31T12:00:00Z".to_owned(),
        destination: Some(ACS.to_owned()),
        in_response_to: Some(REQUEST.to_owned()),
        issuer: Some(IDP.to_owned()),
        issuer_format: None,
        status: Status { codes: vec![Status::SUCCESS.to_owned()], message: None },
        is_signed: true,
    }
}
