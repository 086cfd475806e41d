//! A SAML IdP: one key, and responses whose assertions it signs. The XML is written in its canonical form, so that what is
//! digested is what is sent.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{SecondsFormat, TimeDelta};
use homerealm_certs::SpKey;

use crate::catalog::{Connection, ConnectionOptions};
use crate::config::Issuer;
use crate::login::fixtures::{now, saml};
use crate::login::urls;

const ISSUER: &str = "https://idp.example/metadata";
const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const SAMLP: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const STATUS: &str = "urn:oasis:names:tc:SAML:2.0:status";
const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const XENC: &str = "http://www.w3.org/2001/04/xmlenc#";
const C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

pub(crate) struct Idp {
    key: SpKey,
}

/// What a response says; tests change one field.
#[derive(Clone)]
pub(crate) struct Says {
    pub(crate) id: String,
    pub(crate) in_response_to: Option<String>,
    pub(crate) mail: String,
    pub(crate) acs: String,
    pub(crate) audience: String,
    /// Minutes after the tests' beginning.
    pub(crate) minute: i64,
}

impl Idp {
    pub(crate) fn new() -> Self {
        Self { key: SpKey::generate("idp.example", now(), 365).unwrap() }
    }

    /// `acme-saml` at this IdP.
    pub(crate) fn connection(&self) -> Connection {
        let mut connection = saml();
        if let ConnectionOptions::Saml(options) = &mut connection.options {
            options.metadata_xml = self.metadata();
        }
        connection
    }

    fn metadata(&self) -> String {
        let certificate = STANDARD.encode(self.key.certificate().der());
        format!(
            r#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{ISSUER}"><IDPSSODescriptor protocolSupportEnumeration="{SAMLP}"><KeyDescriptor use="signing"><KeyInfo xmlns="{DS}"><X509Data><X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor><SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example/sso"/></IDPSSODescriptor></EntityDescriptor>"#
        )
    }

    /// A signed assertion in an unsigned response, as base64.
    pub(crate) fn response(&self, says: &Says) -> String {
        let unsigned = assertion(says, "");
        let signature = self.signature(&says.id, &unsigned);
        envelope(says, "Success", "", &assertion(says, &signature))
    }

    fn signature(&self, id: &str, signed: &str) -> String {
        let value = STANDARD.encode(digest(&SHA256, signed.as_bytes()).as_ref());
        let info = format!(
            r##"<ds:CanonicalizationMethod Algorithm="{C14N}"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod><ds:Reference URI="#{id}"><ds:Transforms><ds:Transform Algorithm="{DS}enveloped-signature"></ds:Transform><ds:Transform Algorithm="{C14N}"></ds:Transform></ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod><ds:DigestValue>{value}</ds:DigestValue></ds:Reference></ds:SignedInfo>"##
        );
        let canonical = format!(r#"<ds:SignedInfo xmlns:ds="{DS}">{info}"#);
        let value = STANDARD.encode(self.key.sign_rsa_sha256(canonical.as_bytes()).unwrap());
        format!(
            r#"<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo>{info}<ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>"#
        )
    }
}

impl Says {
    /// What the broker expects for this transaction of `acme-saml`.
    pub(crate) fn good(issuer: &Issuer, transaction: &str) -> Self {
        let connection = saml();
        Self {
            id: format!("_a{transaction}"),
            in_response_to: Some(format!("_{transaction}")),
            mail: "alice@acme.example".to_owned(),
            acs: urls::acs(issuer, &connection.name).into(),
            audience: urls::entity_id(issuer, &connection),
            minute: 0,
        }
    }

    /// A response with an assertion that is encrypted, or claims to be, under a key that `wrapped` is said to hold.
    pub(crate) fn encrypted(&self, wrapped: &[u8]) -> String {
        let (wrapped, content) = (STANDARD.encode(wrapped), STANDARD.encode([0; 64]));
        let assertion = format!(
            r#"<saml:EncryptedAssertion xmlns:saml="{SAML}"><xenc:EncryptedData xmlns:xenc="{XENC}" Type="{XENC}Element"><xenc:EncryptionMethod Algorithm="{XENC}aes256-cbc"/><ds:KeyInfo xmlns:ds="{DS}"><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="{XENC}rsa-oaep-mgf1p"/><xenc:CipherData><xenc:CipherValue>{wrapped}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo><xenc:CipherData><xenc:CipherValue>{content}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData></saml:EncryptedAssertion>"#
        );
        envelope(self, "Success", "", &assertion)
    }

    /// An unsigned response without an assertion, as base64.
    pub(crate) fn error(&self, second: &str) -> String {
        let inner = format!(r#"<samlp:StatusCode Value="{STATUS}:{second}"></samlp:StatusCode>"#);
        envelope(self, "Responder", &inner, "")
    }
}

fn time(minutes: i64) -> String {
    (now() + TimeDelta::minutes(minutes)).to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn answers(says: &Says) -> String {
    says.in_response_to.as_ref().map_or_else(String::new, |id| format!(r#" InResponseTo="{id}""#))
}

fn assertion(says: &Says, signature: &str) -> String {
    let Says { id, mail, acs, audience, .. } = says;
    let (issued, end, answers) = (time(says.minute), time(says.minute + 5), answers(says));
    format!(
        r#"<saml:Assertion xmlns:saml="{SAML}" ID="{id}" IssueInstant="{issued}" Version="2.0"><saml:Issuer>{ISSUER}</saml:Issuer>{signature}<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">u-1</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData{answers} NotOnOrAfter="{end}" Recipient="{acs}"></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="{issued}" NotOnOrAfter="{end}"><saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="{issued}"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement><saml:Attribute Name="mail"><saml:AttributeValue>{mail}</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion>"#
    )
}

fn envelope(says: &Says, status: &str, inner: &str, assertion: &str) -> String {
    let (issued, answers, acs) = (time(says.minute), answers(says), &says.acs);
    STANDARD.encode(format!(
        r#"<samlp:Response xmlns:samlp="{SAMLP}" Destination="{acs}" ID="_r1"{answers} IssueInstant="{issued}" Version="2.0"><saml:Issuer xmlns:saml="{SAML}">{ISSUER}</saml:Issuer><samlp:Status><samlp:StatusCode Value="{STATUS}:{status}">{inner}</samlp:StatusCode></samlp:Status>{assertion}</samlp:Response>"#
    ))
}
