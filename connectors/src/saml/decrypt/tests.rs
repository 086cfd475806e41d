use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
};

use super::super::testing::{
    AES_128_CBC, AES_128_GCM, AES_256_CBC, AES_256_GCM, OAEP_MGF1P, OptIns, assertion, edited,
    encrypted, encrypted_assertion, encrypted_plainly, good_assertion, good_response_around, judge,
    refusal, response, seal, seal_blocks, wrap,
};
use crate::saml::Rejection;

const DS: &str = r#"xmlns:ds="http://www.w3.org/2000/09/xmldsig#""#;
const KEY_OPEN: &str = "<xenc:EncryptedKey>";

fn good() -> String {
    response("", &encrypted_plainly(&good_assertion(), AES_256_GCM))
}

fn accepted(document: &str) -> bool {
    match judge(document, OptIns::default()) {
        Ok(verified) => {
            verified.was_encrypted() && verified.assertion().starts_with(b"<saml:Assertion ")
        }
        Err(rejection) => panic!("{rejection}"),
    }
}

fn shape(what: &'static str) -> Rejection {
    Rejection::EncryptionShape { what }
}

#[test]
fn decrypts_gcm_and_cbc_with_128_and_256_bits() {
    for algorithm in [AES_128_CBC, AES_128_GCM, AES_256_CBC, AES_256_GCM] {
        assert!(
            accepted(&response("", &encrypted_plainly(&good_assertion(), algorithm))),
            "{algorithm}"
        );
    }
}

#[test]
fn takes_every_pair_of_equal_oaep_hashes() {
    let method = |digest: &str, mask: &str| {
        format!(
            r#"<xenc:EncryptionMethod Algorithm="http://www.w3.org/2009/xmlenc11#rsa-oaep"><ds:DigestMethod {DS} Algorithm="{digest}"/><m:MGF xmlns:m="http://www.w3.org/2009/xmlenc11#" Algorithm="http://www.w3.org/2009/xmlenc11#{mask}"/></xenc:EncryptionMethod>"#
        )
    };
    let without =
        r#"<xenc:EncryptionMethod Algorithm="http://www.w3.org/2009/xmlenc11#rsa-oaep"/>"#
            .to_owned();
    for (method, oaep) in [
        (method("http://www.w3.org/2000/09/xmldsig#sha1", "mgf1sha1"), &OAEP_SHA1_MGF1SHA1),
        (method("http://www.w3.org/2001/04/xmlenc#sha256", "mgf1sha256"), &OAEP_SHA256_MGF1SHA256),
        (
            method("http://www.w3.org/2001/04/xmldsig-more#sha384", "mgf1sha384"),
            &OAEP_SHA384_MGF1SHA384,
        ),
        (method("http://www.w3.org/2001/04/xmlenc#sha512", "mgf1sha512"), &OAEP_SHA512_MGF1SHA512),
        (without, &OAEP_SHA1_MGF1SHA1),
    ] {
        assert!(
            accepted(&response("", &encrypted(&good_assertion(), AES_128_GCM, &method, oaep))),
            "{method}"
        );
    }
}

