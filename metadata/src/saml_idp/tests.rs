use chrono::TimeDelta;

use super::*;
use crate::xml_names::SAML2_BINDINGS;

mod keys;

pub(crate) const SIGNING: &str = include_str!("../../testdata/signing.b64");

/// One IdP whose parts the tests replace.
#[derive(Clone)]
pub(crate) struct Idp {
    pub(crate) entity_id: &'static str,
    pub(crate) attributes: String,
    pub(crate) role_attributes: String,
    pub(crate) protocols: &'static str,
    pub(crate) keys: String,
    pub(crate) endpoints: String,
}

pub(crate) fn good() -> Idp {
    Idp {
        entity_id: "urn:example:idp",
        attributes: String::new(),
        role_attributes: String::new(),
        protocols: SAML2_PROTOCOL,
        keys: key("use=\"signing\"", &x509(SIGNING)),
        endpoints: sso("HTTP-Redirect", "https://idp.example/sso"),
    }
}

impl Idp {
    pub(crate) fn xml(&self) -> String {
        let Self { entity_id, attributes, role_attributes, protocols, keys, endpoints } = self;
        format!(
            r#"<EntityDescriptor xmlns="{MD}" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="{entity_id}" {attributes}>
  <IDPSSODescriptor protocolSupportEnumeration="{protocols}" {role_attributes}>{keys}{endpoints}</IDPSSODescriptor>
</EntityDescriptor>"#
        )
    }

    fn read(&self) -> Result<SamlIdpMetadata, MetadataRefusal> {
        SamlIdpMetadata::read(self.xml().as_bytes(), None, now())
    }
}

fn key(attribute: &str, info: &str) -> String {
    format!("<KeyDescriptor {attribute}><ds:KeyInfo>{info}</ds:KeyInfo></KeyDescriptor>")
}

fn x509(base64: &str) -> String {
    format!("<ds:X509Data><ds:X509Certificate>{base64}</ds:X509Certificate></ds:X509Data>")
}

