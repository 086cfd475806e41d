use super::*;
use crate::KeyKind;

#[test]
fn signs_what_its_public_key_verifies() {
    for algorithm in JwsAlgorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();

        let signature = key.sign(b"a message").unwrap();

        let public = key.verification_key();
        let verified = public.verify(algorithm.signature_algorithm(), b"a message", &signature);
        assert_eq!(verified, Ok(()), "{algorithm}");
    }
}

#[test]
fn a_stored_key_is_the_same_key() {
    for algorithm in JwsAlgorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();

        let again = SigningKey::from_pkcs8(algorithm, &key.to_pkcs8()).unwrap();

        assert_eq!(again.kid(), key.kid());
        assert_eq!(again.public_jwk(), key.public_jwk());
        assert_eq!(again.to_pkcs8(), key.to_pkcs8());
    }
}

#[test]
fn keys_have_the_kind_of_their_algorithm() {
    let kind = |algorithm| SigningKey::generate(algorithm).unwrap().verification_key().kind();

    assert_eq!(kind(JwsAlgorithm::Es256), KeyKind::P256);
    assert_eq!(kind(JwsAlgorithm::Rs256), KeyKind::Rsa { bits: 2048 });
    assert_eq!(kind(JwsAlgorithm::EdDsa), KeyKind::Ed25519);
}

#[test]
fn the_public_jwk_says_what_the_key_is_for_and_nothing_secret() {
    for (algorithm, members) in [
        (JwsAlgorithm::Es256, vec!["alg", "crv", "kid", "kty", "use", "x", "y"]),
        (JwsAlgorithm::Rs256, vec!["alg", "e", "kid", "kty", "n", "use"]),
        (JwsAlgorithm::EdDsa, vec!["alg", "crv", "kid", "kty", "use", "x"]),
    ] {
        let key = SigningKey::generate(algorithm).unwrap();
        let jwk = key.public_jwk().as_object().unwrap();
        let mut names: Vec<&str> = jwk.keys().map(String::as_str).collect();
        names.sort_unstable();

        assert_eq!(names, members);
        assert_eq!((&jwk["use"], &jwk["alg"]), (&"sig".into(), &algorithm.as_str().into()));
        assert_eq!(jwk["kid"], key.kid());
    }
}

#[test]
fn refuses_a_key_of_another_algorithm() {
    for made in JwsAlgorithm::ALL {
        let der = SigningKey::generate(made).unwrap().to_pkcs8();
        for read in JwsAlgorithm::ALL {
            assert_eq!(
                SigningKey::from_pkcs8(read, &der).is_ok(),
                made == read,
                "{made} as {read}"
            );
        }
    }
}

#[test]
fn refuses_what_is_no_key() {
    for algorithm in JwsAlgorithm::ALL {
        for der in [&[][..], b"no key", &[0x30, 0x80]] {
            let refused = SigningKey::from_pkcs8(algorithm, der).unwrap_err();
            assert_eq!(refused, KeyError::Malformed);
        }
    }
}

#[test]
fn debug_shows_the_kid_only() {
    let key = SigningKey::generate(JwsAlgorithm::EdDsa).unwrap();

    assert_eq!(format!("{key:?}"), format!("SigningKey(EdDSA, {})", key.kid()));
}

#[test]
fn algorithms_have_their_jose_names() {
    for algorithm in JwsAlgorithm::ALL {
        assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
        let json = format!("\"{algorithm}\"");
        assert_eq!(serde_json::to_string(&algorithm).unwrap(), json);
        assert_eq!(serde_json::from_str::<JwsAlgorithm>(&json).unwrap(), algorithm);
    }
    for name in ["none", "HS256", "es256", ""] {
        assert_eq!(name.parse::<JwsAlgorithm>(), Err(UnknownJwsAlgorithm));
    }
}
