//! SubjectPublicKeyInfo: which key it is.

use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_PKCS1_RSAENCRYPTION,
    OID_SIG_ED25519,
};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::{UNCOMPRESSED, VerificationKey};
use crate::{KeyError, KeyKind};

/// Reads the key; whether the encoding was canonical is for the caller to compare.
pub(super) fn read(der: &[u8]) -> Result<VerificationKey, KeyError> {
    let (_, info) = SubjectPublicKeyInfo::from_der(der).map_err(|_| KeyError::Malformed)?;
    let algorithm = &info.algorithm.algorithm;
    if *algorithm == OID_PKCS1_RSAENCRYPTION {
        read_rsa(&info)
    } else if *algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY {
        read_ec(&info)
    } else if *algorithm == OID_SIG_ED25519 {
        VerificationKey::from_ed25519(&info.subject_public_key.data)
    } else {
        Err(KeyError::Unsupported { what: algorithm.to_id_string() })
    }
}

fn read_rsa(info: &SubjectPublicKeyInfo<'_>) -> Result<VerificationKey, KeyError> {
    match info.parsed() {
        Ok(PublicKey::RSA(rsa)) => VerificationKey::from_rsa_components(rsa.modulus, rsa.exponent),
        _ => Err(KeyError::Malformed),
    }
}

/// RFC 5480 §2.1.1: the curve is named.
fn read_ec(info: &SubjectPublicKeyInfo<'_>) -> Result<VerificationKey, KeyError> {
    let parameters = info.algorithm.parameters.as_ref().ok_or(KeyError::Malformed)?;
    let Ok(curve) = parameters.as_oid() else {
        return Err(KeyError::Unsupported { what: "EC without a named curve".to_owned() });
    };
    let kind = if curve == OID_EC_P256 {
        KeyKind::P256
    } else if curve == OID_NIST_EC_P384 {
        KeyKind::P384
    } else {
        return Err(KeyError::Unsupported { what: format!("EC on {}", curve.to_id_string()) });
    };
    let Some((&UNCOMPRESSED, point)) = info.subject_public_key.data.split_first() else {
        return Err(KeyError::Malformed);
    };
    let (x, y) = point.split_at_checked(point.len() / 2).ok_or(KeyError::Malformed)?;
    VerificationKey::from_ec_point(kind, x, y)
}
