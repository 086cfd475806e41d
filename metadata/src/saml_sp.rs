//! Our own metadata as a service provider, one document a connection (SAML Metadata §2.4.4).

use homerealm_certs::Certificate;

use crate::entity_id::EntityId;
use crate::xml_names::{DS, MD, SAML2_BINDINGS, SAML2_PROTOCOL};
use crate::xml_text::{escape_attribute, escape_text};

#[cfg(test)]
mod tests;

/// What an IdP needs to know of us.
#[derive(Clone, Debug)]
pub struct SamlSpMetadata {
    /// Our name towards this IdP.
    pub entity_id: EntityId,
    /// Where responses are posted.
    pub acs_url: String,
    /// Where logout messages go, by redirect and by post.
    pub slo_url: Option<String>,
    /// The certificate of the key that signs our requests.
    pub signing: Option<Certificate>,
    /// The certificate of the key that assertions may be encrypted to. Some IdPs encrypt as soon as
    /// they see one, so it is here only where the connection turns encryption on.
    pub encryption: Option<Certificate>,
    /// Whether we sign AuthnRequests.
    pub authn_requests_signed: bool,
    /// Whether assertions must be signed themselves.
    pub want_assertions_signed: bool,
    /// The NameID format that we ask for; absent, the IdP chooses.
    pub name_id_format: Option<String>,
    /// What the IdP may show to people.
    pub display_name: Option<String>,
}

impl SamlSpMetadata {
    /// The document, valid by the schemas of SAML Metadata and of Metadata Extensions for Login and
    /// Discovery. The order of the elements is the schema's.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let entity_id = escape_attribute(self.entity_id.as_str());
        xml.push_str(&format!(
            "<md:EntityDescriptor xmlns:md=\"{MD}\" entityID=\"{entity_id}\">\n"
        ));
        xml.push_str(&format!(
            "  <md:SPSSODescriptor protocolSupportEnumeration=\"{SAML2_PROTOCOL}\" \
             AuthnRequestsSigned=\"{}\" WantAssertionsSigned=\"{}\">\n",
            self.authn_requests_signed, self.want_assertions_signed
        ));
        self.push_display_name(&mut xml);
        if let Some(certificate) = &self.signing {
            push_key(&mut xml, "signing", certificate, &[]);
        }
        if let Some(certificate) = &self.encryption {
            push_key(&mut xml, "encryption", certificate, ENCRYPTION_METHODS);
        }
        self.push_endpoints(&mut xml);
        xml.push_str("  </md:SPSSODescriptor>\n</md:EntityDescriptor>\n");
        xml
    }

    fn push_display_name(&self, xml: &mut String) {
        if let Some(name) = &self.display_name {
            xml.push_str(&format!(
                "    <md:Extensions>\n      <mdui:UIInfo xmlns:mdui=\"{MDUI}\">\n        \
                 <mdui:DisplayName xml:lang=\"en\">{}</mdui:DisplayName>\n      \
                 </mdui:UIInfo>\n    </md:Extensions>\n",
                escape_text(name)
            ));
        }
    }

    fn push_endpoints(&self, xml: &mut String) {
        if let Some(url) = &self.slo_url {
            let url = escape_attribute(url);
            for binding in ["HTTP-Redirect", "HTTP-POST"] {
                xml.push_str(&format!(
                    "    <md:SingleLogoutService Binding=\"{SAML2_BINDINGS}{binding}\" Location=\"{url}\"/>\n"
                ));
            }
        }
        if let Some(format) = &self.name_id_format {
            xml.push_str(&format!(
                "    <md:NameIDFormat>{}</md:NameIDFormat>\n",
                escape_text(format)
            ));
        }
        xml.push_str(&format!(
            "    <md:AssertionConsumerService Binding=\"{SAML2_BINDINGS}HTTP-POST\" \
             Location=\"{}\" index=\"0\" isDefault=\"true\"/>\n",
            escape_attribute(&self.acs_url)
        ));
    }
}

fn push_key(xml: &mut String, key_use: &str, certificate: &Certificate, methods: &[&str]) {
    xml.push_str(&format!(
        "    <md:KeyDescriptor use=\"{key_use}\">\n      <ds:KeyInfo xmlns:ds=\"{DS}\">\n        \
         <ds:X509Data>\n          <ds:X509Certificate>\n{}          </ds:X509Certificate>\n        \
         </ds:X509Data>\n      </ds:KeyInfo>\n",
        base64_lines(certificate.der())
    ));
    for method in methods {
        xml.push_str(&format!("      <md:EncryptionMethod Algorithm=\"{method}\"/>\n"));
    }
    xml.push_str("    </md:KeyDescriptor>\n");
}

/// Lines of 64 characters, as in PEM (RFC 7468 §2): some IdPs read the text into PEM as it is.
fn base64_lines(bytes: &[u8]) -> String {
    use base64::Engine;

    let mut lines = String::new();
    for line in bytes.chunks(48) {
        base64::engine::general_purpose::STANDARD.encode_string(line, &mut lines);
        lines.push('\n');
    }
    lines
}

/// SAML Metadata Extensions for Login and Discovery User Interface §2.1.
const MDUI: &str = "urn:oasis:names:tc:SAML:metadata:ui";

/// What we can decrypt, best first (XML Encryption 1.1 §5): authenticated modes before CBC, which
/// many IdPs still choose, and no key transport but OAEP.
const ENCRYPTION_METHODS: &[&str] = &[
    "http://www.w3.org/2009/xmlenc11#aes256-gcm",
    "http://www.w3.org/2009/xmlenc11#aes128-gcm",
    "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
    "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
    "http://www.w3.org/2009/xmlenc11#rsa-oaep",
    "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
];
