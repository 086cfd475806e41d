use homerealm_certs::KeyKind;

use super::*;

const NEXT: &str = include_str!("../../../testdata/next.b64");
const ENCRYPTION: &str = include_str!("../../../testdata/encryption.b64");
const WEAK: &str = include_str!("../../../testdata/weak.b64");
const UNSUPPORTED: &str = include_str!("../../../testdata/unsupported.b64");
const RSA_MODULUS: &str = include_str!("../../../testdata/rsa_modulus.b64");
const SIGNING_POINT: &str = include_str!("../../../testdata/signing_point.b64");
const P384_POINT: &str = include_str!("../../../testdata/p384_point.b64");

fn no_signing_key(idp: &Idp) -> Vec<String> {
    match idp.read() {
        Err(MetadataRefusal::NoSigningKey { dropped }) => dropped,
        other => panic!("expected no signing key, got {other:?}"),
    }
}

#[test]
fn a_key_without_use_is_for_both() {
    let read = Idp { keys: key("", &x509(SIGNING)), ..good() }.read().unwrap();
    assert_eq!(read.certificates[0].key_use, KeyUse::Both);
    assert_eq!(keys_of(&read), 1);
}

#[test]
fn several_signing_keys_are_all_trusted() {
    let keys = key("use=\"signing\"", &x509(SIGNING)) + &key("use=\"signing\"", &x509(NEXT));
    assert_eq!(keys_of(&Idp { keys, ..good() }.read().unwrap()), 2);
}

#[test]
fn the_same_certificate_twice_is_listed_once() {
    let keys = key("use=\"signing\"", &x509(SIGNING)).repeat(2)
        + &key("use=\"encryption\"", &x509(SIGNING));
    let read = Idp { keys, ..good() }.read().unwrap();
    assert_eq!(read.certificates.len(), 1);
    assert_eq!(read.certificates[0].key_use, KeyUse::Both);
    assert_eq!((keys_of(&read), read.signing_certificates().len()), (1, 1));
}

#[test]
fn an_encryption_key_is_listed_and_never_trusted() {
    let encryption = key("use=\"encryption\"", &x509(ENCRYPTION));
    let read = Idp { keys: good().keys + &encryption, ..good() }.read().unwrap();
    assert_eq!(read.certificates[1].key_use, KeyUse::Encryption);
    assert_eq!(keys_of(&read), 1);
    assert!(no_signing_key(&Idp { keys: encryption, ..good() }).is_empty());
}

#[test]
fn white_space_and_pem_armour_around_a_certificate_do_not_matter() {
    let body: String = SIGNING.chars().flat_map(|c| [c, '\n', '\t']).collect();
    let pem = format!("\n-----BEGIN CERTIFICATE-----\n{SIGNING}-----END CERTIFICATE-----\n");
    for text in [body, pem] {
        let read = Idp { keys: key("", &x509(&text)), ..good() }.read().unwrap();
        assert_eq!(read.certificates[0].sha256, fingerprint(SIGNING));
    }
}

#[test]
fn pem_inside_of_base64_is_read_with_a_warning() {
    use base64::Engine;
    let pem = format!("-----BEGIN CERTIFICATE-----\n{SIGNING}-----END CERTIFICATE-----\n");
    let twice = base64::engine::general_purpose::STANDARD.encode(pem);
    let read = Idp { keys: key("", &x509(&twice)), ..good() }.read().unwrap();
    assert_eq!(read.signing_certificates()[0].sha256_hex(), fingerprint(SIGNING));
    assert!(read.warnings[0].contains(&fingerprint(SIGNING)), "{:?}", read.warnings);
}

#[test]
fn only_the_first_certificate_of_a_chain_is_trusted() {
    let chain = format!(
        "<ds:X509Data><ds:X509Certificate>{SIGNING}</ds:X509Certificate><ds:X509Certificate>{NEXT}</ds:X509Certificate></ds:X509Data>"
    );
    let read = Idp { keys: key("", &chain), ..good() }.read().unwrap();
    assert_eq!((read.certificates.len(), keys_of(&read)), (1, 1));
    assert_eq!(read.certificates[0].sha256, fingerprint(SIGNING));
}

