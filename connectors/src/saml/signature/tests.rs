use aws_lc_rs::digest;
use aws_lc_rs::signature::{RSA_PKCS1_SHA512, RSA_PSS_SHA256};

use super::super::testing::{
    OptIns, assertion, edited, good, good_response_around, judge, refusal, response, sign,
    sign_with, template,
};
use super::not_empty;
use crate::saml::Rejection;

const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const INCLUSIVE: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
const SHA1_SIGNED: &str = include_str!("../../../../tests/vectors/saml/attack/alg_sha1.xml");

/// A Response with an unsigned template that was changed in one place.
fn unsigned(from: &str, to: &str) -> String {
    response("", &assertion(&edited(&template("_a1"), from, to)))
}

#[test]
fn takes_the_other_algorithms_of_the_allow_list() {
    let sha512 = unsigned(RSA_SHA256, "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512");
    let sha512 = edited(&sha512, SHA256, "http://www.w3.org/2001/04/xmldsig-more#sha384");
    let pss = unsigned(RSA_SHA256, "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1");

    assert!(
        judge(&sign_with(&sha512, &RSA_PKCS1_SHA512, &digest::SHA384), OptIns::default()).is_ok()
    );
    assert!(judge(&sign_with(&pss, &RSA_PSS_SHA256, &digest::SHA256), OptIns::default()).is_ok());
}

#[test]
fn refuses_other_signature_and_digest_algorithms() {
    for uri in [
        "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
        "http://www.w3.org/2007/05/xmldsig-more#rsa-pss",
        "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
        "none",
        "",
    ] {
        let refused = refusal(&edited(&good(), RSA_SHA256, uri));
        assert_eq!(refused, Rejection::SignatureAlgorithm { received: uri.to_owned() });
    }
    let md5 = "http://www.w3.org/2001/04/xmldsig-more#md5";
    assert_eq!(
        refusal(&edited(&good(), SHA256, md5)),
        Rejection::DigestAlgorithm { received: md5.to_owned() }
    );
}

#[test]
fn sha1_needs_the_opt_in() {
    let (sha1, rsa_sha1) =
        ("http://www.w3.org/2000/09/xmldsig#sha1", "http://www.w3.org/2000/09/xmldsig#rsa-sha1");

    assert_eq!(refusal(SHA1_SIGNED), Rejection::Sha1 { received: rsa_sha1.to_owned() });
    assert_eq!(
        refusal(&edited(&good(), SHA256, sha1)),
        Rejection::Sha1 { received: sha1.to_owned() }
    );
    assert!(judge(SHA1_SIGNED, OptIns { sha1: true, ..OptIns::default() }).is_ok());
}

#[test]
fn inclusive_c14n_needs_the_opt_in() {
    let document = sign(&response("", &assertion(&template("_a1").replace(EXCLUSIVE, INCLUSIVE))));

    assert_eq!(refusal(&document), Rejection::InclusiveC14n);
    assert!(judge(&document, OptIns { inclusive_c14n: true, ..OptIns::default() }).is_ok());
}

#[test]
fn refuses_another_canonicalization_of_signed_info() {
    let c14n11 = "http://www.w3.org/2006/12/xml-c14n11";

    let refused = refusal(&edited(&good(), EXCLUSIVE, c14n11));

    assert_eq!(refused, Rejection::CanonicalizationMethod { received: c14n11.to_owned() });
}

