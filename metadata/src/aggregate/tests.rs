use std::io::{BufReader, Read};

use super::*;
use crate::saml_idp::SamlIdpMetadata;
use crate::saml_idp::tests::{Idp, good, now};

fn group(attributes: &str, inside: &str) -> String {
    format!("<m:EntitiesDescriptor xmlns:m=\"{MD}\" {attributes}>{inside}</m:EntitiesDescriptor>")
}

fn other() -> Idp {
    Idp { entity_id: "urn:example:other", ..good() }
}

fn sp() -> String {
    format!(
        r#"<EntityDescriptor xmlns="{MD}" entityID="urn:example:sp"><SPSSODescriptor protocolSupportEnumeration="x"/></EntityDescriptor>"#
    )
}

fn read(xml: &str, choose: Option<&str>) -> Result<SamlIdpMetadata, MetadataRefusal> {
    let choose = choose.map(|id| EntityId::try_from(id).unwrap());
    SamlIdpMetadata::read(xml.as_bytes(), choose.as_ref(), now())
}

#[test]
fn takes_the_only_idp_among_other_entities() {
    let xml = group("Name=\"all\"", &(sp() + "<!-- a -->" + &group("", &good().xml()) + &sp()));
    assert_eq!(read(&xml, None).unwrap().entity_id.as_str(), "urn:example:idp");
}

#[test]
fn takes_the_chosen_idp_among_several() {
    let xml = group("", &(good().xml() + &other().xml()));
    assert_eq!(
        read(&xml, Some("urn:example:other")).unwrap().entity_id.as_str(),
        "urn:example:other"
    );
}

#[test]
fn refuses_to_choose_itself_and_says_how_many_there_are() {
    let refusal = read(&group("", &(good().xml() + &other().xml())), None).unwrap_err();
    assert_eq!(
        refusal,
        MetadataRefusal::SeveralIdps { count: 2, first: "urn:example:idp".to_owned() }
    );
    assert_eq!(
        refusal.to_string(),
        "there are 2 IdPs in the document, choose one by its entity id, such as `urn:example:idp`"
    );
}

#[test]
fn refuses_a_chosen_entity_that_is_not_there_or_no_idp() {
    let wanted = EntityId::try_from("urn:example:missing").unwrap();
    for xml in [good().xml(), group("", &good().xml())] {
        let refusal = read(&xml, Some("urn:example:missing")).unwrap_err();
        assert_eq!(refusal, MetadataRefusal::EntityNotFound { wanted: wanted.clone() });
    }
    let xml = group("", &(good().xml() + &sp()));
    assert_eq!(read(&xml, Some("urn:example:sp")).unwrap_err(), MetadataRefusal::NoIdpRole);
}

#[test]
fn refuses_the_chosen_idp_twice() {
    let refusal = read(&group("", &good().xml().repeat(2)), Some("urn:example:idp")).unwrap_err();
    assert_eq!(refusal.code(), "metadata_entity_twice");
}

#[test]
fn lists_entities_in_order() {
    let xml = group("", &(sp() + &good().xml()));
    let found = list(xml.as_bytes()).unwrap();
    let summary = |id: &str, is_idp| EntitySummary { entity_id: id.to_owned(), is_idp };
    assert_eq!(found, [summary("urn:example:sp", false), summary("urn:example:idp", true)]);
}

