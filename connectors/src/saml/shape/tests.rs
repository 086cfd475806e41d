use super::super::testing::{
    assertion, edited, good, good_assertion, good_response_around, refusal, response, template,
};
use crate::saml::Rejection;

const STATUS: &str = "<samlp:Status>";

/// The good document with something of the attacker's before Status.
fn planted(extra: &str) -> String {
    edited(&good(), STATUS, &format!("<samlp:Extensions>{extra}</samlp:Extensions>{STATUS}"))
}

fn shape(what: &'static str) -> Rejection {
    Rejection::SignatureShape { what }
}

#[test]
fn refuses_another_root_element() {
    let not_saml = edited(&good(), "SAML:2.0:protocol", "SAML:1.0:protocol");

    assert_eq!(
        refusal(&not_saml),
        Rejection::NotAResponse { received: "samlp:Response".to_owned() }
    );
    assert_eq!(
        refusal(&good_assertion()),
        Rejection::NotAResponse { received: "saml:Assertion".to_owned() }
    );
}

#[test]
fn refuses_a_second_assertion_wherever_and_in_whatever_namespace() {
    for second in [
        assertion("").replace("_a1", "_a2"),
        r#"<Assertion xmlns="urn:evil"/>"#.to_owned(),
        "<e:EncryptedAssertion xmlns:e='urn:evil'/>".to_owned(),
        "<saml:Advice><saml:EncryptedAssertion/></saml:Advice>".to_owned(),
    ] {
        assert_eq!(refusal(&planted(&second)), Rejection::AssertionCount { found: 2 }, "{second}");
    }
}

