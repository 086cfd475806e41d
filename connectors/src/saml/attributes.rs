//! From the assertion's subject and attributes to a [`Subject`] and merged attribute values.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

use super::assertion::{Assertion, Attribute, AttributeValue, NameId};
use super::rejection::Rejection;
use crate::assertion::Subject;
use crate::invisible::{has_invisible, visible};

/// What names the user, by the connection's settings.
#[derive(Clone, Copy, Debug)]
pub(super) enum SubjectRule<'a> {
    /// The one value of this attribute.
    Attribute(&'a str),
    /// Entra ID: tenant and object identifier, which stay when everything else about a user changes.
    Entra,
    NameId,
}

/// Who the assertion is about; refused where that is not one lasting, visible name.
pub(super) fn subject(assertion: &Assertion, rule: SubjectRule<'_>) -> Result<Subject, Rejection> {
    match rule {
        SubjectRule::Attribute(name) => subject_by_attribute(&assertion.attributes, name),
        SubjectRule::Entra => subject_in_entra(&assertion.attributes),
        SubjectRule::NameId => subject_by_name_id(assertion),
    }
}

const TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
const UNSPECIFIED: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";
const EMAIL_ADDRESS: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";

/// SAML Core §2.2.3, §8.3: verbatim, with Format and qualifiers. No Format means unspecified (§2.2.2).
fn subject_by_name_id(assertion: &Assertion) -> Result<Subject, Rejection> {
    let name_id = assertion.subject.as_ref().and_then(|subject| subject.name_id.clone());
    let Some(NameId { value, format, name_qualifier, sp_name_qualifier }) =
        name_id.filter(|n| !n.value.is_empty())
    else {
        return Err(Rejection::SubjectTransient { received: None });
    };
    let format = format.unwrap_or_else(|| UNSPECIFIED.to_owned());
    if format == TRANSIENT {
        return Err(Rejection::SubjectTransient { received: Some(format) });
    }
    is_fit_for_a_subject(&value, "NameID")?;
    let mutable_email_like = format == EMAIL_ADDRESS || is_email_like(&value);
    Ok(Subject {
        value,
        format: Some(format),
        name_qualifier,
        sp_name_qualifier,
        mutable_email_like,
    })
}

fn subject_by_attribute(attributes: &[Attribute], name: &str) -> Result<Subject, Rejection> {
    let value = single_value(attributes, name)?;
    is_fit_for_a_subject(&value, "the subject attribute")?;
    let mutable_email_like = is_email_like(&value);
    Ok(Subject {
        format: Some(format!("attribute:{name}")),
        mutable_email_like,
        ..Subject::bare(value)
    })
}

const ENTRA_TENANT: &str = "http://schemas.microsoft.com/identity/claims/tenantid";
const ENTRA_OBJECT: &str = "http://schemas.microsoft.com/identity/claims/objectidentifier";

/// Both are GUIDs; anything else could make two pairs look like one.
fn subject_in_entra(attributes: &[Attribute]) -> Result<Subject, Rejection> {
    let tenant = guid(attributes, ENTRA_TENANT)?;
    let object = guid(attributes, ENTRA_OBJECT)?;
    Ok(Subject::bare(format!("{tenant}:{object}")))
}

fn guid(attributes: &[Attribute], name: &'static str) -> Result<String, Rejection> {
    let value = single_value(attributes, name)?;
    if is_guid(&value) { Ok(value) } else { Err(Rejection::SubjectAttributeUnreadable { name }) }
}

fn is_guid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The subject is the one thing of which there may not be several values.
fn single_value(attributes: &[Attribute], name: &str) -> Result<String, Rejection> {
    let mut values =
        attributes.iter().filter(|attribute| attribute.name == name).flat_map(|a| &a.values);
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(Rejection::SubjectSeveralValues { name: name.to_owned() });
    }
    match first {
        Some(AttributeValue::Text(text)) if !text.is_empty() => Ok(text.clone()),
        Some(AttributeValue::Structured) => {
            Err(Rejection::MixedContent { field: "the subject attribute" })
        }
        Some(AttributeValue::Text(_) | AttributeValue::Null) | None => {
            Err(Rejection::SubjectAttributeMissing { name: name.to_owned() })
        }
    }
}

/// Longer than any identifier in SAML (Core §8.3.7 allows 256 characters, entity IDs have 1024).
const MAX_SUBJECT_CHARACTERS: usize = 1024;

fn is_fit_for_a_subject(value: &str, field: &'static str) -> Result<(), Rejection> {
    if has_invisible(value) {
        return Err(Rejection::InvisibleCharacters { field });
    }
    if value.chars().count() > MAX_SUBJECT_CHARACTERS {
        return Err(Rejection::Malformed { what: "subject of more than 1024 characters" });
    }
    Ok(())
}

/// All text values under their names; attributes of one name are merged, in document order (Keycloak sends one
/// attribute per role). Null and structured values are left out: no claim is made of them.
pub(super) fn merged(
    attributes: Vec<Attribute>,
) -> Result<BTreeMap<String, Vec<Value>>, Rejection> {
    let mut merged: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for attribute in attributes {
        let values = merged.entry(attribute.name).or_default();
        for value in attribute.values {
            let AttributeValue::Text(text) = value else { continue };
            if is_email_with_invisible(&text) {
                return Err(Rejection::InvisibleCharacters { field: "an e-mail address" });
            }
            values.push(Value::String(text));
        }
    }
    Ok(merged)
}

/// Which attribute is the e-mail is decided by the claim mapping, later; so every value that would be one if its
/// invisible characters were not there is refused.
fn is_email_with_invisible(text: &str) -> bool {
    has_invisible(text) && is_email_like(&visible(text))
}

/// One `@` with something on both sides, no white space: prose about an address is not one.
fn is_email_like(text: &str) -> bool {
    let sides = text.split_once('@');
    sides.is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains('@')
    }) && !text.contains(char::is_whitespace)
}

const AUTHN_METHODS: &str = "http://schemas.microsoft.com/claims/authnmethodsreferences";
const EMAIL_VERIFIED: [&str; 2] = ["email_verified", "http://schemas.auth0.com/email_verified"];

/// Entra ID and ADFS say how the user authenticated in an attribute; SAML itself has no place for it.
pub(super) fn authn_methods(attributes: &BTreeMap<String, Vec<Value>>) -> Vec<String> {
    let values = attributes.get(AUTHN_METHODS).into_iter().flatten();
    values.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What the IdP says about the e-mail: one "false" outweighs everything, other words say nothing.
pub(super) fn email_verified(attributes: &BTreeMap<String, Vec<Value>>) -> Option<bool> {
    let values = EMAIL_VERIFIED
        .iter()
        .filter_map(|name| attributes.get(*name))
        .flatten()
        .filter_map(Value::as_str);
    values
        .filter_map(|value| value.to_ascii_lowercase().parse::<bool>().ok())
        .reduce(|all, one| all && one)
}