#[test]
fn refuses_oaep_with_different_hashes_or_parameters_before_decrypting() {
    let sha256 =
        format!(r#"<ds:DigestMethod {DS} Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>"#);
    let with = |content: &str| {
        let method = OAEP_MGF1P.replace("/>", &format!(">{content}</xenc:EncryptionMethod>"));
        edited(&good(), OAEP_MGF1P, &method)
    };

    assert_eq!(
        refusal(&with(&sha256)),
        Rejection::OaepHashesDiffer {
            digest: "http://www.w3.org/2001/04/xmlenc#sha256".to_owned(),
            mgf: "SHA-1".to_owned()
        }
    );
    let newer = with(&sha256).replace("2001/04/xmlenc#rsa-oaep-mgf1p", "2009/xmlenc11#rsa-oaep");
    assert!(matches!(refusal(&newer), Rejection::OaepHashesDiffer { .. }));
    let unknown = sha256.replace("sha256", "ripemd160");
    assert!(matches!(refusal(&with(&unknown)), Rejection::OaepHashesDiffer { .. }));
    assert_eq!(refusal(&with("<xenc:OAEPparams>AA==</xenc:OAEPparams>")), Rejection::OaepParams);
    assert_eq!(refusal(&with(&sha256.repeat(2))), shape("parameters of RSA-OAEP"));
    assert_eq!(refusal(&with("<x/>")), shape("parameters of RSA-OAEP"));
}

#[test]
fn refuses_other_key_transport_and_other_ciphers() {
    let rsa15 = "http://www.w3.org/2001/04/xmlenc#rsa-1_5";
    let oaep = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
    let triple_des = "http://www.w3.org/2001/04/xmlenc#tripledes-cbc";

    assert_eq!(
        refusal(&edited(&good(), oaep, rsa15)),
        Rejection::KeyTransport { received: rsa15.to_owned() }
    );
    let other = edited(&good(), AES_256_GCM, triple_des);
    assert_eq!(refusal(&other), Rejection::ContentCipher { received: triple_des.to_owned() });
}

#[test]
fn the_key_may_stand_beside_the_data_and_be_named_by_a_retrieval_method() {
    let document = good();
    let from = document.find(KEY_OPEN).unwrap();
    let to = document.find("</xenc:EncryptedKey>").unwrap() + "</xenc:EncryptedKey>".len();
    let key = document[from..to]
        .replace(KEY_OPEN, r#"<xenc:EncryptedKey xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" Id="_k" Recipient="anybody">"#);
    let retrieval = |uri: &str| {
        format!(
            r#"<ds:RetrievalMethod Type="http://www.w3.org/2001/04/xmlenc#EncryptedKey" URI="{uri}"/>"#
        )
    };
    let beside = |inside: &str| {
        let emptied = edited(&document, &document[from..to], inside);
        edited(&emptied, "</saml:EncryptedAssertion>", &format!("{key}</saml:EncryptedAssertion>"))
    };

    assert!(accepted(&beside("")));
    assert!(accepted(&beside(&retrieval("#_k"))));
    for uri in ["#_r1", "_k", "", "http://127.0.0.1:18999/"] {
        assert_eq!(refusal(&beside(&retrieval(uri))), Rejection::RetrievalMethod, "{uri}");
    }
    let transformed = retrieval("#_k").replace("/>", "><ds:Transforms/></ds:RetrievalMethod>");
    assert_eq!(refusal(&beside(&transformed)), Rejection::RetrievalMethod);
}

#[test]
fn refuses_other_shapes_of_encrypted_assertion() {
    let data_end = "</xenc:EncryptedData>";
    for (from, to, what) in [
        (data_end, format!("{data_end}<x/>"), "children of EncryptedAssertion"),
        (
            data_end,
            format!(r#"{data_end}<e:EncryptedData xmlns:e="http://www.w3.org/2001/04/xmlenc#"/>"#),
            "children of EncryptedAssertion",
        ),
        ("#Element", "#Content".to_owned(), "Type of EncryptedData"),
        (
            KEY_OPEN,
            format!("{KEY_OPEN}{KEY_OPEN}</xenc:EncryptedKey>"),
            "not exactly one EncryptedKey",
        ),
        (
            "</ds:KeyInfo>",
            "<xenc:EncryptedKey/></ds:KeyInfo>".to_owned(),
            "not exactly one EncryptedKey",
        ),
        (OAEP_MGF1P, OAEP_MGF1P.repeat(2), "not exactly one EncryptionMethod"),
        (
            "</xenc:CipherData>",
            "</xenc:CipherData><xenc:CipherData/>".to_owned(),
            "not exactly one CipherData",
        ),
        ("</xenc:CipherValue>", "<!-- x --></xenc:CipherValue>".to_owned(), "CipherValue"),
        ("</xenc:CipherValue>", "*</xenc:CipherValue>".to_owned(), "CipherValue"),
        ("</xenc:CipherValue>", "</xenc:CipherValue><xenc:CipherValue/>".to_owned(), "CipherData"),
    ] {
        assert_eq!(refusal(&edited(&good(), from, &to)), shape(what), "{to}");
    }
    assert_eq!(
        refusal(&response("", "<saml:EncryptedAssertion/>")),
        shape("EncryptedAssertion without EncryptedData")
    );
    let elsewhere = edited(&good(), "<ds:KeyInfo", "<xenc:Other><ds:KeyInfo");
    let elsewhere = edited(&elsewhere, "</ds:KeyInfo>", "</ds:KeyInfo></xenc:Other>");
    assert_eq!(refusal(&elsewhere), shape("EncryptedKey in an unknown place"));
}

#[test]
fn never_follows_a_cipher_reference() {
    let document = good();
    let at = document.find("<xenc:CipherValue>").unwrap();
    let end = document.find("</xenc:CipherValue>").unwrap() + "</xenc:CipherValue>".len();
    let referring = edited(
        &document,
        &document[at..end],
        r#"<xenc:CipherReference URI="http://127.0.0.1:18999/"/>"#,
    );

    assert_eq!(refusal(&referring), Rejection::CipherReference);
}

#[test]
fn refuses_an_encrypted_assertion_where_the_connection_takes_none() {
    let refused = judge(&good(), OptIns { no_decryption: true, ..OptIns::default() });

    assert_eq!(refused.err(), Some(Rejection::DecryptionNotConfigured));
}

#[test]
fn every_failure_to_decrypt_is_the_same() {
    let plain = good_assertion();
    let build = |content: &[u8], algorithm: &str, key: &[u8]| {
        response(
            "",
            &encrypted_assertion(content, algorithm, OAEP_MGF1P, &wrap(key, &OAEP_SHA1_MGF1SHA1)),
        )
    };
    let (gcm, key) = seal(plain.as_bytes(), AES_256_GCM);
    let (cbc, _) = seal(plain.as_bytes(), AES_256_CBC);
    let flipped = |content: &[u8], at: usize| {
        let mut changed = content.to_vec();
        changed[at] ^= 1;
        changed
    };
    let padded_with = |byte: u8| seal_blocks(&[b"<a/>".as_slice(), &[byte; 12]].concat(), &key);
    let (bad_utf8, _) = seal(b"<a>\xff</a>", AES_256_GCM);
    let (two, _) = seal(format!("{plain}{plain}").as_bytes(), AES_256_GCM);
    let (other_root, _) = seal(good().as_bytes(), AES_256_GCM);
    let (doctype, _) = seal(format!("<!DOCTYPE a>{plain}").as_bytes(), AES_256_CBC);
    for (what, document) in [
        ("tag", build(&flipped(&gcm, gcm.len() - 1), AES_256_GCM, &key)),
        ("cut tag", build(&gcm[..gcm.len() - 4], AES_256_GCM, &key)),
        ("short", build(&[1; 4], AES_256_GCM, &key)),
        ("iv alone", build(&[1; 12], AES_256_GCM, &key)),
        ("short cbc", build(&[1; 4], AES_256_CBC, &key)),
        ("iv alone cbc", build(&[1; 16], AES_256_CBC, &key)),
        ("partial block", build(&cbc[..cbc.len() - 1], AES_256_CBC, &key)),
        ("padding 0", build(&padded_with(0), AES_256_CBC, &key)),
        ("padding 17", build(&padded_with(17), AES_256_CBC, &key)),
        ("garbled block", build(&flipped(&cbc, 20), AES_256_CBC, &key)),
        ("other key", build(&gcm, AES_256_GCM, &[8; 32])),
        ("short key", build(&gcm, AES_256_GCM, &key[..16])),
        (
            "key not wrapped",
            response("", &encrypted_assertion(&gcm, AES_256_GCM, OAEP_MGF1P, &[1; 256])),
        ),
        (
            "key of another size",
            response("", &encrypted_assertion(&gcm, AES_256_GCM, OAEP_MGF1P, &[1; 255])),
        ),
        ("bad utf-8", build(&bad_utf8, AES_256_GCM, &key)),
        ("two assertions", build(&two, AES_256_GCM, &key)),
        ("other root", build(&other_root, AES_256_GCM, &key)),
        ("doctype", build(&doctype, AES_256_CBC, &key)),
    ] {
        assert_eq!(refusal(&document), Rejection::DecryptionFailed, "{what}");
    }
}

#[test]
fn what_comes_out_must_be_signed_itself_or_by_the_response_around_it() {
    let unsigned = assertion("");
    for algorithm in [AES_256_GCM, AES_256_CBC] {
        let alone = response("", &encrypted_plainly(&unsigned, algorithm));
        assert_eq!(refusal(&alone), Rejection::EncryptedAssertionUnsigned);
        assert!(accepted(&good_response_around(&encrypted_plainly(&unsigned, algorithm))));
    }
}

#[test]
fn what_comes_out_is_held_to_the_same_rules() {
    let hidden = |plain: &str| refusal(&response("", &encrypted_plainly(plain, AES_256_GCM)));
    let changed = |from: &str, to: &str| edited(&good_assertion(), from, to);

    assert_eq!(
        hidden(&changed("user@a.com", "admin@a.com")),
        Rejection::DigestMismatch { element: "Assertion" }
    );
    let nested = changed(
        "<saml:Subject>",
        "<saml:Advice><saml:EncryptedAssertion/></saml:Advice><saml:Subject>",
    );
    assert_eq!(hidden(&nested), Rejection::AssertionCount { found: 2 });
    assert_eq!(
        hidden(&changed("<saml:NameID>", r#"<saml:NameID id="x">"#)),
        Rejection::IdAttributeOdd { name: "id".to_owned() }
    );
    let document = good_assertion();
    let at = document.find("<ds:Signature ").unwrap();
    let end = document.find("</ds:Signature>").unwrap() + "</ds:Signature>".len();
    let signature = &document[at..end];
    let moved = edited(
        &document.replacen(signature, "", 1),
        "</saml:Subject>",
        &format!("{signature}</saml:Subject>"),
    );
    assert_eq!(hidden(&moved), Rejection::SignatureMisplaced);
    let twice = edited(&document, signature, &signature.repeat(2));
    assert_eq!(hidden(&twice), Rejection::SignatureCount { found: 2 });
}

#[test]
fn a_changed_response_is_refused_before_anything_is_decrypted() {
    let signed = good_response_around(&encrypted_plainly(&good_assertion(), AES_256_GCM));

    assert!(accepted(&signed));
    assert_eq!(
        refusal(&edited(&signed, "_req1", "_req2")),
        Rejection::DigestMismatch { element: "Response" }
    );
}