#[test]
fn refuses_an_assertion_that_is_not_the_responses_own_child() {
    let moved = response("", &format!("<samlp:Extensions>{}</samlp:Extensions>", good_assertion()));
    let foreign = response("", r#"<Assertion xmlns="urn:evil" ID="_a1"/>"#);

    assert_eq!(refusal(&moved), Rejection::AssertionMisplaced);
    assert_eq!(refusal(&foreign), Rejection::AssertionMisplaced);
}

#[test]
fn refuses_an_id_that_occurs_twice() {
    assert_eq!(
        refusal(&planted(r#"<x ID="_a1"/>"#)),
        Rejection::IdRepeated { id: "_a1".to_owned() }
    );
    let in_key_info = edited(&good(), "<ds:SignedInfo>", r#"<ds:SignedInfo Id="_r1">"#);
    assert_eq!(refusal(&in_key_info), Rejection::IdRepeated { id: "_r1".to_owned() });
}

#[test]
fn refuses_attributes_that_some_parser_takes_for_an_id() {
    for (attribute, name) in [
        (r#"Id="x""#, "Id"),
        (r#"id="x""#, "id"),
        (r#"iD="x""#, "iD"),
        (r#"xml:id="x""#, "xml:id"),
        (r#"xmlns:e="urn:e" e:ID="x""#, "e:ID"),
        (r#"AssertionID="x""#, "AssertionID"),
        (r#"responseid="x""#, "responseid"),
        (r#"RequestID="x""#, "RequestID"),
    ] {
        let document = planted(&format!("<x {attribute}/>"));
        assert_eq!(refusal(&document), Rejection::IdAttributeOdd { name: name.to_owned() });
    }
    let on_signature = edited(&good(), "<ds:SignedInfo>", r#"<ds:SignedInfo ID="x">"#);
    assert_eq!(refusal(&on_signature), Rejection::IdAttributeOdd { name: "ID".to_owned() });
}

#[test]
fn refuses_an_id_that_is_not_a_name() {
    for id in ["", "1", "-a", "a b", "a:b", "#a", "a/b"] {
        let document = planted(&format!(r#"<x ID="{id}"/>"#));
        assert_eq!(refusal(&document), Rejection::IdInvalid { id: id.to_owned() });
    }
}

#[test]
fn refuses_more_than_two_signatures_and_two_on_one_element() {
    let signature = template("_a1").replace("DIGEST", "").replace("SIGNATURE", "");

    assert_eq!(refusal(&planted(&signature.repeat(2))), Rejection::SignatureCount { found: 3 });
    let twice = edited(&good(), "<ds:Signature ", &format!("{}<ds:Signature ", of(&good())));
    assert!(matches!(
        refusal(&twice),
        Rejection::SignatureCount { found: 2 } | Rejection::SignatureMisplaced
    ));
}

/// The Signature of a document.
fn of(document: &str) -> &str {
    let from = document.find("<ds:Signature ").unwrap();
    let to = document.find("</ds:Signature>").unwrap() + "</ds:Signature>".len();
    &document[from..to]
}

#[test]
fn refuses_a_signature_anywhere_but_right_after_the_issuer() {
    let document = good();
    let signature = of(&document);
    let without = edited(&document, signature, "");
    let at = |mark: &str, before: bool| {
        let moved =
            if before { format!("{signature}{mark}") } else { format!("{mark}{signature}") };
        edited(&without, mark, &moved)
    };

    for misplaced in [
        at(STATUS, true),
        at("<saml:Subject>", false),
        at("</saml:Assertion>", true),
        at("</samlp:Response>", true),
        planted(signature),
    ] {
        assert!(matches!(
            refusal(&misplaced),
            Rejection::SignatureMisplaced | Rejection::SignatureReference { .. }
        ));
    }
    let first = edited(
        &without,
        "Version=\"2.0\"><saml:Issuer>",
        &format!("Version=\"2.0\">{signature}<saml:Issuer>"),
    );
    assert_eq!(refusal(&first), Rejection::SignatureMisplaced);
}

#[test]
fn where_there_is_no_issuer_the_signature_is_the_first_child() {
    let issuer = "<saml:Issuer>https://idp.example.com/saml</saml:Issuer>";
    let unsigned = edited(&response(&template("_r1"), &assertion("")), issuer, "");

    assert!(
        super::super::testing::judge(&super::super::testing::sign(&unsigned), Default::default())
            .is_ok()
    );
    assert!(good_response_around(&assertion("")).contains(issuer));
}

#[test]
fn refuses_anything_in_a_signature_but_its_three_parts() {
    let children = shape("children of Signature");
    for (from, to) in [
        ("<ds:SignedInfo>", "<saml:Subject/><ds:SignedInfo>"),
        ("</ds:Signature>", "<ds:Object/></ds:Signature>"),
        ("</ds:Signature>", "<ds:KeyInfo/><ds:Object/></ds:Signature>"),
        ("</ds:Signature>", "text</ds:Signature>"),
        ("<ds:SignatureValue>", "<ds:SignedInfo/><ds:SignatureValue>"),
    ] {
        assert_eq!(refusal(&edited(&good(), from, to)), children, "{to}");
    }
    for (from, to, what) in [
        ("</ds:SignatureValue>", "<!-- x --></ds:SignatureValue>", "SignatureValue"),
        ("</ds:SignatureValue>", "*</ds:SignatureValue>", "SignatureValue"),
        ("<ds:DigestValue>", "<ds:DigestValue><!-- x -->", "DigestValue"),
        ("</ds:DigestValue>", "</ds:DigestValue><ds:DigestValue/>", "children of Reference"),
        ("</ds:SignedInfo>", "<ds:Reference/></ds:SignedInfo>", "children of SignedInfo"),
        ("</ds:SignedInfo>", "text</ds:SignedInfo>", "children of SignedInfo"),
    ] {
        assert_eq!(refusal(&edited(&good(), from, to)), shape(what), "{to}");
    }
}

#[test]
fn key_info_may_hold_keys_and_nothing_that_is_fetched_or_read() {
    let with = |content: &str| {
        edited(
            &good(),
            "</ds:Signature>",
            &format!("<ds:KeyInfo>{content}</ds:KeyInfo></ds:Signature>"),
        )
    };

    for known in [
        "<ds:KeyName>k</ds:KeyName>",
        "<ds:X509Data><ds:X509Certificate>AA==</ds:X509Certificate></ds:X509Data>",
        "<ds:KeyValue><ds:RSAKeyValue/></ds:KeyValue>",
    ] {
        assert!(super::super::testing::judge(&with(known), Default::default()).is_ok(), "{known}");
    }
    for unknown in [
        r#"<ds:RetrievalMethod URI="http://127.0.0.1/"/>"#,
        "<saml:Subject/>",
        "<ds:X509Data><saml:Subject/></ds:X509Data>",
        "<ds:Object/>",
    ] {
        assert_eq!(refusal(&with(unknown)), shape("content of KeyInfo"), "{unknown}");
    }
}