fn sso(binding: &str, location: &str) -> String {
    format!(r#"<SingleSignOnService Binding="{SAML2_BINDINGS}{binding}" Location="{location}"/>"#)
}

fn slo(attributes: &str) -> String {
    format!(r#"<SingleLogoutService Binding="{SAML2_BINDINGS}HTTP-POST" {attributes}/>"#)
}

pub(crate) fn now() -> DateTime<Utc> {
    at("2030-01-01T00:00:00Z")
}

fn at(text: &str) -> DateTime<Utc> {
    read_time(text).unwrap()
}

fn fingerprint(base64: &str) -> String {
    Certificate::from_base64(base64).unwrap().sha256_hex().to_owned()
}

fn keys_of(metadata: &SamlIdpMetadata) -> usize {
    metadata.trusted_keys().iter().count()
}

#[test]
fn reads_a_small_idp() {
    let read = good().read().unwrap();

    assert_eq!(read.entity_id.as_str(), "urn:example:idp");
    assert_eq!(read.sso_location(&Binding::HttpRedirect), Some("https://idp.example/sso"));
    assert_eq!(read.sso_location(&Binding::HttpPost), None);
    assert_eq!(read.signing_certificates().len(), 1);
    assert_eq!(keys_of(&read), 1);
    assert!(read.slo.is_empty() && read.warnings.is_empty() && !read.want_authn_requests_signed);
}

#[test]
fn its_json_is_the_answer_of_inspect() {
    let metadata = good().read().unwrap();
    let not_after = metadata.certificates[0].not_after;
    assert_eq!(
        metadata.to_json(),
        serde_json::json!({
            "entity_id": "urn:example:idp",
            "sso": [{"binding": "HTTP-Redirect", "url": "https://idp.example/sso"}],
            "slo": [],
            "certificates": [{
                "sha256": fingerprint(SIGNING), "subject": "CN=signing", "not_after": not_after, "use": "signing",
            }],
            "name_id_formats": [],
            "want_authn_requests_signed": false,
            "valid_until": null,
            "warnings": [],
        })
    );
}

#[test]
fn refuses_metadata_without_a_saml_2_idp_role() {
    let saml1 = Idp { protocols: "urn:oasis:names:tc:SAML:1.1:protocol", ..good() };
    assert_eq!(saml1.read().unwrap_err(), MetadataRefusal::NoIdpRole);
    let sp_only = good().xml().replace("IDPSSODescriptor", "SPSSODescriptor");
    let read = |xml: &str| SamlIdpMetadata::read(xml.as_bytes(), None, now());
    assert_eq!(read(&sp_only).unwrap_err(), MetadataRefusal::NoIdpRole);
    let elsewhere = good().xml().replace("<IDPSSODescriptor", "<Extensions><IDPSSODescriptor");
    let elsewhere = elsewhere.replace("</IDPSSODescriptor>", "</IDPSSODescriptor></Extensions>");
    assert_eq!(read(&elsewhere).unwrap_err(), MetadataRefusal::NoIdpRole);
    let both = Idp {
        protocols: "urn:oasis:names:tc:SAML:1.1:protocol urn:oasis:names:tc:SAML:2.0:protocol",
        ..good()
    };
    assert!(both.read().is_ok());
}

#[test]
fn refuses_metadata_without_a_location_for_a_browser() {
    for endpoints in [String::new(), sso("SOAP", "https://idp.example/soap")] {
        assert_eq!(Idp { endpoints, ..good() }.read().unwrap_err(), MetadataRefusal::NoSsoEndpoint);
    }
}

#[test]
fn refuses_locations_of_other_schemes() {
    for (bad, scheme) in [
        ("javascript:alert(1)", "javascript"),
        ("data:text/html,x", "data"),
        ("JavaScript:alert(1)", "javascript"),
        ("file:///etc/passwd", "file"),
        ("ftp://idp.example/", "ftp"),
    ] {
        let refusal = |service, endpoints| {
            let expected = MetadataRefusal::LocationScheme { service, scheme: scheme.to_owned() };
            assert_eq!(Idp { endpoints, ..good() }.read().unwrap_err(), expected);
        };
        refusal("SSO", good().endpoints + &sso("HTTP-POST", bad));
        refusal("SLO", good().endpoints + &slo(&format!("Location=\"{bad}\"")));
        refusal(
            "SLO",
            good().endpoints
                + &slo(&format!("Location=\"https://a.example\" ResponseLocation=\"{bad}\"")),
        );
    }
}

#[test]
fn refuses_locations_that_are_no_urls() {
    for bad in [
        "",
        "/sso",
        "idp.example/sso",
        "https://",
        "https:idp.example",
        "https:///idp.example",
        "https://idp.example/a b",
        "https://idp.example\\@evil.example/",
    ] {
        let refusal = Idp { endpoints: sso("HTTP-POST", bad), ..good() }.read().unwrap_err();
        assert_eq!(refusal.code(), "metadata_location_invalid", "{bad}");
    }
}

#[test]
fn http_locations_are_a_warning_and_told_apart() {
    let endpoints = sso("HTTP-POST", "http://idp.example/sso")
        + &slo("Location=\"https://idp.example/slo\" ResponseLocation=\"HTTP://idp.example/r\"");
    let read = Idp { endpoints, ..good() }.read().unwrap();
    assert_eq!(read.http_locations(), ["http://idp.example/sso", "HTTP://idp.example/r"]);
    assert_eq!(read.warnings.len(), 2);
}

#[test]
fn a_location_is_kept_as_it_is_written() {
    let endpoints = sso("HTTP-POST", " https://IDP.example:443/sso?a=1&amp;b=%2F ");
    let read = Idp { endpoints, ..good() }.read().unwrap();
    assert_eq!(
        read.sso_location(&Binding::HttpPost),
        Some("https://IDP.example:443/sso?a=1&b=%2F")
    );
}

#[test]
fn other_bindings_keep_their_name() {
    let other = r#"<SingleSignOnService Binding="urn:mace:shibboleth:1.0:profiles:AuthnRequest" Location="https://idp.example/1"/>"#;
    let endpoints = good().endpoints + &sso("SOAP", "https://idp.example/soap") + other;
    let names: Vec<String> = Idp { endpoints, ..good() }
        .read()
        .unwrap()
        .sso
        .iter()
        .map(|e| e.binding.to_string())
        .collect();
    assert_eq!(names, ["HTTP-Redirect", "SOAP", "urn:mace:shibboleth:1.0:profiles:AuthnRequest"]);
}

#[test]
fn metadata_is_expired_from_valid_until_on() {
    let until = at("2030-01-01T00:00:00Z");
    let idp = Idp { attributes: "validUntil=\"2030-01-01T00:00:00Z\"".to_owned(), ..good() };
    let read = |now| SamlIdpMetadata::read(idp.xml().as_bytes(), None, now).unwrap();

    let before = read(until - TimeDelta::seconds(1));
    assert!(!before.is_expired(until - TimeDelta::seconds(1)) && before.warnings.is_empty());
    let after = read(until);
    assert!(after.is_expired(until));
    assert!(after.warnings[0].contains("expired on 2030-01-01"), "{:?}", after.warnings);
}

#[test]
fn the_earliest_valid_until_counts() {
    let idp = Idp {
        attributes: "validUntil=\"2035-01-01T00:00:00Z\"".to_owned(),
        role_attributes: "validUntil=\"2034-06-01T02:00:00+02:00\"".to_owned(),
        ..good()
    };
    assert_eq!(idp.read().unwrap().valid_until, Some(at("2034-06-01T00:00:00Z")));
}

#[test]
fn a_time_without_zone_is_utc_and_nonsense_is_refused() {
    assert_eq!(at("2030-01-01T00:00:00.5"), at("2030-01-01T00:00:00.5Z"));
    for bad in ["", "tomorrow", "2030-01-01", "2030-13-01T00:00:00Z", "1893456000"] {
        let idp = Idp { attributes: format!("validUntil=\"{bad}\""), ..good() };
        assert_eq!(idp.read().unwrap_err().code(), "metadata_valid_until_unreadable", "{bad}");
    }
}

#[test]
fn a_certificate_that_ended_is_a_warning() {
    let late = at("2200-01-01T00:00:00Z");
    let read = SamlIdpMetadata::read(good().xml().as_bytes(), None, late).unwrap();
    assert!(read.warnings[0].contains("keys are pinned"), "{:?}", read.warnings);
    assert_eq!(keys_of(&read), 1);
}

#[test]
fn refuses_an_entity_id_that_is_none() {
    for entity_id in ["", " urn:a", "urn:\u{200b}a"] {
        let refusal = Idp { entity_id, ..good() }.read().unwrap_err();
        assert_eq!(refusal.code(), "metadata_entity_id_invalid");
    }
}

#[test]
fn reads_what_the_role_wants_and_offers() {
    let formats = "<NameIDFormat>\n urn:f1 </NameIDFormat><NameIDFormat>urn:f1</NameIDFormat><NameIDFormat>urn:<!-- x -->f2</NameIDFormat>";
    let idp = Idp {
        role_attributes: "WantAuthnRequestsSigned=\"1\"".to_owned(),
        endpoints: formats.to_owned() + &good().endpoints,
        ..good()
    };
    let read = idp.read().unwrap();
    assert!(read.want_authn_requests_signed);
    assert_eq!(read.name_id_formats, ["urn:f1", "urn:f2"]);
}

#[test]
fn the_gate_comes_first() {
    let xxe = format!("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>{}", good().xml());
    let refusal = SamlIdpMetadata::read(xxe.as_bytes(), None, now()).unwrap_err();
    assert_eq!(refusal.code(), "xml_doctype");
}
