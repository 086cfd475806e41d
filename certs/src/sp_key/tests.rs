use std::sync::LazyLock;

use aws_lc_rs::rsa::{OaepPublicEncryptingKey, PublicEncryptingKey};
use chrono::TimeDelta;

use super::*;
use crate::{JwsAlgorithm, SignatureAlgorithm, SigningKey};

const HASHES: [OaepHash; 4] =
    [OaepHash::Sha1, OaepHash::Sha256, OaepHash::Sha384, OaepHash::Sha512];

/// Making an RSA key is slow; most tests do not need their own.
static KEY: LazyLock<SpKey> = LazyLock::new(|| SpKey::generate("acme", now(), 365).unwrap());

fn now() -> DateTime<Utc> {
    "2030-01-01T00:00:00Z".parse().unwrap()
}

fn encrypt(hash: OaepHash, plaintext: &[u8], label: Option<&[u8]>) -> Vec<u8> {
    let public = PublicEncryptingKey::from_der(KEY.verification_key().spki_der()).unwrap();
    let public = OaepPublicEncryptingKey::new(public).unwrap();
    let mut room = vec![0; public.ciphertext_size()];
    public.encrypt(hash.algorithm(), plaintext, &mut room, label).unwrap().to_vec()
}

#[test]
fn makes_a_certificate_that_can_be_read_again() {
    let certificate = Certificate::from_der(KEY.certificate().der()).unwrap();

    assert_eq!(certificate.subject(), "CN=acme");
    assert_eq!(certificate.not_before(), now() - TimeDelta::hours(1));
    assert_eq!(certificate.not_after(), now() + TimeDelta::days(365));
    assert_eq!(certificate.key(), KEY.verification_key());
}

#[test]
fn the_certificate_is_signed_with_its_own_key() {
    use x509_parser::certificate::X509Certificate;
    use x509_parser::prelude::FromDer;
    let (_, parsed) = X509Certificate::from_der(KEY.certificate().der()).unwrap();

    let verified = KEY.verification_key().verify(
        SignatureAlgorithm::RsaPkcs1Sha256,
        parsed.tbs_certificate.as_ref(),
        &parsed.signature_value.data,
    );

    assert_eq!(verified, Ok(()));
}

#[test]
fn a_stored_key_is_the_same_key() {
    let again = SpKey::from_parts(&KEY.to_pkcs8(), KEY.certificate().der()).unwrap();

    assert_eq!(again.certificate(), KEY.certificate());
    assert_eq!(again.to_pkcs8(), KEY.to_pkcs8());
}

#[test]
fn signs_what_its_certificate_verifies() {
    let signature = KEY.sign_rsa_sha256(b"a message").unwrap();

    let algorithm = SignatureAlgorithm::RsaPkcs1Sha256;
    assert_eq!(KEY.verification_key().verify(algorithm, b"a message", &signature), Ok(()));
}

#[test]
fn decrypts_with_the_hash_that_encrypted_and_no_other() {
    for used in HASHES {
        let ciphertext = encrypt(used, b"a content key", None);
        for tried in HASHES {
            let decrypted = KEY.decrypt_oaep(tried, &ciphertext);
            if tried == used {
                assert_eq!(decrypted.unwrap().as_slice(), b"a content key");
            } else {
                assert_eq!(decrypted, Err(DecryptError), "{used:?} as {tried:?}");
            }
        }
    }
}

#[test]
fn decrypts_an_empty_plaintext() {
    let ciphertext = encrypt(OaepHash::Sha256, b"", None);

    assert!(KEY.decrypt_oaep(OaepHash::Sha256, &ciphertext).unwrap().is_empty());
}

#[test]
fn refuses_another_label() {
    let ciphertext = encrypt(OaepHash::Sha256, b"a content key", Some(b"label"));

    assert_eq!(KEY.decrypt_oaep(OaepHash::Sha256, &ciphertext), Err(DecryptError));
}

#[test]
fn refuses_ciphertexts_that_were_changed_or_have_another_length() {
    let good = encrypt(OaepHash::Sha1, b"a content key", None);
    let mut changed = good.clone();
    changed[200] ^= 1;
    for bad in
        [&[][..], &good[..255], &[&good[..], &[0]].concat(), &[&[0], &good[..]].concat(), &changed]
    {
        assert_eq!(KEY.decrypt_oaep(OaepHash::Sha1, bad), Err(DecryptError));
    }
}

#[test]
fn refuses_a_certificate_of_another_key() {
    let other = SpKey::generate("globex", now(), 365).unwrap();

    let refused = SpKey::from_parts(&KEY.to_pkcs8(), other.certificate().der()).unwrap_err();

    assert_eq!(refused, SpKeyError::KeyMismatch);
}

#[test]
fn refuses_what_is_no_rsa_key_or_no_certificate() {
    let ec = SigningKey::generate(JwsAlgorithm::Es256).unwrap();
    let refused =
        |pkcs8: &[u8], certificate: &[u8]| SpKey::from_parts(pkcs8, certificate).unwrap_err();

    assert_eq!(refused(&ec.to_pkcs8(), KEY.certificate().der()), SpKeyError::PrivateKey);
    assert_eq!(refused(b"", KEY.certificate().der()), SpKeyError::PrivateKey);
    let unreadable = SpKeyError::Certificate(CertificateError::Unreadable);
    assert_eq!(refused(&KEY.to_pkcs8(), b""), unreadable);
}

#[test]
fn refuses_names_that_do_not_fit_a_certificate() {
    for name in ["", "a\nb", "a\0", &"x".repeat(65)] {
        let refused = SpKey::generate(name, now(), 365).unwrap_err();
        assert_eq!(refused, SpKeyError::CommonName, "{name:?}");
    }
    assert!(certificate_params(&"ä".repeat(64), now(), 365).is_ok());
}

#[test]
fn refuses_lifetimes_that_do_not_fit_a_certificate() {
    for days in [i64::MIN, -1, 0, 36_501, i64::MAX] {
        let refused = certificate_params("acme", now(), days).unwrap_err();
        assert_eq!(refused, SpKeyError::Lifetime, "{days}");
    }
    for edge in
        [DateTime::UNIX_EPOCH, "9999-12-31T00:00:00Z".parse().unwrap(), DateTime::<Utc>::MAX_UTC]
    {
        assert_eq!(
            certificate_params("acme", edge, 1).unwrap_err(),
            SpKeyError::Lifetime,
            "{edge}"
        );
    }
    for days in [1, 36_500] {
        assert!(certificate_params("acme", now(), days).is_ok());
    }
}

#[test]
fn debug_shows_no_private_key() {
    assert_eq!(format!("{:?}", *KEY), format!("SpKey({:?})", KEY.certificate()));
}
