//! The table is API: codes do not repeat, and what the admin reads is fit to be read.

use super::*;

fn audience(received: &str) -> Rejection {
    Rejection::AudienceMismatch {
        expected: "https://sp.example".to_owned(),
        received: vec![received.to_owned()],
    }
}

#[test]
fn a_refusal_names_code_expected_received_and_a_fix_with_the_expected_value() {
    let refusal = audience("https://other.example");

    assert_eq!(refusal.code(), "saml_audience_mismatch");
    assert_eq!(refusal.expected().as_deref(), Some("https://sp.example"));
    assert_eq!(refusal.received().as_deref(), Some("https://other.example"));
    assert_eq!(
        refusal.fix().as_deref(),
        Some("In the identity provider set Audience / Entity ID to `https://sp.example`.")
    );
    assert_eq!(
        refusal.to_string(),
        "saml_audience_mismatch, expected https://sp.example, received https://other.example"
    );
}

#[test]
fn text_from_a_document_is_cut_and_made_visible() {
    let long = audience(&"x".repeat(100_000)).received().unwrap();
    let hidden = audience("a\u{202e}b\r\nc\u{200b} \"d\" 'é'").received().unwrap();

    assert_eq!(long.chars().count(), 301);
    assert_eq!(hidden, "a\\u{202e}b\\r\\nc\\u{200b} \"d\" 'é'");
}

#[test]
fn the_sha1_refusal_carries_the_fix_for_auth0s_add_on() {
    let fix = Rejection::Sha1 { received: "rsa-sha1".to_owned() }.fix().unwrap();

    assert!(fix.contains(r#""signatureAlgorithm": "rsa-sha256", "digestAlgorithm": "sha256""#));
}

#[test]
fn an_error_of_the_idp_shows_its_codes_and_its_message() {
    let error = |second: &str| Rejection::IdpError {
        codes: vec![
            "urn:oasis:names:tc:SAML:2.0:status:Requester".to_owned(),
            format!("urn:oasis:names:tc:SAML:2.0:status:{second}"),
        ],
        message: Some("user 'alice@acme.example' is\n not assigned".to_owned()),
    };

    let received = error("NoPassive").received().unwrap();

    assert_eq!(
        received,
        "urn:oasis:names:tc:SAML:2.0:status:Requester / urn:oasis:names:tc:SAML:2.0:status:NoPassive: user (address) is not assigned"
    );
    assert!(error("InvalidNameIDPolicy").fix().unwrap().contains("name_id_format"));
    assert!(error("NoAuthnContext").fix().unwrap().contains("acr_values"));
    assert!(error("Anything").fix().unwrap().contains("log"));
}

#[test]
fn codes_do_not_repeat_and_all_begin_with_saml() {
    let table = include_str!("facts.rs");
    let mut codes: Vec<&str> = table
        .split(['(', ')'])
        .filter_map(|piece| piece.strip_prefix("\"saml_"))
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    let all = codes.len();

    codes.sort_unstable();
    codes.dedup();

    assert!(all > 70, "{all}");
    assert_eq!(codes.len(), all);
}
