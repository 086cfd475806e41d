use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING,
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};

use super::*;

const MESSAGE: &[u8] = b"a message";

/// An odd modulus of so many bits; nobody has the factors, which only signing would need.
fn modulus(bits: usize) -> Vec<u8> {
    let mut n = vec![0x5a; bits.div_ceil(8)];
    let top = (bits - 1) % 8;
    n[0] = (1 << top) | (0x5a & ((1 << top) - 1));
    *n.last_mut().unwrap() |= 1;
    n
}

fn ec(kind: &'static EcdsaSigningAlgorithm) -> (EcdsaKeyPair, VerificationKey) {
    let pair = EcdsaKeyPair::generate(kind).unwrap();
    let key = VerificationKey::from_spki(pair.public_key().as_der().unwrap().as_ref()).unwrap();
    (pair, key)
}

fn sign_ec(pair: &EcdsaKeyPair) -> Vec<u8> {
    pair.sign(&SystemRandom::new(), MESSAGE).unwrap().as_ref().to_vec()
}

fn rsa() -> (RsaKeyPair, VerificationKey) {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    let key = VerificationKey::from_spki(spki.as_ref()).unwrap();
    (pair, key)
}

fn sign_rsa(pair: &RsaKeyPair, encoding: &'static dyn RsaEncoding) -> Vec<u8> {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(encoding, &SystemRandom::new(), MESSAGE, &mut signature).unwrap();
    signature
}

fn bits(key: Result<VerificationKey, KeyError>) -> KeyKind {
    key.unwrap().kind()
}

#[test]
fn takes_rsa_keys_from_2048_to_8192_bits() {
    for size in [2048, 2049, 4096, 8192] {
        let key = VerificationKey::from_rsa_components(&modulus(size), &[1, 0, 1]);
        assert_eq!(bits(key), KeyKind::Rsa { bits: u32::try_from(size).unwrap() });
    }
}

#[test]
fn refuses_rsa_keys_below_2048_bits() {
    for size in [512, 1024, 2047] {
        let key = VerificationKey::from_rsa_components(&modulus(size), &[1, 0, 1]);
        assert_eq!(key, Err(KeyError::TooSmall { bits: u32::try_from(size).unwrap() }));
    }
    assert_eq!(
        VerificationKey::from_rsa_components(&[], &[1, 0, 1]),
        Err(KeyError::TooSmall { bits: 0 })
    );
}

#[test]
fn refuses_rsa_keys_above_8192_bits() {
    for size in [8193, 16_384, 1_000_000] {
        let key = VerificationKey::from_rsa_components(&modulus(size), &[1, 0, 1]);
        assert_eq!(key, Err(KeyError::TooLarge { bits: u32::try_from(size).unwrap() }));
    }
}

#[test]
fn leading_zeros_do_not_make_a_small_key_larger() {
    let padded = [vec![0; 256], modulus(1024)].concat();

    let key = VerificationKey::from_rsa_components(&padded, &[1, 0, 1]);

    assert_eq!(key, Err(KeyError::TooSmall { bits: 1024 }));
}

#[test]
fn leading_zeros_do_not_make_another_key() {
    let padded = [vec![0; 2], modulus(2048)].concat();

    let key = VerificationKey::from_rsa_components(&padded, &[0, 1, 0, 1]);

    assert_eq!(key, VerificationKey::from_rsa_components(&modulus(2048), &[1, 0, 1]));
}

#[test]
fn takes_odd_exponents_from_3_to_below_2_to_the_32() {
    for e in [&[3][..], &[17], &[1, 0, 1], &[0xff, 0xff, 0xff, 0xff]] {
        assert!(VerificationKey::from_rsa_components(&modulus(2048), e).is_ok(), "{e:?}");
    }
}

#[test]
fn refuses_other_exponents() {
    for e in [&[][..], &[0], &[1], &[2], &[0, 1], &[1, 0, 0], &[1, 0, 0, 0, 1], &[0xff; 200]] {
        let key = VerificationKey::from_rsa_components(&modulus(2048), e);
        assert_eq!(key, Err(KeyError::BadExponent), "{e:?}");
    }
}

#[test]
fn refuses_an_even_modulus() {
    let mut even = modulus(2048);
    *even.last_mut().unwrap() ^= 1;

    let key = VerificationKey::from_rsa_components(&even, &[1, 0, 1]);

    assert_eq!(key, Err(KeyError::Malformed));
}

#[test]
fn refuses_points_that_are_not_on_the_curve() {
    for (kind, width) in [(KeyKind::P256, 32), (KeyKind::P384, 48)] {
        for value in [0, 1, 0xff] {
            let key = VerificationKey::from_ec_point(kind, &vec![value; width], &vec![1; width]);
            assert_eq!(key, Err(KeyError::BadPoint));
        }
    }
}

