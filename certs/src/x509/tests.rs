use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DnType, KeyPair};

use super::*;
use crate::{KeyKind, NoTrustedKey, SignatureAlgorithm, TrustedKeys};

fn certificate(algorithm: &'static rcgen::SignatureAlgorithm) -> (KeyPair, Vec<u8>) {
    let key = KeyPair::generate_for(algorithm).unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "idp.example");
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2060, 1, 1);
    let der = params.self_signed(&key).unwrap().der().to_vec();
    (key, der)
}

fn good() -> Vec<u8> {
    certificate(&rcgen::PKCS_ECDSA_P256_SHA256).1
}

#[test]
fn reads_names_dates_fingerprint_and_key() {
    let der = good();

    let read = Certificate::from_der(&der).unwrap();

    assert_eq!(read.der(), der);
    assert_eq!(read.subject(), "CN=idp.example");
    assert_eq!(read.not_before().to_rfc3339(), "2020-01-01T00:00:00+00:00");
    assert_eq!(read.not_after().to_rfc3339(), "2060-01-01T00:00:00+00:00");
    assert_eq!(read.sha256_hex(), hex::encode(digest(&SHA256, &der)));
    assert_eq!(read.key().kind(), KeyKind::P256);
}

#[test]
fn reads_certificates_of_every_supported_kind() {
    let kind = |algorithm| Certificate::from_der(&certificate(algorithm).1).unwrap().key().kind();

    assert_eq!(kind(&rcgen::PKCS_ECDSA_P384_SHA384), KeyKind::P384);
    assert_eq!(kind(&rcgen::PKCS_ED25519), KeyKind::Ed25519);
    assert_eq!(kind(&rcgen::PKCS_RSA_SHA256), KeyKind::Rsa { bits: 2048 });
}

#[test]
fn takes_white_space_anywhere_in_the_base64() {
    let der = good();
    let text = STANDARD.encode(&der);
    let spaced: String = text.chars().flat_map(|letter| [letter, ' ', '\t', '\r', '\n']).collect();

    assert_eq!(Certificate::from_base64(&spaced).unwrap().der(), der);
    assert_eq!(Certificate::from_base64(&text).unwrap().der(), der);
}

#[test]
fn takes_pem_armour() {
    let der = good();
    let text = STANDARD.encode(&der);
    let pem = format!("\n-----BEGIN CERTIFICATE-----\r\n{text}\r\n-----END CERTIFICATE-----\n");

    assert_eq!(Certificate::from_base64(&pem).unwrap().der(), der);
}

#[test]
fn refuses_text_that_is_not_one_certificate_in_base64() {
    let text = STANDARD.encode(good());
    let pem = format!("-----BEGIN CERTIFICATE-----{text}-----END CERTIFICATE-----");
    for bad in [
        "!".to_owned(),
        format!("{text}-"),
        format!("{text}\u{a0}"),
        format!("{pem}{pem}"),
        format!("-----BEGIN CERTIFICATE-----{text}"),
        pem.replace("CERTIFICATE", "PUBLIC KEY"),
        text.replace(['+', '/', 'A'], "_"),
    ] {
        assert_eq!(Certificate::from_base64(&bad).unwrap_err(), CertificateError::Base64);
    }
}

#[test]
fn refuses_what_is_no_certificate() {
    let der = good();
    for bad in [&[][..], b"text", &[0x30, 0x80, 0, 0], &der[..der.len() - 1], &der[4..]] {
        assert_eq!(Certificate::from_der(bad).unwrap_err(), CertificateError::Unreadable);
    }
    assert_eq!(Certificate::from_base64("").unwrap_err(), CertificateError::Unreadable);
}

#[test]
fn refuses_trailing_bytes() {
    let der = [good(), vec![0]].concat();

    assert_eq!(Certificate::from_der(&der).unwrap_err(), CertificateError::TrailingBytes);
}

/// Made with `openssl req -x509 -newkey rsa:1024` and `-newkey ec -pkeyopt ec_paramgen_curve:secp521r1`.
#[test]
fn says_which_key_is_weak_or_unsupported() {
    let weak = Certificate::from_der(include_bytes!("tests/rsa-1024.der")).unwrap_err();
    let unsupported = Certificate::from_der(include_bytes!("tests/ec-p521.der")).unwrap_err();

    assert_eq!(weak, CertificateError::Key(KeyError::TooSmall { bits: 1024 }));
    let what = "EC on 1.3.132.0.35".to_owned();
    assert_eq!(unsupported, CertificateError::Key(KeyError::Unsupported { what }));
}

#[test]
fn reads_rsa_certificates_of_openssl() {
    let read = Certificate::from_der(include_bytes!("tests/rsa-2048.der")).unwrap();

    assert_eq!(read.key().kind(), KeyKind::Rsa { bits: 2048 });
}

#[test]
fn there_are_no_trusted_keys_without_a_key() {
    assert_eq!(TrustedKeys::try_from(vec![]).unwrap_err(), NoTrustedKey);
}

#[test]
fn trusted_keys_verify_with_any_of_them_by_kind() {
    use rcgen::SigningKey;
    let (_, first) = certificate(&rcgen::PKCS_ECDSA_P256_SHA256);
    let (signer, second) = certificate(&rcgen::PKCS_ED25519);
    let (stranger, _) = certificate(&rcgen::PKCS_ED25519);
    let keys = [first, second].map(|der| Certificate::from_der(&der).unwrap().key().clone());
    let trusted = TrustedKeys::try_from(keys.to_vec()).unwrap();
    let verify = |algorithm, by: &KeyPair| {
        trusted.verify(algorithm, b"a message", &by.sign(b"a message").unwrap())
    };

    assert_eq!(verify(SignatureAlgorithm::Ed25519, &signer), Ok(()));
    assert_eq!(verify(SignatureAlgorithm::Ed25519, &stranger), Err(crate::BadSignature));
    assert_eq!(verify(SignatureAlgorithm::RsaPkcs1Sha256, &signer), Err(crate::BadSignature));
    assert_eq!(trusted.iter().count(), 2);
}

#[test]
fn a_summary_is_the_same_with_a_usable_key_and_exists_without_one() {
    let der = good();
    let (certificate, summary) =
        (Certificate::from_der(&der).unwrap(), CertificateSummary::from_der(&der).unwrap());
    assert_eq!(summary.sha256_hex, certificate.sha256_hex());
    assert_eq!(summary.subject, certificate.subject());
    assert_eq!(summary.not_after, certificate.not_after());

    let (_, unsupported) = self::certificate(&rcgen::PKCS_ECDSA_P521_SHA512);
    assert!(matches!(Certificate::from_der(&unsupported), Err(CertificateError::Key(_))));
    assert_eq!(CertificateSummary::from_der(&unsupported).unwrap().subject, "CN=idp.example");

    let trailing = [der.as_slice(), &[0]].concat();
    assert_eq!(CertificateSummary::from_der(&trailing), Err(CertificateError::TrailingBytes));
}
