//! Secrets of a connection at rest: where each is bound to, so that a sealed value moved to another row does not open.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use homerealm_certs::SpKey;
use zeroize::Zeroizing;

use crate::catalog::connection::SealedSpKey;
use crate::seal::{Purpose, SealError, Sealer};

/// Seals our client secret at a connection's OP.
///
/// # Errors
/// [`SealError`] where the cryptographic library refuses.
pub fn seal_client_secret(
    sealer: &Sealer,
    connection_id: &str,
    secret: &str,
) -> Result<String, SealError> {
    let place = place(connection_id, "client_secret");
    Ok(STANDARD.encode(sealer.seal(Purpose::Catalog, place.as_bytes(), secret.as_bytes())?))
}

/// Opens what [`seal_client_secret`] sealed.
///
/// # Errors
/// [`SealError`] where it was sealed for another connection or under another master key.
pub fn open_client_secret(
    sealer: &Sealer,
    connection_id: &str,
    sealed: &str,
) -> Result<Zeroizing<String>, SealError> {
    let plain = open(sealer, &place(connection_id, "client_secret"), sealed)?;
    let text = std::str::from_utf8(&plain).map_err(|_| SealError::Broken)?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Seals a connection's own key; the certificate is public.
///
/// # Errors
/// [`SealError`] where the cryptographic library refuses.
pub fn seal_sp_key(
    sealer: &Sealer,
    connection_id: &str,
    key: &SpKey,
) -> Result<SealedSpKey, SealError> {
    let place = place(connection_id, "sp_key");
    let sealed = sealer.seal(Purpose::Catalog, place.as_bytes(), &key.to_pkcs8())?;
    Ok(SealedSpKey {
        sealed_pkcs8: STANDARD.encode(sealed),
        certificate: STANDARD.encode(key.certificate().der()),
    })
}

/// Opens what [`seal_sp_key`] sealed.
///
/// # Errors
/// [`SealError`] where it was sealed for another connection or under another master key, or key and certificate do not
/// belong together.
pub fn open_sp_key(
    sealer: &Sealer,
    connection_id: &str,
    sealed: &SealedSpKey,
) -> Result<SpKey, SealError> {
    let pkcs8 = open(sealer, &place(connection_id, "sp_key"), &sealed.sealed_pkcs8)?;
    let certificate = STANDARD.decode(&sealed.certificate).map_err(|_| SealError::Broken)?;
    SpKey::from_parts(&pkcs8, &certificate).map_err(|_| SealError::Broken)
}

fn open(sealer: &Sealer, place: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let bytes = STANDARD.decode(sealed).map_err(|_| SealError::Broken)?;
    sealer.open(Purpose::Catalog, place.as_bytes(), &bytes)
}

fn place(connection_id: &str, what: &str) -> String {
    format!("connections/{connection_id}/{what}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::MasterKey;

    #[test]
    fn a_client_secret_opens_for_its_own_connection_only() {
        let sealer = Sealer::new(&MasterKey::new([7; 32])).unwrap();
        let sealed = seal_client_secret(&sealer, "con_a", "s3cret").unwrap();

        assert_eq!(open_client_secret(&sealer, "con_a", &sealed).unwrap().as_str(), "s3cret");
        assert_eq!(open_client_secret(&sealer, "con_b", &sealed), Err(SealError::Broken));
        assert_eq!(open_client_secret(&sealer, "con_a", "%"), Err(SealError::Broken));
    }
}
