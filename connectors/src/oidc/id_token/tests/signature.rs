use super::*;

fn refused_token(token: &str) -> Rejection {
    login().check_token(token, &key_set(&[es256().public_jwk().clone()])).unwrap_err()
}

fn with_header(changes: Value) -> String {
    let mut header = header();
    let Value::Object(mut changes) = changes else { panic!("an object") };
    header.as_object_mut().unwrap().append(&mut changes);
    token(&header, &good().to_string(), es256())
}

/// RFC 8725 §2.1: whatever the token calls itself, and although the provider announces `none` and `HS256`.
#[test]
fn refuses_none_hmac_and_algorithms_that_were_not_announced() {
    for alg in
        ["none", "None", "NONE", "nOnE", "HS256", "HS512", "ES384", "PS256", "EdDSA", "RSA1_5", ""]
    {
        let expected = vec!["RS256", "ES256"];
        let received = alg.to_owned();
        assert_eq!(
            refused_token(&with_header(json!({ "alg": alg }))),
            Rejection::Algorithm { expected, received }
        );
    }
}

#[test]
fn refuses_an_unsigned_token() {
    let part = |text: String| URL_SAFE_NO_PAD.encode(text);
    let unsigned =
        format!("{}.{}.", part(json!({ "alg": "none" }).to_string()), part(good().to_string()));
    let stripped = with_header(json!({})).rsplit_once('.').unwrap().0.to_owned() + ".";

    assert!(matches!(refused_token(&unsigned), Rejection::Algorithm { .. }));
    assert_eq!(refused_token(&stripped), Rejection::Signature);
}

#[test]
fn an_hmac_with_the_public_key_as_secret_is_no_signature() {
    let secret = aws_lc_rs::hmac::Key::new(
        aws_lc_rs::hmac::HMAC_SHA256,
        es256().public_jwk().to_string().as_bytes(),
    );
    let input = with_header(json!({ "alg": "HS256" })).rsplit_once('.').unwrap().0.to_owned();
    let tag = aws_lc_rs::hmac::sign(&secret, input.as_bytes());

    let forged = format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag));

    assert!(matches!(refused_token(&forged), Rejection::Algorithm { .. }));
}

#[test]
fn where_the_provider_announces_nothing_only_rs256_is_taken() {
    let refused =
        Candidate::read(&with_header(json!({})), &[], &mut Checks::default()).err().unwrap();

    assert_eq!(
        refused,
        Rejection::Algorithm { expected: vec!["RS256"], received: "ES256".to_owned() }
    );
}

#[test]
fn verifies_rs256_and_es256_and_refuses_one_as_the_other() {
    let rsa = SigningKey::generate(JwsAlgorithm::Rs256).unwrap();
    let both = key_set(&[rsa.public_jwk().clone(), es256().public_jwk().clone()]);
    let claims = good().to_string();
    let by_rsa = |alg: &str, kid: &str| token(&json!({ "alg": alg, "kid": kid }), &claims, &rsa);

    assert!(login().check_token(&by_rsa("RS256", rsa.kid()), &both).is_ok());
    assert!(login().check_token(&with_header(json!({})), &both).is_ok());
    let confused = login().check_token(&by_rsa("RS256", es256().kid()), &both).unwrap_err();
    assert_eq!(confused, Rejection::KeyUnknown { kid: Some(es256().kid().to_owned()) });
}

#[test]
fn refuses_another_key_under_the_right_kid() {
    let other = SigningKey::generate(JwsAlgorithm::Es256).unwrap();

    assert_eq!(refused_token(&token(&header(), &good().to_string(), &other)), Rejection::Signature);
}

#[test]
fn a_key_in_the_header_is_not_used() {
    let other = SigningKey::generate(JwsAlgorithm::Es256).unwrap();
    let header = json!({
        "alg": "ES256", "kid": es256().kid(), "jwk": other.public_jwk(), "jku": "https://evil.example/jwks",
        "x5u": "https://evil.example/cert", "x5c": ["MA=="]
    });

    assert_eq!(refused_token(&token(&header, &good().to_string(), &other)), Rejection::Signature);
}