#[test]
fn refuses_coordinates_of_another_length() {
    for (x, y) in [(31, 32), (32, 33), (0, 0), (48, 48)] {
        let key = VerificationKey::from_ec_point(KeyKind::P256, &vec![1; x], &vec![1; y]);
        assert_eq!(key, Err(KeyError::Malformed));
    }
}

#[test]
fn refuses_a_point_for_a_kind_that_is_no_curve() {
    let key = VerificationKey::from_ec_point(KeyKind::Ed25519, &[1; 32], &[1; 32]);

    assert!(matches!(key, Err(KeyError::Unsupported { .. })));
}

#[test]
fn refuses_ed25519_keys_that_have_not_32_octets() {
    for length in [0, 31, 33] {
        let key = VerificationKey::from_ed25519(&vec![1; length]);
        assert_eq!(key, Err(KeyError::Malformed));
    }
}

#[test]
fn every_key_survives_its_own_encoding() {
    let (_, p256) = ec(&ECDSA_P256_SHA256_FIXED_SIGNING);
    let (_, p384) = ec(&ECDSA_P384_SHA384_FIXED_SIGNING);
    let rsa = VerificationKey::from_rsa_components(&modulus(3072), &[3]).unwrap();
    let ed25519 = VerificationKey::from_ed25519(&[7; 32]).unwrap();
    for key in [p256, p384, rsa, ed25519] {
        assert_eq!(VerificationKey::from_spki(key.spki_der()), Ok(key));
    }
}

#[test]
fn refuses_an_encoding_that_is_not_the_canonical_one() {
    let (_, key) = ec(&ECDSA_P256_SHA256_FIXED_SIGNING);
    let good = key.spki_der().to_vec();
    let trailing = [&good[..], &[0]].concat();
    let truncated = good[..good.len() - 1].to_vec();
    let mut unused_bits = good;
    unused_bits[25] = 1;
    for bad in [trailing, truncated, unused_bits, vec![], vec![0x30, 0]] {
        assert_eq!(VerificationKey::from_spki(&bad), Err(KeyError::Malformed));
    }
}

#[test]
fn refuses_compressed_points() {
    let (_, key) = ec(&ECDSA_P256_SHA256_FIXED_SIGNING);
    let mut compressed = key.spki_der()[..59].to_vec();
    compressed[1] = 57;
    compressed[24] = 34;
    compressed[26] = 2 + (key.spki_der().last().unwrap() & 1);

    assert_eq!(VerificationKey::from_spki(&compressed), Err(KeyError::Malformed));
}

#[test]
fn names_the_type_of_an_unsupported_key() {
    // P-521 and X25519, as OpenSSL writes them
    let p521 = "30819b301006072a8648ce3d020106052b810400230381860004";
    let p521 = hex::decode(p521.to_owned() + &"01".repeat(132)).unwrap();
    let x25519 = hex::decode("302a300506032b656e032100".to_owned() + &"09".repeat(32)).unwrap();

    let unsupported = |what: &str| Err(KeyError::Unsupported { what: what.to_owned() });
    assert_eq!(VerificationKey::from_spki(&p521), unsupported("EC on 1.3.132.0.35"));
    assert_eq!(VerificationKey::from_spki(&x25519), unsupported("1.3.101.110"));
}