#[test]
fn weak_and_unsupported_keys_are_dropped_with_a_warning() {
    for (bad, reason) in [(WEAK, "1024 bits"), (UNSUPPORTED, "not supported")] {
        let keys = good().keys + &key("use=\"signing\"", &x509(bad));
        let read = Idp { keys, ..good() }.read().unwrap();
        assert_eq!(keys_of(&read), 1);
        assert!(read.warnings[0].contains(reason), "{:?}", read.warnings);
        assert!(read.certificates[1].dropped.as_deref().unwrap().contains(reason));
    }
}

#[test]
fn refuses_metadata_without_a_usable_signing_key() {
    let garbage = x509("AAAA");
    for (info, reason) in [
        (x509(WEAK), "1024 bits"),
        (x509(UNSUPPORTED), "not supported"),
        (garbage, "cannot be read"),
        (x509("not base64!"), "not base64"),
        (x509(""), "not base64"),
        ("<ds:KeyName>a</ds:KeyName>".to_owned(), "neither"),
    ] {
        let dropped = no_signing_key(&Idp { keys: key("use=\"signing\"", &info), ..good() });
        assert!(dropped[0].contains(reason), "{dropped:?}");
    }
    assert!(no_signing_key(&Idp { keys: String::new(), ..good() }).is_empty());
    let odd_use = key("use=\"Signing\"", &x509(SIGNING));
    assert!(no_signing_key(&Idp { keys: odd_use, ..good() })[0].contains("unknown `use`"));
    let bare = "<KeyDescriptor/>".to_owned();
    assert!(no_signing_key(&Idp { keys: bare, ..good() })[0].contains("KeyInfo"));
}

#[test]
fn bare_rsa_and_ec_keys_are_trusted_without_a_certificate() {
    let rsa = format!(
        "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>{RSA_MODULUS}</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"
    );
    for (value, kind) in [
        (rsa, KeyKind::Rsa { bits: 2048 }),
        (ec("1.2.840.10045.3.1.7", SIGNING_POINT), KeyKind::P256),
        (ec("1.3.132.0.34", P384_POINT), KeyKind::P384),
    ] {
        let read = Idp { keys: key("", &value), ..good() }.read().unwrap();
        assert_eq!(read.trusted_keys().iter().next().unwrap().kind(), kind);
        assert!(read.certificates.is_empty() && read.signing_certificates().is_empty());
    }
}

fn ec(curve: &str, point: &str) -> String {
    format!(
        r#"<ds:KeyValue><e:ECKeyValue xmlns:e="http://www.w3.org/2009/xmldsig11#"><e:NamedCurve URI="urn:oid:{curve}"/><e:PublicKey>{point}</e:PublicKey></e:ECKeyValue></ds:KeyValue>"#
    )
}

#[test]
fn a_bare_key_and_the_certificate_of_the_same_key_are_one_key() {
    let keys = good().keys + &key("", &ec("1.2.840.10045.3.1.7", SIGNING_POINT));
    assert_eq!(keys_of(&Idp { keys, ..good() }.read().unwrap()), 1);
}

#[test]
fn broken_bare_keys_are_dropped() {
    for (value, reason) in [
        ("<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus></ds:RSAKeyValue></ds:KeyValue>".to_owned(), "cannot be read"),
        ("<ds:KeyValue><ds:DSAKeyValue/></ds:KeyValue>".to_owned(), "not supported"),
        (ec("1.3.132.0.35", SIGNING_POINT), "not supported"),
        (ec("1.3.132.0.34", SIGNING_POINT), "cannot be read"),
        (ec("1.2.840.10045.3.1.7", "BAAA"), "cannot be read"),
    ] {
        let dropped = no_signing_key(&Idp { keys: key("", &value), ..good() });
        assert!(dropped[0].contains(reason), "{dropped:?}");
    }
}

#[test]
fn takes_32_signing_keys_and_refuses_33() {
    let modulus = RSA_MODULUS.replace(char::is_whitespace, "");
    let bare = |number: usize| {
        let (head, tail) = modulus.split_at(100);
        let other = format!("{head}{number:04}{}", &tail[4..]);
        key(
            "",
            &format!(
                "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>{other}</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"
            ),
        )
    };
    let read = |count| Idp { keys: (0..count).map(bare).collect(), ..good() }.read();

    assert_eq!(keys_of(&read(32).unwrap()), 32);
    let refusal = read(33).unwrap_err();
    assert_eq!(refusal, MetadataRefusal::TooManyKeys { count: 33, limit: 32 });
}
