use super::super::envelope::Status;
use super::super::testing::{
    AES_256_GCM, OptIns, assertion, edited, encrypted_plainly, good, good_assertion,
    good_response_around, judge, received, refusal, response, sign, template,
};
use crate::saml::Rejection;

fn canonical(document: &str) -> String {
    let verified = judge(document, OptIns::default()).unwrap();
    String::from_utf8(verified.assertion().to_vec()).unwrap()
}

/// What is handed out for [`good`]: declarations where they are used, attributes sorted, no Signature.
const CANONICAL: &str = r#"<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a1" IssueInstant="2026-01-01T00:00:00Z" Version="2.0"><saml:Issuer>https://idp.example.com/saml</saml:Issuer><saml:Subject><saml:NameID>user@a.com</saml:NameID></saml:Subject></saml:Assertion>"#;

#[test]
fn hands_out_the_canonical_assertion_without_its_signature() {
    let verified = judge(&good(), OptIns::default()).unwrap();

    assert_eq!(canonical(&good()), CANONICAL);
    assert!(!verified.envelope().is_signed);
    assert!(!verified.was_encrypted());
}

#[test]
fn a_signed_response_vouches_for_its_assertion_and_its_envelope() {
    let document = good_response_around(&assertion(""));

    let verified = judge(&document, OptIns::default()).unwrap();

    assert_eq!(canonical(&document), CANONICAL);
    let envelope = verified.envelope();
    assert!(envelope.is_signed);
    assert_eq!(envelope.id, "_r1");
    assert_eq!(envelope.in_response_to.as_deref(), Some("_req1"));
    assert_eq!(envelope.destination.as_deref(), Some("https://broker.example.net/saml/acs"));
    assert_eq!(envelope.issuer.as_deref(), Some("https://idp.example.com/saml"));
    assert_eq!(envelope.status, Status { codes: vec![Status::SUCCESS.to_owned()], message: None });
}

#[test]
fn both_signed_is_legal_and_both_must_hold() {
    let both = good_response_around(&good_assertion());

    assert_eq!(canonical(&both), CANONICAL);
    assert_eq!(
        refusal(&edited(&both, "_req1", "_req2")),
        Rejection::DigestMismatch { element: "Response" }
    );
    let inner_broken =
        sign(&response(&template("_r1"), &edited(&good_assertion(), "user@a.com", "user@b.com")));
    assert_eq!(refusal(&inner_broken), Rejection::DigestMismatch { element: "Assertion" });
}

#[test]
fn comments_never_come_out() {
    let commented = edited(&good(), "user@a.com", "user@<!-- x -->a.com");

    assert_eq!(canonical(&commented), CANONICAL);
}

#[test]
fn refuses_a_response_that_nobody_signed() {
    assert_eq!(refusal(&response("", &assertion(""))), Rejection::SignatureMissing);
}

#[test]
fn a_response_without_an_assertion_can_be_read_for_its_status_but_verifies_nothing() {
    let status = r#"<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"/></samlp:StatusCode><samlp:StatusMessage>no</samlp:StatusMessage>"#;
    let success = r#"<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>"#;
    let document = edited(&response("", ""), success, status);

    let read = received(&document).unwrap();

    assert!(!read.has_assertion());
    assert_eq!(read.unverified_in_response_to(), Some("_req1"));
    let codes = ["Responder", "AuthnFailed"]
        .map(|name| format!("urn:oasis:names:tc:SAML:2.0:status:{name}"));
    assert_eq!(
        read.unverified_status(),
        Status { codes: codes.to_vec(), message: Some("no".to_owned()) }
    );
    assert_eq!(refusal(&document), Rejection::AssertionMissing);
    assert_eq!(refusal(&good_response_around("")), Rejection::AssertionMissing);
}

#[test]
fn refuses_a_response_without_what_every_response_has() {
    for (from, what) in [
        (r#" ID="_r1""#, "Response without ID"),
        (r#" Version="2.0" Dest"#, "Response without Version"),
        (
            r#" IssueInstant="2026-01-01T00:00:00Z" Version="2.0" D"#,
            "Response without IssueInstant",
        ),
    ] {
        let to = if from.ends_with("Dest") {
            " Dest"
        } else if from.ends_with('D') {
            r#" Version="2.0" D"#
        } else {
            ""
        };
        assert_eq!(refusal(&edited(&good(), from, to)), Rejection::Malformed { what }, "{what}");
    }
    let status = r#"<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>"#;
    for (to, what) in [
        (String::new(), "Response without Status"),
        (status.repeat(2), "several Status elements"),
        (format!("<saml:Issuer>x</saml:Issuer>{status}"), "several Issuers"),
        ("<samlp:Status><samlp:StatusCode/></samlp:Status>".to_owned(), "StatusCode without Value"),
        (
            format!(
                "<samlp:Status>{}{}</samlp:Status>",
                r#"<samlp:StatusCode Value="a">"#.repeat(9),
                "</samlp:StatusCode>".repeat(9)
            ),
            "StatusCodes nested too deep",
        ),
    ] {
        assert_eq!(refusal(&edited(&good(), status, &to)), Rejection::Malformed { what }, "{what}");
    }
}

#[test]
fn refuses_mixed_content_in_the_response_issuer() {
    let issuer = "https://idp.example.com/saml";

    let mixed = edited(&good(), issuer, "https://idp.example<!-- x -->.com/saml");

    assert_eq!(refusal(&mixed), Rejection::MixedContent { field: "Issuer" });
}

#[test]
fn one_decryption_per_key_is_counted_by_the_decoded_encrypted_key() {
    let document = response("", &encrypted_plainly(&good_assertion(), AES_256_GCM));
    let (before, after) = document.split_once("</xenc:CipherValue>").unwrap();
    let respelled = format!("{before}\n</xenc:CipherValue>{after}");

    let digest = received(&document).unwrap().encrypted_key_digest();

    assert!(digest.is_some());
    assert_eq!(received(&respelled).unwrap().encrypted_key_digest(), digest);
    let other = response("", &encrypted_plainly(&good_assertion(), AES_256_GCM));
    assert_ne!(received(&other).unwrap().encrypted_key_digest(), digest);
    assert_eq!(received(&good()).unwrap().encrypted_key_digest(), None);
}

#[test]
fn what_is_shown_of_a_response_in_logs_holds_none_of_it() {
    let shown = format!(
        "{:?} {:?}",
        received(&good()).unwrap(),
        judge(&good(), OptIns::default()).unwrap()
    );

    assert!(!shown.contains("user@a.com") && !shown.contains("idp.example"), "{shown}");
}