#[test]
fn an_rsa_key_verifies_each_rsa_algorithm_and_no_other() {
    let (pair, key) = rsa();
    let signed: [(SignatureAlgorithm, &'static dyn RsaEncoding); 6] = [
        (SignatureAlgorithm::RsaPkcs1Sha256, &RSA_PKCS1_SHA256),
        (SignatureAlgorithm::RsaPkcs1Sha384, &RSA_PKCS1_SHA384),
        (SignatureAlgorithm::RsaPkcs1Sha512, &RSA_PKCS1_SHA512),
        (SignatureAlgorithm::RsaPssSha256, &RSA_PSS_SHA256),
        (SignatureAlgorithm::RsaPssSha384, &RSA_PSS_SHA384),
        (SignatureAlgorithm::RsaPssSha512, &RSA_PSS_SHA512),
    ];
    for (used, encoding) in signed {
        let signature = sign_rsa(&pair, encoding);
        for tried in SignatureAlgorithm::ALL {
            let verified = key.verify(tried, MESSAGE, &signature).is_ok();
            assert_eq!(verified, tried == used, "{used:?} as {tried:?}");
        }
    }
}

#[test]
fn an_elliptic_key_verifies_its_own_algorithm_and_no_other() {
    let (p256_pair, p256) = ec(&ECDSA_P256_SHA256_FIXED_SIGNING);
    let (p384_pair, p384) = ec(&ECDSA_P384_SHA384_FIXED_SIGNING);
    let ed_pair = Ed25519KeyPair::generate().unwrap();
    let ed = VerificationKey::from_ed25519(ed_pair.public_key().as_ref()).unwrap();
    let cases = [
        (SignatureAlgorithm::EcdsaP256Sha256, p256, sign_ec(&p256_pair)),
        (SignatureAlgorithm::EcdsaP384Sha384, p384, sign_ec(&p384_pair)),
        (SignatureAlgorithm::Ed25519, ed, ed_pair.sign(MESSAGE).as_ref().to_vec()),
    ];
    for (used, key, signature) in cases {
        for tried in SignatureAlgorithm::ALL {
            let verified = key.verify(tried, MESSAGE, &signature).is_ok();
            assert_eq!(verified, tried == used, "{used:?} as {tried:?}");
        }
        assert_eq!(key.verify(used, b"another message", &signature), Err(BadSignature));
    }
}

#[test]
fn verifies_sha1_when_asked_for_it_by_name() {
    // `openssl dgst -sha1 -sign` over "a message", with a key made for this test
    let key = VerificationKey::from_spki(include_bytes!("tests/sha1-key.der")).unwrap();
    let signature = include_bytes!("tests/sha1-signature.bin");

    assert_eq!(key.verify(SignatureAlgorithm::RsaPkcs1Sha1, MESSAGE, signature), Ok(()));
    for other in SignatureAlgorithm::ALL {
        if other != SignatureAlgorithm::RsaPkcs1Sha1 {
            assert_eq!(key.verify(other, MESSAGE, signature), Err(BadSignature));
        }
    }
}

/// CVE-2022-21449.
#[test]
fn refuses_an_ecdsa_signature_of_zeros() {
    let (_, p256) = ec(&ECDSA_P256_SHA256_FIXED_SIGNING);
    let (_, p384) = ec(&ECDSA_P384_SHA384_FIXED_SIGNING);

    let zeros_256 = p256.verify(SignatureAlgorithm::EcdsaP256Sha256, MESSAGE, &[0; 64]);
    let zeros_384 = p384.verify(SignatureAlgorithm::EcdsaP384Sha384, MESSAGE, &[0; 96]);

    assert_eq!((zeros_256, zeros_384), (Err(BadSignature), Err(BadSignature)));
}

/// r = s = n, which is zero too.
#[test]
fn refuses_an_ecdsa_signature_of_the_group_order() {
    let (_, key) = ec(&ECDSA_P256_SHA256_FIXED_SIGNING);
    let n =
        hex::decode("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551").unwrap();

    let verified = key.verify(SignatureAlgorithm::EcdsaP256Sha256, MESSAGE, &[&n[..], &n].concat());

    assert_eq!(verified, Err(BadSignature));
}

#[test]
fn refuses_ecdsa_signatures_of_another_length() {
    let (pair, key) = ec(&ECDSA_P256_SHA256_FIXED_SIGNING);
    let good = sign_ec(&pair);
    let (r, s) = good.split_at(32);
    for bad in [&[][..], r, &good[..63], &[&good[..], &[0]].concat(), &[&[0], r, &[0], s].concat()]
    {
        let verified = key.verify(SignatureAlgorithm::EcdsaP256Sha256, MESSAGE, bad);
        assert_eq!(verified, Err(BadSignature));
    }
}

#[test]
fn refuses_ecdsa_signatures_in_der() {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let key = VerificationKey::from_spki(pair.public_key().as_der().unwrap().as_ref()).unwrap();

    let verified = key.verify(SignatureAlgorithm::EcdsaP256Sha256, MESSAGE, &sign_ec(&pair));

    assert_eq!(verified, Err(BadSignature));
}

#[test]
fn refuses_rsa_signatures_of_another_length() {
    let (pair, key) = rsa();
    let good = sign_rsa(&pair, &RSA_PKCS1_SHA256);
    for bad in [&[][..], &good[..255], &[&good[..], &[0]].concat(), &[&[0], &good[..]].concat()] {
        let verified = key.verify(SignatureAlgorithm::RsaPkcs1Sha256, MESSAGE, bad);
        assert_eq!(verified, Err(BadSignature));
    }
}

#[test]
fn one_key_serves_many_threads() {
    let (pair, key) = rsa();
    let signature = sign_rsa(&pair, &RSA_PSS_SHA512);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let verified = key.verify(SignatureAlgorithm::RsaPssSha512, MESSAGE, &signature);
                assert_eq!(verified, Ok(()));
            });
        }
    });
}
