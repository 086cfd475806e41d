//! Large inputs, built in memory: each is refused for what it is, by the gate where it is the gate's to refuse.
//!
//! Every document is judged twice: with the default limit of 256 KiB, and with a limit of 64 MiB, so that the rules
//! behind the size are seen to hold without it.

#![cfg(test)]

use std::path::Path;

use homerealm_certs::{Certificate, TrustedKeys};
use homerealm_connectors::saml::{Received, Rejection, VerifyPolicy};

const DEFAULT: usize = 256 * 1024;
const RAISED: usize = 64 * 1024 * 1024;
const TOO_LARGE: Rejection = Rejection::ResponseTooLarge { limit: DEFAULT };

fn refusal(document: &str, max_response_bytes: usize) -> Rejection {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/saml/keys/idp.der");
    let certificate = Certificate::from_der(&std::fs::read(path).unwrap()).unwrap();
    let keys = TrustedKeys::try_from(vec![certificate.key().clone()]).unwrap();
    let policy = VerifyPolicy {
        keys: &keys,
        decryption: None,
        allow_sha1: false,
        allow_inclusive_c14n: false,
        max_response_bytes,
    };
    let verdict = Received::parse_xml(document.as_bytes(), &policy)
        .and_then(|received| received.verify(&policy));
    verdict.expect_err("accepted")
}

fn response(content: &str) -> String {
    format!(
        r#"<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r1" IssueInstant="2026-01-01T00:00:00Z" Version="2.0"><samlp:Extensions>{content}</samlp:Extensions><samlp:Status><samlp:StatusCode Value="x"/></samlp:Status></samlp:Response>"#
    )
}

fn xml(reason: &'static str) -> Rejection {
    Rejection::Xml { reason }
}

fn numbered(count: usize, one: impl Fn(usize) -> String) -> String {
    (0..count).map(one).collect()
}

#[test]
fn a_document_of_the_same_frame_reaches_the_verifier() {
    assert_eq!(refusal(&response("<a/>"), DEFAULT), Rejection::AssertionMissing);
}

#[test]
fn refuses_depth_bombs() {
    for (depth, by_default) in
        [(100_000, TOO_LARGE), (2_000, xml("xml_too_deep")), (60, xml("xml_too_deep"))]
    {
        let document = response(&("<a>".repeat(depth) + &"</a>".repeat(depth)));
        assert_eq!(refusal(&document, DEFAULT), by_default);
        assert_eq!(refusal(&document, RAISED), xml("xml_too_deep"));
    }
}

#[test]
fn refuses_an_element_with_very_many_attributes() {
    for (count, by_default) in [(50_000, TOO_LARGE), (5_000, xml("xml_too_many_attributes"))] {
        let attributes = numbered(count, |i| format!(" a{i}=''"));
        let document = response(&format!("<a{attributes}/>"));
        assert_eq!(refusal(&document, DEFAULT), by_default);
        assert_eq!(refusal(&document, RAISED), xml("xml_too_many_attributes"));
    }
}

#[test]
fn refuses_an_element_with_very_many_namespaces() {
    let declarations = numbered(20_000, |i| format!(" xmlns:n{i}='urn:{i}'"));
    let document = response(&format!("<a{declarations}>{}</a>", "<b/>".repeat(2_000)));

    assert_eq!(refusal(&document, DEFAULT), TOO_LARGE);
    assert_eq!(refusal(&document, RAISED), xml("xml_too_many_attributes"));
}

#[test]
fn refuses_namespaces_that_pile_up_on_the_way_down() {
    let open = numbered(40, |level| {
        format!("<a{}>", numbered(4, |i| format!(" xmlns:n{level}x{i}='urn:{i}'")))
    });
    let document = response(&format!("{open}{}{}", "<b/>".repeat(10_000), "</a>".repeat(40)));

    assert_eq!(refusal(&document, DEFAULT), xml("xml_too_many_namespaces"));
}