#[test]
fn refuses_any_transform_but_enveloped_and_exclusive_c14n() {
    let xpath = "http://www.w3.org/TR/1999/REC-xpath-19991116";
    let enveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
    let first = format!(r#"<ds:Transform Algorithm="{enveloped}"/>"#);
    let second = format!(r#"<ds:Transform Algorithm="{EXCLUSIVE}"/>"#);
    let transform = |received: &str| Rejection::Transform { received: received.to_owned() };

    assert_eq!(refusal(&edited(&good(), enveloped, xpath)), transform(xpath));
    let other_c14n = format!(r#"<ds:Transform Algorithm="{xpath}"/>"#);
    assert_eq!(refusal(&edited(&good(), &second, &other_c14n)), transform(xpath));
    assert_eq!(refusal(&edited(&good(), &second, &second.repeat(2))), transform(EXCLUSIVE));
    assert_eq!(refusal(&edited(&good(), &first, &second)), transform(EXCLUSIVE));
    let missing = Rejection::SignatureShape { what: "Transforms" };
    assert_eq!(refusal(&edited(&good(), &second, "")), missing);
    assert_eq!(refusal(&edited(&good(), &second, "<ds:Other/>")), missing);
}

#[test]
fn refuses_parameters_of_methods() {
    for (from, to) in [
        (
            RSA_SHA256,
            format!(
                r#"{RSA_SHA256}"><ds:HMACOutputLength>8</ds:HMACOutputLength></ds:SignatureMethod><ds:X a=""#
            ),
        ),
        (SHA256, format!(r#"{SHA256}">text</ds:DigestMethod><ds:X a=""#)),
    ] {
        assert!(matches!(refusal(&edited(&good(), from, &to)), Rejection::SignatureShape { .. }));
    }
    let with_parameter = r#"<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"><x/></ds:DigestMethod>"#;
    let plain = r#"<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>"#;
    assert_eq!(
        refusal(&edited(&good(), plain, with_parameter)),
        Rejection::SignatureShape { what: "parameters of a method" }
    );
    let no_algorithm = edited(
        &good(),
        &format!(r#"<ds:DigestMethod Algorithm="{SHA256}"/>"#),
        "<ds:DigestMethod/>",
    );
    assert_eq!(
        refusal(&no_algorithm),
        Rejection::SignatureShape { what: "method without Algorithm" }
    );
}

#[test]
fn a_prefix_list_has_512_bytes_at_most() {
    let c14n = |list: &str| {
        format!(
            r#"<ds:Transform Algorithm="{EXCLUSIVE}"><ec:InclusiveNamespaces xmlns:ec="{EXCLUSIVE}" PrefixList="{list}"/></ds:Transform>"#
        )
    };
    let plain = format!(r#"<ds:Transform Algorithm="{EXCLUSIVE}"/>"#);

    assert!(judge(&sign(&unsigned(&plain, &c14n(&"p".repeat(512)))), OptIns::default()).is_ok());
    assert_eq!(
        refusal(&sign(&unsigned(&plain, &c14n(&"p".repeat(513))))),
        Rejection::PrefixListTooLong
    );
    let content = Rejection::SignatureShape { what: "content of the canonicalization method" };
    assert_eq!(
        refusal(&edited(&good(), &plain, &c14n("").replace("InclusiveNamespaces", "X"))),
        content
    );
    assert_eq!(refusal(&edited(&good(), &plain, &c14n("").replace("<ec:", "text<ec:"))), content);
}

#[test]
fn the_reference_names_the_signatures_own_parent() {
    for (uri, received) in [
        (r##"URI="#_r1""##, Some("#_r1")),
        (r#"URI="""#, Some("")),
        (r##"URI="#""##, Some("#")),
        (r##"URI="#xpointer(id('_a1'))""##, Some("#xpointer(id('_a1'))")),
        (r#"URI="http://127.0.0.1:18999/""#, Some("http://127.0.0.1:18999/")),
        ("", None),
    ] {
        let refused = refusal(&edited(&good(), r##"URI="#_a1""##, uri));
        let expected = "#_a1".to_owned();
        assert_eq!(
            refused,
            Rejection::SignatureReference { expected, received: received.map(str::to_owned) }
        );
    }
    let no_id = edited(&good(), r#" ID="_a1""#, "");
    assert_eq!(refusal(&no_id), Rejection::SignatureShape { what: "signed element without ID" });
}

#[test]
fn refuses_what_was_changed_after_signing() {
    let digest_mismatch = Rejection::DigestMismatch { element: "Assertion" };
    let signature_invalid = Rejection::SignatureInvalid { element: "Assertion" };

    assert_eq!(refusal(&edited(&good(), "user@a.com", "admin@a.com")), digest_mismatch);
    let digest = good().split_once("<ds:DigestValue>").unwrap().1[..4].to_owned();
    assert_eq!(refusal(&edited(&good(), &digest, "AAAA")), signature_invalid);
    assert_eq!(
        refusal(&edited(&good(), RSA_SHA256, &RSA_SHA256.replace("256", "512"))),
        signature_invalid
    );
    assert_eq!(
        refusal(&edited(&good(), RSA_SHA256, &RSA_SHA256.replace("rsa-", "ecdsa-"))),
        signature_invalid
    );
}

#[test]
fn a_digest_has_the_length_of_its_algorithm() {
    let digest =
        good().split_once("<ds:DigestValue>").unwrap().1.split_once('<').unwrap().0.to_owned();

    for value in ["", "AA==", &format!("{digest}{digest}")] {
        assert_eq!(
            refusal(&edited(&good(), &digest, value)),
            Rejection::SignatureShape { what: "DigestValue" }
        );
    }
}

#[test]
fn comments_in_signed_info_count_only_where_its_canonicalization_keeps_them() {
    let commented = edited(&good(), "<ds:SignatureMethod", "<!-- x --><ds:SignatureMethod");
    let kept = edited(&commented, EXCLUSIVE, &format!("{EXCLUSIVE}WithComments"));

    assert!(judge(&commented, OptIns::default()).is_ok());
    assert_eq!(refusal(&kept), Rejection::SignatureInvalid { element: "Assertion" });
}

#[test]
fn an_empty_canonical_form_is_refused() {
    assert_eq!(not_empty(String::new()), Err(Rejection::CanonicalFormEmpty));
}

/// Anybody with an account at the identity provider has a SignedInfo that it signed.
#[test]
fn a_genuine_signature_over_a_document_that_grows_when_it_is_canonicalized_is_refused() {
    let status = "<samlp:Status>";
    let many = format!("<samlp:Extensions>{}</samlp:Extensions>{status}", "<z:z/>".repeat(1000));
    let bomb = edited(&good_response_around(&assertion("")), status, &many);
    let name = format!("<samlp:Response xmlns:z=\"urn:{}\"", "u".repeat(50_000));
    let bomb = edited(&bomb, "<samlp:Response", &name);

    let limit = 8 * bomb.len();
    assert_eq!(refusal(&bomb), Rejection::CanonicalFormTooLarge { limit });
}
