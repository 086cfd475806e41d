use serde_json::{Value, json};

use super::*;
use crate::base64::to_base64url;
use crate::{JwsAlgorithm, SigningKey};

/// RFC 9449 §4.1, figure 2.
const RFC_9449_PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";

const ALLOWED: [SignatureAlgorithm; 1] = [SignatureAlgorithm::EcdsaP256Sha256];

fn proof(change: impl FnOnce(&mut Value)) -> String {
    let key = SigningKey::generate(JwsAlgorithm::Es256).unwrap();
    let mut header = json!({"alg": "ES256", "typ": "dpop+jwt", "jwk": key.public_jwk()});
    change(&mut header);
    let input = format!("{}.{}", to_base64url(header.to_string().as_bytes()), to_base64url(b"{}"));
    let signature = key.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", to_base64url(&signature))
}

#[test]
fn the_proof_of_rfc_9449_verifies_and_its_thumbprint_is_the_one_of_figure_8() {
    let proven = prove_possession(RFC_9449_PROOF, &ALLOWED).unwrap();

    assert_eq!(proven.key.jwk_thumbprint(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    assert_eq!(proven.token.claims().unwrap()["htm"], "POST");
    assert_eq!(proven.token.typ(), Some("dpop+jwt"));
}

#[test]
fn a_key_of_its_own_proves_itself() {
    assert!(prove_possession(&proof(|_| {}), &ALLOWED).is_ok());
}

#[test]
fn another_key_in_the_header_proves_nothing() {
    let other = SigningKey::generate(JwsAlgorithm::Es256).unwrap();
    let stolen = proof(|header| header["jwk"] = other.public_jwk().clone());
    assert_eq!(prove_possession(&stolen, &ALLOWED).unwrap_err(), JwsError::Signature);
}

#[test]
fn private_missing_and_unknown_keys_are_refused() {
    for (member, value) in [("d", json!("AQAB")), ("k", json!("AQAB")), ("crv", json!("P-521"))] {
        let token = proof(|header| header["jwk"][member] = value);
        assert_eq!(prove_possession(&token, &ALLOWED).unwrap_err(), JwsError::Header, "{member}");
    }
    let without = proof(|header| drop(header.as_object_mut().unwrap().remove("jwk")));
    assert_eq!(prove_possession(&without, &ALLOWED).unwrap_err(), JwsError::Header);
    let text = proof(|header| header["jwk"] = json!("key"));
    assert_eq!(prove_possession(&text, &ALLOWED).unwrap_err(), JwsError::Header);
}

#[test]
fn the_algorithm_is_pinned_and_fits_the_key() {
    for alg in ["none", "HS256", "ES384"] {
        let token = proof(|header| header["alg"] = json!(alg));
        let refused = prove_possession(&token, &ALLOWED).unwrap_err();
        assert_eq!(refused, JwsError::AlgorithmNotAllowed(alg.to_owned()));
    }
    let token = proof(|header| header["alg"] = json!("RS256"));
    let both = [ALLOWED[0], SignatureAlgorithm::RsaPkcs1Sha256];
    assert_eq!(prove_possession(&token, &both).unwrap_err(), JwsError::KeyDoesNotFit);
}