#[test]
fn refuses_namespaces_that_come_one_after_the_other() {
    let document = response(&numbered(10_000, |i| format!("<a xmlns:n{i}='urn:{i}'/>")));

    assert_eq!(refusal(&document, RAISED), xml("xml_too_many_names"));
}

#[test]
fn refuses_very_many_elements() {
    let document = response(&"<a/>".repeat(1_000_000));

    assert_eq!(refusal(&document, DEFAULT), TOO_LARGE);
    assert_eq!(refusal(&document, RAISED), xml("xml_too_many_elements"));
    assert_eq!(refusal(&response(&"<a/>".repeat(20_000)), DEFAULT), xml("xml_too_many_elements"));
    let ids = response(&numbered(100_000, |i| format!("<a ID='_i{i}'/>")));
    assert_eq!(refusal(&ids, RAISED), xml("xml_too_many_elements"));
}

#[test]
fn refuses_long_text_comments_and_values_by_their_size() {
    let long = "x".repeat(8 * 1024 * 1024);

    for document in [
        response(&long),
        response(&format!("<!--{long}-->")),
        response(&format!("<a b='{long}'/>")),
        response(&format!("<![CDATA[{long}]]>")),
    ] {
        assert_eq!(refusal(&document, DEFAULT), TOO_LARGE);
    }
}

#[test]
fn refuses_entity_bombs_by_their_declaration() {
    let entities =
        numbered(9, |i| format!("<!ENTITY l{} \"{}\">", i + 1, format!("&l{i};").repeat(10)));
    let document = format!("<!DOCTYPE r [<!ENTITY l0 \"lol\">{entities}]>{}", response("&l9;"));

    assert_eq!(refusal(&document, DEFAULT), xml("xml_doctype"));
    assert_eq!(refusal(&response("&l9;"), DEFAULT), xml("xml_reference"));
}

const DS: &str = r#"xmlns:ds="http://www.w3.org/2000/09/xmldsig#""#;

#[test]
fn refuses_very_many_signatures_before_looking_into_one() {
    for count in [300, 3_000] {
        let document = response(&format!("<ds:Signature {DS}/>").repeat(count));
        assert_eq!(refusal(&document, RAISED), Rejection::SignatureCount { found: count });
    }
}

/// A Signature of the Response, with other References, transforms or PrefixList.
fn signed(references: &str) -> String {
    let signature = format!(
        r#"<ds:Signature {DS}><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>{references}</ds:SignedInfo><ds:SignatureValue>AA==</ds:SignatureValue></ds:Signature><samlp:Extensions>"#
    );
    response("").replace("<samlp:Extensions>", &signature)
}

fn reference(transforms: &str) -> String {
    format!(
        r##"<ds:Reference URI="#_r1"><ds:Transforms>{transforms}</ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=</ds:DigestValue></ds:Reference>"##
    )
}

#[test]
fn refuses_very_many_references_and_transforms_before_any_cryptography() {
    let enveloped =
        r#"<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>"#;
    let exclusive = r#"<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>"#;
    let good = reference(&format!("{enveloped}{exclusive}"));

    let invalid = Rejection::SignatureInvalid { element: "Response" };
    assert_eq!(refusal(&signed(&good), DEFAULT), invalid);
    let references = signed(&good.repeat(2_000));
    assert_eq!(
        refusal(&references, RAISED),
        Rejection::SignatureShape { what: "children of SignedInfo" }
    );
    let transforms = signed(&reference(&format!("{enveloped}{}", exclusive.repeat(5_000))));
    let received = "http://www.w3.org/2001/10/xml-exc-c14n#".to_owned();
    assert_eq!(refusal(&transforms, RAISED), Rejection::Transform { received });
}

#[test]
fn refuses_a_very_long_prefix_list() {
    let list = numbered(100_000, |i| format!("p{i} "));
    let with_list = format!(
        r#"<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/><ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"><ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="{list}"/></ds:Transform>"#
    );
    let document = signed(&reference(&with_list));

    assert_eq!(refusal(&document, DEFAULT), TOO_LARGE);
    assert_eq!(refusal(&document, RAISED), Rejection::PrefixListTooLong);
}
