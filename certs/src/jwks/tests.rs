use serde_json::json;

use super::*;
use crate::{JwsAlgorithm, SigningKey};

const ES256: SignatureAlgorithm = SignatureAlgorithm::EcdsaP256Sha256;

/// A JWK that is taken; tests change one member.
fn good() -> Map<String, Value> {
    let key = SigningKey::generate(JwsAlgorithm::Es256).unwrap();
    let mut jwk = key.public_jwk().as_object().unwrap().clone();
    jwk.insert("kid".to_owned(), json!("k1"));
    jwk
}

fn with(name: &str, value: Value) -> Map<String, Value> {
    let mut jwk = good();
    jwk.insert(name.to_owned(), value);
    jwk
}

fn without(name: &str) -> Map<String, Value> {
    let mut jwk = good();
    jwk.remove(name);
    jwk
}

fn set(keys: &[Map<String, Value>]) -> UpstreamKeySet {
    UpstreamKeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

fn is_taken(jwk: Map<String, Value>) -> bool {
    !set(&[jwk]).is_empty()
}

#[test]
fn finds_a_key_by_kid_and_algorithm() {
    let set = set(&[good(), with("kid", json!("k2"))]);

    let found = set.candidates(Some("k2"), ES256);

    assert_eq!(found.len(), 1);
    assert_eq!((found[0].kid.as_deref(), found[0].alg), (Some("k2"), Some(ES256)));
    assert!(set.candidates(Some("k3"), ES256).is_empty());
    assert!(set.candidates(Some("../k2"), ES256).is_empty());
    assert!(set.candidates(Some("k2"), SignatureAlgorithm::RsaPkcs1Sha256).is_empty());
}

#[test]
fn a_token_without_kid_tries_each_fitting_key() {
    let set = set(&[good(), without("kid"), with("kid", json!("k2"))]);

    assert_eq!(set.candidates(None, ES256).len(), 3);
}

#[test]
fn a_token_with_kid_does_not_get_a_key_without() {
    assert!(set(&[without("kid")]).candidates(Some("k1"), ES256).is_empty());
}

#[test]
fn two_keys_with_one_kid_are_both_candidates() {
    assert_eq!(set(&[good(), good()]).candidates(Some("k1"), ES256).len(), 2);
}

#[test]
fn a_key_without_alg_serves_every_algorithm_of_its_kind() {
    let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    let rsa = |alg: Option<&str>| {
        let mut jwk = json!({ "kty": "RSA", "kid": "r", "n": n, "e": "AQAB" });
        if let Some(alg) = alg {
            jwk["alg"] = json!(alg);
        }
        UpstreamKeySet::parse(json!({ "keys": [jwk] }).to_string().as_bytes()).unwrap()
    };
    let serves = |set: &UpstreamKeySet, alg| !set.candidates(Some("r"), alg).is_empty();

    let (any, one) = (rsa(None), rsa(Some("PS256")));

    assert!(serves(&any, SignatureAlgorithm::RsaPkcs1Sha256));
    assert!(serves(&any, SignatureAlgorithm::RsaPssSha512));
    assert!(!serves(&any, ES256));
    assert!(serves(&one, SignatureAlgorithm::RsaPssSha256));
    assert!(!serves(&one, SignatureAlgorithm::RsaPkcs1Sha256));
}

#[test]
fn reads_the_issuer_member_of_entra() {
    let template = "https://login.microsoftonline.com/{tenantid}/v2.0";

    let set = set(&[with("issuer", json!(template)), good()]);

    let issuers: Vec<_> = set.iter().map(|key| key.issuer.as_deref()).collect();
    assert_eq!(issuers, [Some(template), None]);
}

#[test]
fn takes_keys_that_are_for_signatures_or_do_not_say() {
    for jwk in [good(), without("use"), without("alg"), without("kid")] {
        assert!(is_taken(jwk));
    }
    assert!(is_taken(with("key_ops", json!(["verify"]))));
    assert!(is_taken(with("x5c", json!(["not even base64"]))));
}

#[test]
fn leaves_out_keys_that_are_not_for_signatures() {
    for jwk in [
        with("use", json!("enc")),
        with("use", json!(null)),
        with("use", json!(["sig"])),
        with("key_ops", json!(["encrypt"])),
        with("key_ops", json!([])),
        with("key_ops", json!("verify")),
    ] {
        assert!(!is_taken(jwk));
    }
}

#[test]
fn leaves_out_keys_that_cannot_be_read() {
    for jwk in [
        with("kty", json!("oct")),
        with("kty", json!("unknown")),
        with("kty", json!(1)),
        with("crv", json!("P-521")),
        with("crv", json!("P-384")),
        with("crv", json!("secp256k1")),
        with("x", json!("AAAA")),
        with("x", json!(good()["y"])),
        with("kid", json!(1)),
        with("kid", json!({ "$ne": null })),
        with("issuer", json!([])),
        without("kty"),
        without("crv"),
        without("y"),
    ] {
        assert!(!is_taken(jwk));
    }
}

#[test]
fn leaves_out_keys_whose_algorithm_is_unknown_or_does_not_fit() {
    for alg in ["RS256", "ES384", "HS256", "none", "ECDH-ES", ""] {
        assert!(!is_taken(with("alg", json!(alg))), "{alg}");
    }
}

#[test]
fn leaves_out_keys_that_publish_a_secret() {
    for name in SECRET_MEMBERS {
        assert!(!is_taken(with(name, json!("AAAA"))), "{name}");
    }
}

#[test]
fn leaves_out_weak_rsa_keys() {
    for (n, e) in [("3w".repeat(64), "AQAB"), (format!("{}3w", "_".repeat(340)), "AQ")] {
        let jwk = json!({ "kty": "RSA", "n": n, "e": e });
        let set = UpstreamKeySet::parse(json!({ "keys": [jwk] }).to_string().as_bytes()).unwrap();
        assert!(set.is_empty());
    }
}

#[test]
fn one_bad_key_does_not_spoil_the_others() {
    let keys = json!({ "keys": [null, 1, "text", [], {}, good()] });

    let set = UpstreamKeySet::parse(keys.to_string().as_bytes()).unwrap();

    assert_eq!(set.candidates(Some("k1"), ES256).len(), 1);
}

#[test]
fn reads_100_keys_and_refuses_101() {
    let keys = |count| json!({ "keys": vec![json!({ "kty": "oct" }); count] }).to_string();

    assert!(UpstreamKeySet::parse(keys(100).as_bytes()).is_ok());
    let refused = UpstreamKeySet::parse(keys(101).as_bytes()).unwrap_err();
    assert_eq!(refused, JwksError::TooManyKeys(101));
}

#[test]
fn refuses_what_is_no_key_set() {
    for text in ["{}", "[]", "1", "null", r#"{"keys":{}}"#, r#"{"keys":null}"#, r#"{"Keys":[]}"#] {
        let refused = UpstreamKeySet::parse(text.as_bytes()).unwrap_err();
        assert_eq!(refused, JwksError::NotAKeySet, "{text}");
    }
}

#[test]
fn refuses_a_set_with_a_member_twice() {
    for text in [r#"{"keys":[],"keys":[]}"#, r#"{"keys":[{"kty":"EC","kty":"RSA"}]}"#] {
        let refused = UpstreamKeySet::parse(text.as_bytes()).unwrap_err();
        assert_eq!(refused, JwksError::Json(StrictJsonError::DuplicateMember));
    }
}