#[test]
fn an_entity_inherits_namespaces_and_keeps_its_own() {
    let inside = good()
        .xml()
        .replace(&format!(" xmlns=\"{MD}\""), "")
        .replace(" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"", "");
    let declarations = format!(
        "xmlns=\"{MD}\" xmlns:ds='http://www.w3.org/2000/09/xmldsig#' xmlns:q='urn:\"q' xmlns:r=\"urn:'r\""
    );
    let xml = format!("<EntitiesDescriptor {declarations}>{inside}</EntitiesDescriptor>");
    assert!(read(&xml, None).is_ok());
    // The inner declaration wins: here the entity's default namespace is another one.
    let shadowed = xml.replace("<EntityDescriptor ", "<EntityDescriptor xmlns=\"urn:x\" ");
    assert_eq!(read(&shadowed, None).unwrap_err(), MetadataRefusal::NoIdpRole);
}

#[test]
fn the_groups_valid_until_counts_for_the_entities_in_it() {
    let until = |time: &str| format!("validUntil=\"{time}\"");
    let inner = group(&until("2031-01-01T00:00:00Z"), &good().xml());
    let xml = group(
        &until("2032-01-01T00:00:00Z"),
        &(group(&until("2020-01-01T00:00:00Z"), &sp()) + &inner),
    );
    let read = read(&xml, None).unwrap();
    assert_eq!(read.valid_until.unwrap().to_rfc3339(), "2031-01-01T00:00:00+00:00");
}

#[test]
fn entities_in_other_places_are_not_entities() {
    let hidden =
        group("", &format!("<m:Extensions>{}</m:Extensions>{}", other().xml(), good().xml()));
    assert_eq!(list(hidden.as_bytes()).unwrap().len(), 1);
    let nested = good()
        .xml()
        .replace("</IDPSSODescriptor>", &format!("</IDPSSODescriptor>{}", other().xml()));
    assert_eq!(list(nested.as_bytes()).unwrap().len(), 1);
}

#[test]
fn refuses_other_documents() {
    for (xml, root) in [
        ("<a/>", "a"),
        ("<EntityDescriptor entityID='a'/>", "EntityDescriptor"),
        (
            "<m:IDPSSODescriptor xmlns:m='urn:oasis:names:tc:SAML:2.0:metadata'/>",
            "IDPSSODescriptor",
        ),
    ] {
        assert_eq!(
            read(xml, None).unwrap_err(),
            MetadataRefusal::NotMetadata { root: root.to_owned() }
        );
    }
    for (xml, code) in [
        ("", "xml_incomplete"),
        ("{}", "xml_outside_root"),
        ("<html><body>", "metadata_not_metadata"),
    ] {
        assert_eq!(read(xml, None).unwrap_err().code(), code);
    }
}

#[test]
fn a_truncated_or_broken_document_is_refused_even_behind_the_idp() {
    let xml = group("", &good().xml());
    for end in (1..xml.len()).step_by(7) {
        assert!(read(&xml[..end], None).is_err(), "{end}");
    }
    for tail in ["<a>", "</a>", "<p:a/>", "&x;", "<!DOCTYPE a>", "\u{1}", "]]>"] {
        let broken =
            xml.replace("</m:EntitiesDescriptor>", &format!("{tail}</m:EntitiesDescriptor>"));
        assert!(matches!(read(&broken, None), Err(MetadataRefusal::Xml(_))), "{tail}");
    }
}

#[test]
fn it_does_not_matter_where_a_stream_is_cut() {
    let xml =
        format!("\u{feff}<?xml version='1.0'?>\n<!-- é -->{}", group("x='é>'", &good().xml()));
    for size in [1, 2, 3, 7, 64] {
        let reader = BufReader::with_capacity(size, xml.as_bytes());
        let read = SamlIdpMetadata::read_from(reader, None, now()).unwrap();
        assert_eq!(read.entity_id.as_str(), "urn:example:idp");
    }
}

#[test]
fn refuses_an_entity_that_is_too_large_without_reading_on() {
    let huge = good().xml().replace(
        "</IDPSSODescriptor>",
        &format!("</IDPSSODescriptor>{}", "<!--x-->".repeat(140_000)),
    );
    assert_eq!(read(&huge, None).unwrap_err().code(), "metadata_entity_too_large");
    for endless in ["<", "<a b='", "<!--", "<a><![CDATA["] {
        let mut stream = BufReader::new(endless.as_bytes().chain(std::io::repeat(b'x')));
        let refusal = list(&mut stream).unwrap_err();
        assert!(
            matches!(refusal.code(), "metadata_entity_too_large" | "metadata_not_metadata"),
            "{endless}"
        );
    }
}

#[test]
fn thirty_megabytes_of_junk_are_refused_after_the_first_of_them() {
    let junk = vec![b'x'; 30_000_000];
    assert_eq!(list(&junk[..]).unwrap_err().code(), "metadata_entity_too_large");
    let nested = group("", &"<a>".repeat(1_000_000));
    assert_eq!(read(&nested, None).unwrap_err().code(), "xml_too_deep");
    let flat = group("", &"<m:a/>".repeat(1_000_000));
    assert_eq!(read(&flat, None).unwrap_err().code(), "xml_too_many_elements");
}

#[test]
fn an_input_that_fails_is_not_taken_for_its_end() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::ConnectionReset.into())
        }
    }
    let xml = good().xml();
    let refusal = list(BufReader::new(xml.as_bytes().chain(Broken))).unwrap_err();
    assert_eq!(refusal, MetadataRefusal::Unreadable(std::io::ErrorKind::ConnectionReset));
}

#[test]
fn refuses_to_copy_much_namespace_text_into_every_entity() {
    let around = |bytes: usize| {
        let name = "u".repeat(bytes - "mz".len() - "urn:".len() - MD.len());
        group(&format!("xmlns:z=\"urn:{name}\""), &good().xml())
    };

    assert!(read(&around(8 * 1024), None).is_ok());
    let refusal = read(&around(8 * 1024 + 1), None).unwrap_err();
    assert_eq!(refusal, MetadataRefusal::NamespacesTooLarge { limit: 8 * 1024 });
}