#[test]
fn refuses_headers_that_change_what_a_token_means() {
    for header in [json!({ "crit": ["b64"] }), json!({ "b64": false }), json!({ "zip": "DEF" })] {
        assert!(matches!(refused_token(&with_header(header)), Rejection::IdTokenMalformed { .. }));
    }
}

#[test]
fn a_kid_is_a_text_to_look_up_and_nothing_else() {
    for kid in ["../../etc/passwd", "' OR 1=1 --", "", "unknown"] {
        let refused = refused_token(&with_header(json!({ "kid": kid })));
        assert_eq!(refused, Rejection::KeyUnknown { kid: Some(kid.to_owned()) });
    }
    assert!(matches!(
        refused_token(&with_header(json!({ "kid": { "a": 1 } }))),
        Rejection::IdTokenMalformed { .. }
    ));
}

#[test]
fn a_token_without_kid_is_tried_with_every_fitting_key() {
    let other = SigningKey::generate(JwsAlgorithm::Es256).unwrap();
    let keys = key_set(&[other.public_jwk().clone(), es256().public_jwk().clone()]);
    let without_kid = token(&json!({ "alg": "ES256" }), &good().to_string(), es256());

    assert!(login().check_token(&without_kid, &keys).is_ok());
}

#[test]
fn refuses_tokens_of_another_type() {
    for typ in ["at+jwt", "application/at+jwt", "logout+jwt", "secevent+jwt", "JOSE"] {
        assert_eq!(
            refused_token(&with_header(json!({ "typ": typ }))),
            Rejection::TokenType { received: typ.to_owned() }
        );
    }
    for typ in ["jwt", "JWT", "application/jwt"] {
        let keys = key_set(&[es256().public_jwk().clone()]);
        assert!(login().check_token(&with_header(json!({ "typ": typ })), &keys).is_ok());
    }
}

#[test]
fn refuses_an_encrypted_token() {
    assert_eq!(refused_token("a.b.c.d.e"), Rejection::Encrypted);
}

#[test]
fn refuses_what_is_no_compact_jws() {
    for text in ["", "a", "a.b", "a.b.c.d", "a.b.c"] {
        assert!(matches!(refused_token(text), Rejection::IdTokenMalformed { .. }), "{text}");
    }
    let padded = with_header(json!({})) + "=";
    assert!(matches!(refused_token(&padded), Rejection::IdTokenMalformed { .. }));
}

/// RFC 8259 §4: which of two members counts would be the reader's choice.
#[test]
fn refuses_a_payload_with_a_member_twice_or_that_is_no_object() {
    let twice = good().to_string().replacen('{', r#"{"sub":"mallory","#, 1);

    for payload in [twice.as_str(), "[]", "7", "{", ""] {
        let token = token(&header(), payload, es256());
        assert!(matches!(refused_token(&token), Rejection::IdTokenMalformed { .. }), "{payload}");
    }
}

#[test]
fn a_key_of_another_issuer_does_not_sign_for_this_one() {
    let keys_of = |issuer: &str| {
        let mut jwk = es256().public_jwk().clone();
        jwk.as_object_mut().unwrap().insert("issuer".to_owned(), json!(issuer));
        key_set(&[jwk])
    };
    let login = entra("common", &["t-1", "t-2"]);
    let token = token(&header(), &of_tenant("t-1", "t-1").to_string(), es256());

    for issuer in ["https://login.example/t-1/v2.0", "https://login.example/{tenantid}/v2.0"] {
        assert!(login.check_token(&token, &keys_of(issuer)).is_ok(), "{issuer}");
    }
    for issuer in ["https://login.example/t-2/v2.0", "https://other.example/{tenantid}/v2.0"] {
        let refused = login.check_token(&token, &keys_of(issuer)).unwrap_err();
        let received = "https://login.example/t-1/v2.0".to_owned();
        assert_eq!(refused, Rejection::KeyIssuer { expected: issuer.to_owned(), received });
    }
}

/// What the helper that signs for the tests makes is what a provider makes.
#[test]
fn a_token_of_the_signing_side_is_accepted() {
    let claims: Map<String, Value> = good().as_object().unwrap().clone();
    let token = homerealm_certs::sign_compact(es256(), "JWT", &claims).unwrap();

    assert!(login().check_token(&token, &key_set(&[es256().public_jwk().clone()])).is_ok());
}
