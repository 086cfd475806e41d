use serde_json::json;

use super::*;
use crate::{JwsAlgorithm, KeyKind};

const PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const RFC_7515_A2_SIGNATURE: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const RFC_7515_A2_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const RFC_7515_A3_SIGNATURE: &str =
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
const RFC_8037_A4: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

const ALL: &[SignatureAlgorithm] = &SignatureAlgorithm::ALL;

fn octets(text: &str) -> Vec<u8> {
    from_base64url(text).unwrap()
}

fn rfc_7515_a2_key() -> VerificationKey {
    VerificationKey::from_rsa_components(&octets(RFC_7515_A2_N), &[1, 0, 1]).unwrap()
}

fn rfc_7515_a2() -> String {
    format!("{}.{PAYLOAD}.{RFC_7515_A2_SIGNATURE}", to_base64url(br#"{"alg":"RS256"}"#))
}

fn key() -> SigningKey {
    SigningKey::generate(JwsAlgorithm::Es256).unwrap()
}

fn good(key: &SigningKey) -> String {
    sign_compact(key, "JWT", &json!({ "sub": "someone" })).unwrap()
}

/// A token with any header and payload, signed all the same.
fn signed(key: &SigningKey, header: &str, payload: &str) -> String {
    let input = format!("{}.{}", to_base64url(header.as_bytes()), to_base64url(payload.as_bytes()));
    let signature = to_base64url(&key.sign(input.as_bytes()).unwrap());
    format!("{input}.{signature}")
}

fn refusal(token: &str) -> JwsError {
    UnverifiedJws::parse(token).unwrap_err()
}

fn claims(key: &SigningKey, payload: &str) -> Result<Map<String, Value>, JwsError> {
    let token = UnverifiedJws::parse(&signed(key, r#"{"alg":"ES256"}"#, payload)).unwrap();
    token.verify(key.verification_key(), ALL).unwrap().claims()
}

#[test]
fn verifies_the_rs256_vector_of_rfc_7515() {
    let token = UnverifiedJws::parse(&rfc_7515_a2()).unwrap();

    let verified = token.verify(&rfc_7515_a2_key(), &[SignatureAlgorithm::RsaPkcs1Sha256]).unwrap();

    assert_eq!(verified.claims().unwrap()["iss"], "joe");
}

#[test]
fn verifies_the_es256_vector_of_rfc_7515() {
    let x = octets("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
    let y = octets("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    let key = VerificationKey::from_ec_point(KeyKind::P256, &x, &y).unwrap();
    let token =
        format!("{}.{PAYLOAD}.{RFC_7515_A3_SIGNATURE}", to_base64url(br#"{"alg":"ES256"}"#));

    let verified = UnverifiedJws::parse(&token).unwrap().verify(&key, ALL).unwrap();

    assert_eq!(verified.claims().unwrap()["exp"], 1_300_819_380);
}

#[test]
fn verifies_the_eddsa_vector_of_rfc_8037() {
    let x = octets("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    let key = VerificationKey::from_ed25519(&x).unwrap();

    let verified = UnverifiedJws::parse(RFC_8037_A4).unwrap().verify(&key, ALL).unwrap();

    assert_eq!(verified.payload(), b"Example of Ed25519 signing");
    assert_eq!(verified.claims(), Err(JwsError::Json(StrictJsonError::NotJson)));
}

#[test]
fn reads_back_what_it_signed() {
    for algorithm in JwsAlgorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        let token = sign_compact(&key, "at+jwt", &json!({ "sub": "someone" })).unwrap();

        let token = UnverifiedJws::parse(&token).unwrap();
        assert_eq!((token.kid(), token.alg_name()), (Some(key.kid()), algorithm.as_str()));
        let allowed = [algorithm.signature_algorithm()];
        let verified = token.verify(key.verification_key(), &allowed).unwrap();

        assert_eq!(verified.typ(), Some("at+jwt"));
        assert_eq!(verified.claims().unwrap()["sub"], "someone");
    }
}

#[test]
fn refuses_none_in_every_case() {
    let key = key();
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        for signature in ["", "AA"] {
            let header = to_base64url(format!(r#"{{"alg":"{alg}"}}"#).as_bytes());
            let token = UnverifiedJws::parse(&format!("{header}.{PAYLOAD}.{signature}")).unwrap();
            assert_eq!(token.alg(), None);
            let refused = token.verify(key.verification_key(), ALL).unwrap_err();
            assert_eq!(refused, JwsError::AlgorithmNotAllowed(alg.to_owned()));
        }
    }
}

/// CVE-2015-9235: the public key's encoding as the HMAC's secret.
#[test]
fn refuses_an_hmac_keyed_with_the_public_key() {
    use aws_lc_rs::hmac;
    let public = rfc_7515_a2_key();
    let input = format!("{}.{PAYLOAD}", to_base64url(br#"{"alg":"HS256"}"#));
    let secret = hmac::Key::new(hmac::HMAC_SHA256, public.spki_der());
    let tag = hmac::sign(&secret, input.as_bytes());
    let token = UnverifiedJws::parse(&format!("{input}.{}", to_base64url(tag.as_ref()))).unwrap();

    let refused = token.verify(&public, ALL).unwrap_err();

    assert_eq!(refused, JwsError::AlgorithmNotAllowed("HS256".to_owned()));
}

#[test]
fn refuses_an_algorithm_that_is_not_allowed_here() {
    let token = UnverifiedJws::parse(&rfc_7515_a2()).unwrap();

    let refused =
        token.verify(&rfc_7515_a2_key(), &[SignatureAlgorithm::RsaPssSha256]).unwrap_err();

    assert_eq!(refused, JwsError::AlgorithmNotAllowed("RS256".to_owned()));
}

#[test]
fn refuses_an_algorithm_that_does_not_fit_the_key() {
    let token = UnverifiedJws::parse(&rfc_7515_a2()).unwrap();

    let refused = token.verify(key().verification_key(), ALL).unwrap_err();

    assert_eq!(refused, JwsError::KeyDoesNotFit);
}

#[test]
fn refuses_another_key_of_the_same_kind() {
    let token = UnverifiedJws::parse(&good(&key())).unwrap();

    let refused = token.verify(key().verification_key(), ALL).unwrap_err();

    assert_eq!(refused, JwsError::Signature);
}

#[test]
fn refuses_a_changed_payload() {
    let key = key();
    let token = good(&key);
    let parts: Vec<&str> = token.split('.').collect();
    let forged = to_base64url(br#"{"sub":"another"}"#);
    let token = UnverifiedJws::parse(&format!("{}.{forged}.{}", parts[0], parts[2])).unwrap();

    assert_eq!(token.verify(key.verification_key(), ALL).unwrap_err(), JwsError::Signature);
}

#[test]
fn refuses_headers_that_change_the_meaning() {
    let key = key();
    for (name, member) in [
        ("crit", r#""crit":["exp"],"exp":1"#),
        ("crit", r#""crit":[]"#),
        ("b64", r#""b64":false"#),
        ("b64", r#""b64":true"#),
        ("zip", r#""zip":"DEF""#),
    ] {
        let token = signed(&key, &format!(r#"{{"alg":"ES256",{member}}}"#), "{}");
        assert_eq!(refusal(&token), JwsError::CriticalHeader(name));
    }
}

/// CVE-2018-0114.
#[test]
fn keys_in_the_header_are_ignored() {
    let (trusted, attacker) = (key(), key());
    let header = json!({
        "alg": "ES256", "jwk": attacker.public_jwk(), "jku": "https://attacker.example/jwks",
        "x5u": "https://attacker.example/cert", "x5c": ["AA"],
    });
    let parse = |key| UnverifiedJws::parse(&signed(key, &header.to_string(), "{}")).unwrap();

    let forged = parse(&attacker).verify(trusted.verification_key(), ALL);

    assert_eq!(forged.unwrap_err(), JwsError::Signature);
    assert!(parse(&trusted).verify(trusted.verification_key(), ALL).is_ok());
}

#[test]
fn refuses_headers_that_are_not_an_object_with_a_text_alg() {
    let key = key();
    for header in [
        "[]",
        "1",
        "null",
        "{}",
        r#"{"alg":1}"#,
        r#"{"alg":null}"#,
        r#"{"alg":["ES256"]}"#,
        r#"{"alg":"ES256","kid":{"a":1}}"#,
        r#"{"alg":"ES256","kid":1}"#,
        r#"{"alg":"ES256","typ":null}"#,
    ] {
        assert_eq!(refusal(&signed(&key, header, "{}")), JwsError::Header, "{header}");
    }
}

#[test]
fn refuses_an_alg_that_is_no_name() {
    let token = |length| signed(&key(), &json!({ "alg": "x".repeat(length) }).to_string(), "{}");

    assert_eq!(UnverifiedJws::parse(&token(32)).unwrap().alg(), None);
    assert_eq!(refusal(&token(33)), JwsError::Header);
}

#[test]
fn refuses_a_header_member_that_is_there_twice() {
    let token = signed(&key(), r#"{"alg":"ES256","alg":"none"}"#, "{}");

    assert_eq!(refusal(&token), JwsError::Json(StrictJsonError::DuplicateMember));
}

#[test]
fn refuses_every_number_of_parts_but_three() {
    let token = good(&key());
    let (two, _) = token.rsplit_once('.').unwrap();
    for bad in
        ["", ".", "a", two, &format!("{token}."), &format!("{token}.AA"), &format!(".{token}")]
    {
        assert_eq!(refusal(bad), JwsError::NotCompact, "{bad}");
    }
}

#[test]
fn refuses_base64_that_is_not_strict() {
    let token = good(&key());
    let parts: Vec<&str> = token.split('.').collect();
    // with the last character of 64 octets, four of its bits are left over and have to be zero
    let leftover = format!("{}B", &parts[2][..85]);
    for bad in [
        format!(" {token}"),
        format!("{token}\n"),
        format!("{token}=="),
        format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
        format!("{}.{} .{}", parts[0], parts[1], parts[2]),
        format!("{}.{}.{leftover}", parts[0], parts[1]),
        format!("{}.{}.+/{}", parts[0], parts[1], &parts[2][2..]),
    ] {
        assert_eq!(refusal(&bad), JwsError::NotCompact, "{bad}");
    }
}

#[test]
fn refuses_tokens_above_64_kib() {
    let key = key();
    let padded = |length| sign_compact(&key, "JWT", &"x".repeat(length)).unwrap();
    let overhead = padded(0).len();
    let longest = (MAX_TOKEN - overhead) / 4 * 3;

    assert!(UnverifiedJws::parse(&padded(longest - 3)).is_ok());
    assert_eq!(refusal(&padded(longest + 3)), JwsError::TooLong);
}

#[test]
fn claims_are_an_object_without_duplicates() {
    let key = key();

    assert_eq!(claims(&key, r#"{"sub":"a"}"#).unwrap()["sub"], "a");
    for payload in ["[]", "1", "\"text\"", "null", "true"] {
        assert_eq!(claims(&key, payload), Err(JwsError::ClaimsNotAnObject), "{payload}");
    }
    let twice = claims(&key, r#"{"sub":"a","sub":"b"}"#);
    assert_eq!(twice, Err(JwsError::Json(StrictJsonError::DuplicateMember)));
}

#[test]
fn what_cannot_be_written_as_json_is_not_signed() {
    let claims = std::collections::HashMap::from([(vec![1], 1)]);

    assert_eq!(sign_compact(&key(), "JWT", &claims), Err(SigningError::Claims));
}

#[test]
fn debug_shows_no_part_of_the_token() {
    let key = key();
    let unverified = UnverifiedJws::parse(&good(&key)).unwrap();
    assert_eq!(format!("{unverified:?}"), "UnverifiedJws(alg \"ES256\")");

    let verified = unverified.verify(key.verification_key(), ALL).unwrap();
    assert_eq!(format!("{verified:?}"), "VerifiedJws(EcdsaP256Sha256)");
}
