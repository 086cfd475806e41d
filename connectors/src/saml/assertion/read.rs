//! From canonical bytes to [`Assertion`]: an unknown or repeated part is a refusal, never skipped over.

use chrono::{DateTime, Utc};

use super::{
    Assertion, Attribute, AttributeValue, AuthnStatement, Conditions, Confirmation, Issuer, NameId,
    SamlSubject,
};
use crate::saml::Rejection;
use crate::saml::instant::parse_instant;
use crate::saml::walk::{Content, Element, Space, Walk};

#[cfg(test)]
mod tests;

type Read<T> = Result<T, Rejection>;

impl Assertion {
    /// Reads the canonical bytes of one verified `saml:Assertion`.
    pub(in crate::saml) fn read(canonical: &[u8]) -> Read<Self> {
        let mut walk = Walk::new(canonical)?;
        let root = walk.root()?;
        if root.saml_name() != "Assertion" {
            return Err(Rejection::Malformed { what: "the signed part is not an Assertion" });
        }
        let mut parts = Parts::default();
        walk.children("text in Assertion", |walk, child| parts.take(walk, &child))?;
        walk.finish()?;
        Ok(Self {
            id: root.required("ID", "Assertion without ID")?,
            version: root.required("Version", "Assertion without Version")?,
            issue_instant: required_time(&root, "IssueInstant", "Assertion without IssueInstant")?,
            issuer: parts
                .issuer
                .ok_or(Rejection::Malformed { what: "Assertion without Issuer" })?,
            subject: parts.subject,
            conditions: parts.conditions,
            authn: parts.authn,
            attributes: parts.attributes,
        })
    }
}

#[derive(Default)]
struct Parts {
    issuer: Option<Issuer>,
    subject: Option<SamlSubject>,
    conditions: Option<Conditions>,
    authn: Vec<AuthnStatement>,
    attributes: Vec<Attribute>,
}

impl Parts {
    fn take(&mut self, walk: &mut Walk<'_>, child: &Element<'_>) -> Read<()> {
        match (child.space, child.local()) {
            (Space::Saml, "Issuer") => {
                once(&mut self.issuer, issuer(walk, child)?, "several Issuers")
            }
            (Space::Saml, "Subject") => once(&mut self.subject, subject(walk)?, "several Subjects"),
            (Space::Saml, "Conditions") => {
                once(&mut self.conditions, conditions(walk, child)?, "several Conditions")
            }
            (Space::Saml, "AuthnStatement") => {
                self.authn.push(authn_statement(walk, child)?);
                Ok(())
            }
            (Space::Saml, "AttributeStatement") => attribute_statement(walk, &mut self.attributes),
            // the verifier has judged the Signature; the others say nothing about who signed in
            (Space::Dsig, "Signature")
            | (Space::Saml, "Advice" | "AuthzDecisionStatement" | "Statement") => walk.skip(),
            (Space::Dsig | Space::Other | Space::Saml, _) => {
                Err(Rejection::Malformed { what: "unknown element in Assertion" })
            }
        }
    }
}

fn once<T>(slot: &mut Option<T>, value: T, what: &'static str) -> Read<()> {
    if slot.replace(value).is_some() {
        return Err(Rejection::Malformed { what });
    }
    Ok(())
}

fn issuer(walk: &mut Walk<'_>, element: &Element<'_>) -> Read<Issuer> {
    Ok(Issuer { format: element.attribute("Format")?, value: walk.text("Issuer")? })
}

fn subject(walk: &mut Walk<'_>) -> Read<SamlSubject> {
    let mut subject = SamlSubject::default();
    walk.children("text in Subject", |walk, child| match child.saml_name() {
        "NameID" => once(&mut subject.name_id, name_id(walk, &child)?, "several NameIDs"),
        "EncryptedID" => Err(Rejection::SubjectEncrypted),
        "SubjectConfirmation" => {
            subject.confirmations.push(confirmation(walk, &child)?);
            Ok(())
        }
        _ => Err(Rejection::Malformed { what: "unknown element in Subject" }),
    })?;
    Ok(subject)
}

fn name_id(walk: &mut Walk<'_>, element: &Element<'_>) -> Read<NameId> {
    Ok(NameId {
        format: element.attribute("Format")?,
        name_qualifier: element.attribute("NameQualifier")?,
        sp_name_qualifier: element.attribute("SPNameQualifier")?,
        value: walk.text("NameID")?,
    })
}

fn confirmation(walk: &mut Walk<'_>, element: &Element<'_>) -> Read<Confirmation> {
    let method = element.required("Method", "SubjectConfirmation without Method")?;
    let (mut data, mut names_a_presenter) = (None, false);
    walk.children("text in SubjectConfirmation", |walk, child| match child.saml_name() {
        "SubjectConfirmationData" => {
            once(&mut data, confirmation_data(&child)?, "several SubjectConfirmationData")?;
            walk.skip()
        }
        "BaseID" | "NameID" | "EncryptedID" => {
            names_a_presenter = true;
            walk.skip()
        }
        _ => Err(Rejection::Malformed { what: "unknown element in SubjectConfirmation" }),
    })?;
    Ok(Confirmation { method, names_a_presenter, ..data.unwrap_or_default() })
}

