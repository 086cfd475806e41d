//! Responses of the sample IdP and their signature.
//!
//! The XML is written in the form that exclusive canonicalization gives it (Exclusive XML Canonicalization §3): declarations
//! where a prefix is first used, attributes in order, no empty-element tags. What is digested is then what is sent.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use homerealm_certs::{SigningError, SpKey};

use crate::demo::user::SampleUser;

/// NameID that stays the same.
pub(super) const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
/// NameID that is new each time.
pub(super) const TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";

const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const SAMLP: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const STATUS: &str = "urn:oasis:names:tc:SAML:2.0:status";
const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const LIFETIME: TimeDelta = TimeDelta::minutes(5);

/// What a response says.
#[derive(Clone, Debug)]
pub(super) struct Says {
    pub(super) response_id: String,
    pub(super) assertion_id: String,
    pub(super) in_response_to: String,
    pub(super) issuer: String,
    pub(super) acs: String,
    pub(super) audience: String,
    pub(super) name_id_format: &'static str,
    pub(super) user: SampleUser,
    pub(super) issued: DateTime<Utc>,
}

/// A response whose assertion is signed; changing `says` afterwards breaks the signature.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    pub(super) says: Says,
    signature: String,
}

impl Signed {
    /// RSA-SHA256 over the assertion.
    pub(super) fn by(key: &SpKey, says: Says) -> Result<Self, SigningError> {
        let signature = signature(key, &says.assertion_id, &says.assertion(""))?;
        Ok(Self { says, signature })
    }

    pub(super) fn xml(&self) -> String {
        self.says.response("Success", "", &self.says.assertion(&self.signature))
    }
}

impl Says {
    /// Neither response nor assertion is signed.
    pub(super) fn unsigned(&self) -> String {
        self.response("Success", "", &self.assertion(""))
    }

    /// The user's own "no" (SAML Core §3.2.2.2): no assertion.
    pub(super) fn declined(&self) -> String {
        let second =
            format!(r#"<samlp:StatusCode Value="{STATUS}:RequestDenied"></samlp:StatusCode>"#);
        self.response("Responder", &second, "")
    }

    fn response(&self, status: &str, second: &str, assertion: &str) -> String {
        let (acs, answers) = (attribute(&self.acs), attribute(&self.in_response_to));
        let (id, issued, issuer) = (&self.response_id, time(self.issued), text(&self.issuer));
        format!(
            r#"<samlp:Response xmlns:samlp="{SAMLP}" Destination="{acs}" ID="{id}" InResponseTo="{answers}" IssueInstant="{issued}" Version="2.0"><saml:Issuer xmlns:saml="{SAML}">{issuer}</saml:Issuer><samlp:Status><samlp:StatusCode Value="{STATUS}:{status}">{second}</samlp:StatusCode></samlp:Status>{assertion}</samlp:Response>"#
        )
    }

    fn assertion(&self, signature: &str) -> String {
        let (id, issued, end) =
            (&self.assertion_id, time(self.issued), time(self.issued + LIFETIME));
        let (issuer, audience) = (text(&self.issuer), text(&self.audience));
        let (subject, conditions) = (self.subject(&end), self.conditions(&issued, &end, &audience));
        let attributes = self.attributes();
        format!(
            r#"<saml:Assertion xmlns:saml="{SAML}" ID="{id}" IssueInstant="{issued}" Version="2.0"><saml:Issuer>{issuer}</saml:Issuer>{signature}{subject}{conditions}<saml:AuthnStatement AuthnInstant="{issued}" SessionIndex="{id}"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement>{attributes}</saml:AttributeStatement></saml:Assertion>"#
        )
    }

    fn subject(&self, end: &str) -> String {
        let (format, subject) = (self.name_id_format, text(&self.user.subject));
        let (answers, acs) = (attribute(&self.in_response_to), attribute(&self.acs));
        format!(
            r#"<saml:Subject><saml:NameID Format="{format}">{subject}</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData InResponseTo="{answers}" NotOnOrAfter="{end}" Recipient="{acs}"></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>"#
        )
    }

    fn conditions(&self, issued: &str, end: &str, audience: &str) -> String {
        format!(
            r#"<saml:Conditions NotBefore="{issued}" NotOnOrAfter="{end}"><saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>"#
        )
    }

    fn attributes(&self) -> String {
        let user = &self.user;
        let name = user.name();
        let all = [
            ("email", &user.email),
            ("firstName", &user.given_name),
            ("lastName", &user.family_name),
            ("displayName", &name),
        ];
        all.into_iter()
            .map(|(name, value)| {
                let value = text(value);
                format!(
                    r#"<saml:Attribute Name="{name}" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:basic"><saml:AttributeValue>{value}</saml:AttributeValue></saml:Attribute>"#
                )
            })
            .collect()
    }
}

/// XML Signature over the element with this ID, enveloped in it.
fn signature(key: &SpKey, id: &str, signed: &str) -> Result<String, SigningError> {
    let value = STANDARD.encode(digest(&SHA256, signed.as_bytes()).as_ref());
    let info = format!(
        r##"<ds:CanonicalizationMethod Algorithm="{C14N}"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod><ds:Reference URI="#{id}"><ds:Transforms><ds:Transform Algorithm="{DS}enveloped-signature"></ds:Transform><ds:Transform Algorithm="{C14N}"></ds:Transform></ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod><ds:DigestValue>{value}</ds:DigestValue></ds:Reference></ds:SignedInfo>"##
    );
    let canonical = format!(r#"<ds:SignedInfo xmlns:ds="{DS}">{info}"#);
    let value = STANDARD.encode(key.sign_rsa_sha256(canonical.as_bytes())?);
    Ok(format!(
        r#"<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo>{info}<ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>"#
    ))
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Canonical XML 1.0 §2.3, text nodes.
fn text(value: &str) -> String {
    let escaped = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    escaped.replace('\r', "&#xD;")
}

/// Canonical XML 1.0 §2.3, attribute nodes; nothing that we write there holds white space.
fn attribute(value: &str) -> String {
    value.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
