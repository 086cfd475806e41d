//! `samlp:AuthnRequest` (SAML Core §3.4.1), written in the form that exclusive canonicalization would give it.
//!
//! So: declarations where a prefix is first used, attributes sorted by name, no empty-element tags, the
//! canonical escapes. A signature can then be made over the text as it stands.

use chrono::{DateTime, SecondsFormat, Utc};

/// The one message that we send to an identity provider.
#[derive(Debug)]
pub(super) struct AuthnRequest<'a> {
    pub(super) acs: &'a str,
    /// Authentication context classes; none: no RequestedAuthnContext, which many IdPs fail on.
    pub(super) acr_values: &'a [String],
    pub(super) destination: &'a str,
    pub(super) force_authn: bool,
    pub(super) id: &'a str,
    pub(super) issue_instant: DateTime<Utc>,
    pub(super) issuer: &'a str,
    /// None: no NameIDPolicy, the IdP decides.
    pub(super) name_id_format: Option<&'a str>,
}

impl AuthnRequest<'_> {
    pub(super) fn to_xml(&self) -> String {
        self.with_signature("")
    }

    /// The Signature's place is right after Issuer (SAML Core §3.2.1).
    pub(super) fn with_signature(&self, signature: &str) -> String {
        let mut xml = self.start_tag();
        xml.push_str(r#"<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">"#);
        push_text(&mut xml, self.issuer);
        xml.push_str("</saml:Issuer>");
        xml.push_str(signature);
        if let Some(format) = self.name_id_format {
            xml.push_str(r#"<samlp:NameIDPolicy AllowCreate="true""#);
            push_attribute(&mut xml, "Format", format);
            xml.push_str("></samlp:NameIDPolicy>");
        }
        self.push_authn_context(&mut xml);
        xml.push_str("</samlp:AuthnRequest>");
        xml
    }

    fn start_tag(&self) -> String {
        let mut xml = String::with_capacity(1024);
        xml.push_str(r#"<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol""#);
        push_attribute(&mut xml, "AssertionConsumerServiceURL", self.acs);
        push_attribute(&mut xml, "Destination", self.destination);
        if self.force_authn {
            push_attribute(&mut xml, "ForceAuthn", "true");
        }
        push_attribute(&mut xml, "ID", self.id);
        push_attribute(
            &mut xml,
            "IssueInstant",
            &self.issue_instant.to_rfc3339_opts(SecondsFormat::Secs, true),
        );
        push_attribute(
            &mut xml,
            "ProtocolBinding",
            "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
        );
        push_attribute(&mut xml, "Version", "2.0");
        xml.push('>');
        xml
    }

    /// SAML Core §3.3.2.2.1: any one of the classes, exactly.
    fn push_authn_context(&self, xml: &mut String) {
        if self.acr_values.is_empty() {
            return;
        }
        xml.push_str(r#"<samlp:RequestedAuthnContext Comparison="exact">"#);
        for class in self.acr_values {
            xml.push_str(
                r#"<saml:AuthnContextClassRef xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">"#,
            );
            push_text(xml, class);
            xml.push_str("</saml:AuthnContextClassRef>");
        }
        xml.push_str("</samlp:RequestedAuthnContext>");
    }
}

fn push_attribute(xml: &mut String, name: &str, value: &str) {
    xml.push(' ');
    xml.push_str(name);
    xml.push_str("=\"");
    for c in value.chars() {
        match c {
            '"' => xml.push_str("&quot;"),
            '\t' => xml.push_str("&#x9;"),
            '\n' => xml.push_str("&#xA;"),
            '>' => xml.push('>'),
            other => push_character(xml, other),
        }
    }
    xml.push('"');
}

fn push_text(xml: &mut String, text: &str) {
    text.chars().for_each(|c| push_character(xml, c));
}

/// Canonical XML 1.0 §2.3; what XML has no character for is replaced.
fn push_character(xml: &mut String, c: char) {
    match c {
        '&' => xml.push_str("&amp;"),
        '<' => xml.push_str("&lt;"),
        '>' => xml.push_str("&gt;"),
        '\r' => xml.push_str("&#xD;"),
        '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
            xml.push(char::REPLACEMENT_CHARACTER);
        }
        other => xml.push(other),
    }
}