fn confirmation_data(element: &Element<'_>) -> Read<Confirmation> {
    Ok(Confirmation {
        recipient: element.attribute("Recipient")?,
        in_response_to: element.attribute("InResponseTo")?,
        not_before: time(element, "NotBefore")?,
        not_on_or_after: time(element, "NotOnOrAfter")?,
        ..Confirmation::default()
    })
}

fn conditions(walk: &mut Walk<'_>, element: &Element<'_>) -> Read<Conditions> {
    let mut conditions = Conditions {
        not_before: time(element, "NotBefore")?,
        not_on_or_after: time(element, "NotOnOrAfter")?,
        ..Conditions::default()
    };
    walk.children("text in Conditions", |walk, child| {
        match child.saml_name() {
            "AudienceRestriction" => {
                conditions.audiences.push(audiences(walk)?);
                return Ok(());
            }
            "OneTimeUse" | "ProxyRestriction" => {}
            _ => conditions.unknown.push(child.local().to_owned()),
        }
        walk.skip()
    })?;
    Ok(conditions)
}

fn audiences(walk: &mut Walk<'_>) -> Read<Vec<String>> {
    let mut audiences = Vec::new();
    walk.children("text in AudienceRestriction", |walk, child| {
        if child.saml_name() != "Audience" {
            return Err(Rejection::Malformed { what: "unknown element in AudienceRestriction" });
        }
        audiences.push(walk.text("Audience")?);
        Ok(())
    })?;
    Ok(audiences)
}

fn authn_statement(walk: &mut Walk<'_>, element: &Element<'_>) -> Read<AuthnStatement> {
    let mut statement = AuthnStatement {
        instant: required_time(element, "AuthnInstant", "AuthnStatement without AuthnInstant")?,
        session_index: element.attribute("SessionIndex")?,
        session_not_on_or_after: time(element, "SessionNotOnOrAfter")?,
        class_ref: None,
    };
    walk.children("text in AuthnStatement", |walk, child| match child.saml_name() {
        "AuthnContext" => authn_context(walk, &mut statement.class_ref),
        "SubjectLocality" => walk.skip(),
        _ => Err(Rejection::Malformed { what: "unknown element in AuthnStatement" }),
    })?;
    Ok(statement)
}

fn authn_context(walk: &mut Walk<'_>, class_ref: &mut Option<String>) -> Read<()> {
    walk.children("text in AuthnContext", |walk, child| {
        if child.saml_name() == "AuthnContextClassRef" {
            return once(
                class_ref,
                walk.text("AuthnContextClassRef")?,
                "several AuthnContextClassRefs",
            );
        }
        walk.skip()
    })
}

fn attribute_statement(walk: &mut Walk<'_>, attributes: &mut Vec<Attribute>) -> Read<()> {
    walk.children("text in AttributeStatement", |walk, child| match child.saml_name() {
        "Attribute" => {
            attributes.push(attribute(walk, &child)?);
            Ok(())
        }
        "EncryptedAttribute" => Err(Rejection::AttributeEncrypted),
        _ => Err(Rejection::Malformed { what: "unknown element in AttributeStatement" }),
    })
}

fn attribute(walk: &mut Walk<'_>, element: &Element<'_>) -> Read<Attribute> {
    let name = element.required("Name", "Attribute without Name")?;
    let mut values = Vec::new();
    walk.children("text in Attribute", |walk, child| {
        if child.saml_name() != "AttributeValue" {
            return Err(Rejection::Malformed { what: "unknown element in Attribute" });
        }
        values.push(attribute_value(walk, &child)?);
        Ok(())
    })?;
    Ok(Attribute { name, values })
}

fn attribute_value(walk: &mut Walk<'_>, element: &Element<'_>) -> Read<AttributeValue> {
    let nil = walk.is_nil(element);
    match walk.content()? {
        Content::Text(_) if nil => Ok(AttributeValue::Null),
        Content::Text(text) => Ok(AttributeValue::Text(text)),
        Content::Elements => Ok(AttributeValue::Structured),
        Content::Mixed => Err(Rejection::MixedContent { field: "AttributeValue" }),
    }
}

fn time(element: &Element<'_>, name: &'static str) -> Read<Option<DateTime<Utc>>> {
    element.attribute(name)?.map(|text| parse_instant(name, &text)).transpose()
}

fn required_time(
    element: &Element<'_>,
    name: &'static str,
    what: &'static str,
) -> Read<DateTime<Utc>> {
    parse_instant(name, &element.required(name, what)?)
}
