use homerealm_certs::Certificate;

use super::*;
use crate::gate::{Limits, check};
use crate::saml_idp::tests::SIGNING;
use crate::xml_tree::Element;

fn good() -> SamlSpMetadata {
    let certificate = Certificate::from_base64(SIGNING).unwrap();
    SamlSpMetadata {
        entity_id: EntityId::try_from("https://login.example/saml/acme/metadata").unwrap(),
        acs_url: "https://login.example/saml/acme/acs".to_owned(),
        slo_url: Some("https://login.example/saml/acme/slo".to_owned()),
        signing: Some(certificate.clone()),
        encryption: Some(certificate),
        authn_requests_signed: true,
        want_assertions_signed: true,
        name_id_format: Some("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent".to_owned()),
        display_name: Some("Login & <more>".to_owned()),
    }
}

fn bare() -> SamlSpMetadata {
    SamlSpMetadata {
        slo_url: None,
        signing: None,
        encryption: None,
        authn_requests_signed: false,
        want_assertions_signed: false,
        name_id_format: None,
        display_name: None,
        ..good()
    }
}

#[test]
fn the_full_document_is_as_it_was() {
    assert_eq!(good().to_xml(), include_str!("../../testdata/sp_full.xml"));
}

#[test]
fn the_bare_document_is_as_it_was() {
    assert_eq!(bare().to_xml(), include_str!("../../testdata/sp_bare.xml"));
}

#[test]
fn an_encryption_key_is_shown_only_where_there_is_one() {
    let without = SamlSpMetadata { encryption: None, ..good() }.to_xml();
    assert!(!without.contains("encryption") && !without.contains("EncryptionMethod"));
    let first = ENCRYPTION_METHODS.first().unwrap();
    assert!(first.ends_with("-gcm"));
}

proptest::proptest! {
    #[test]
    fn what_is_written_reads_back(
        entity_id in "[!-~é€\u{10000}]([ -~é€\u{10000}]{0,40}[!-~é€])?",
        acs_url in "https://[ -~é\t\n\r]{1,40}",
        display_name in proptest::option::of("[ -~é€\u{10000}\t\n]{0,40}"),
    ) {
        let metadata = SamlSpMetadata {
            entity_id: EntityId::try_from(entity_id).unwrap(),
            acs_url,
            display_name,
            ..good()
        };

        let xml = metadata.to_xml();
        let root = Element::read(check(xml.as_bytes(), &Limits::METADATA).unwrap()).unwrap();

        let role = root.child(MD, "SPSSODescriptor").unwrap();
        let acs = role.child(MD, "AssertionConsumerService").unwrap();
        let shown = role
            .child(MD, "Extensions")
            .map(|e| e.child(MDUI, "UIInfo").unwrap().child(MDUI, "DisplayName").unwrap().text());
        proptest::prop_assert_eq!(root.attribute("entityID"), Some(metadata.entity_id.as_str()));
        proptest::prop_assert_eq!(acs.attribute("Location"), Some(metadata.acs_url.as_str()));
        proptest::prop_assert_eq!(shown, metadata.display_name.as_deref());
    }
}
