//! Secrets at rest: AES-256-GCM under subkeys of the master key, bound to where they stand (RULES 33, 34).

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    digest::{SHA256, digest},
    hkdf::{HKDF_SHA256, KeyType, Salt},
};
use homerealm_certs::{Random, SystemRandom};
use zeroize::Zeroizing;

/// What a sealed value is for; each purpose has its own HKDF subkey, so that a value sealed for one never opens for another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Purpose {
    /// Upstream client secrets and SP keys in the catalog.
    Catalog,
    /// The value that tells whether this master key opens this database.
    Check,
    /// Nonces of DPoP proofs: handed out, never stored.
    DpopNonces,
    /// Records of the session store.
    Sessions,
    /// Our signing keys.
    SigningKeys,
}

/// The master key: 256 bits that never leave the process.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// Seals and opens values.
#[derive(Clone)]
pub struct Sealer(Arc<Inner>);

struct Inner {
    key_id: [u8; 8],
    catalog: LessSafeKey,
    check: LessSafeKey,
    dpop_nonces: LessSafeKey,
    sessions: LessSafeKey,
    signing_keys: LessSafeKey,
}

/// Why a value could not be sealed or opened. Says nothing about the value.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SealError {
    /// Sealed under another master key.
    #[error("sealed under another master key")]
    OtherKey,
    /// Changed, cut, or moved from another place.
    #[error("does not open: changed, cut or moved from its place")]
    Broken,
}

/// Version 1: version byte, key id, nonce, ciphertext with a 16-byte tag.
const VERSION: u8 = 1;
const HEAD: usize = 1 + 8 + NONCE_LEN;

impl MasterKey {
    /// From its 32 bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A fresh one.
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        Self::new(bytes)
    }

    /// Its 32 bytes, for the key file.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Sealer {
    /// With the subkeys of `master`.
    ///
    /// # Errors
    /// [`SealError::Broken`] if the cryptographic library refuses a key; it does not for 256 bits.
    pub fn new(master: &MasterKey) -> Result<Self, SealError> {
        let mut key_id = [0; 8];
        let check = derive(master, b"key id")?;
        key_id.copy_from_slice(
            digest(&SHA256, check.as_ref()).as_ref().get(..8).ok_or(SealError::Broken)?,
        );
        Ok(Self(Arc::new(Inner {
            key_id,
            catalog: aead(master, b"catalog")?,
            check: aead(master, b"check")?,
            dpop_nonces: aead(master, b"dpop nonces")?,
            sessions: aead(master, b"sessions")?,
            signing_keys: aead(master, b"signing keys")?,
        })))
    }

    /// Which master key this is: 16 hexadecimal digits, safe to show.
    pub fn key_id(&self) -> String {
        hex::encode(self.0.key_id)
    }

    /// Seals `plain`; `place` names where it stands (table, row, column, or key) and must be given again to open it.
    ///
    /// # Errors
    /// [`SealError::Broken`] if the value is larger than AES-GCM takes (64 GiB).
    pub fn seal(&self, purpose: Purpose, place: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom.fill(&mut nonce);
        let mut out = Vec::with_capacity(HEAD + plain.len() + 16);
        out.push(VERSION);
        out.extend_from_slice(&self.0.key_id);
        out.extend_from_slice(&nonce);
        let mut body = plain.to_vec();
        self.key(purpose)
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place),
                &mut body,
            )
            .map_err(|_| SealError::Broken)?;
        out.append(&mut body);
        Ok(out)
    }

    /// Opens what [`Self::seal`] made for the same purpose and place.
    ///
    /// # Errors
    /// [`SealError`], without a hint about the content.
    pub fn open(
        &self,
        purpose: Purpose,
        place: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (head, body) = sealed.split_at_checked(HEAD).ok_or(SealError::Broken)?;
        let (tag, nonce) = head.split_at_checked(9).ok_or(SealError::Broken)?;
        let (version, key_id) = tag.split_at_checked(1).ok_or(SealError::Broken)?;
        if version != [VERSION] {
            return Err(SealError::Broken);
        }
        if key_id != self.0.key_id {
            return Err(SealError::OtherKey);
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Broken)?;
        let mut plain = Zeroizing::new(body.to_vec());
        let length = self
            .key(purpose)
            .open_in_place(nonce, Aad::from(place), &mut plain)
            .map_err(|_| SealError::Broken)?
            .len();
        plain.truncate(length);
        Ok(plain)
    }

    fn key(&self, purpose: Purpose) -> &LessSafeKey {
        match purpose {
            Purpose::Catalog => &self.0.catalog,
            Purpose::Check => &self.0.check,
            Purpose::DpopNonces => &self.0.dpop_nonces,
            Purpose::Sessions => &self.0.sessions,
            Purpose::SigningKeys => &self.0.signing_keys,
        }
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealer({})", self.key_id())
    }
}

struct Bits256;

impl KeyType for Bits256 {
    fn len(&self) -> usize {
        32
    }
}

/// HKDF-SHA-256 (RFC 5869), one `info` per purpose.
fn derive(master: &MasterKey, purpose: &[u8]) -> Result<Zeroizing<[u8; 32]>, SealError> {
    let mut out = Zeroizing::new([0; 32]);
    Salt::new(HKDF_SHA256, b"homerealm v1")
        .extract(master.bytes())
        .expand(&[purpose], Bits256)
        .and_then(|okm| okm.fill(out.as_mut()))
        .map_err(|_| SealError::Broken)?;
    Ok(out)
}

fn aead(master: &MasterKey, purpose: &[u8]) -> Result<LessSafeKey, SealError> {
    let bytes = derive(master, purpose)?;
    let key = UnboundKey::new(&AES_256_GCM, bytes.as_ref()).map_err(|_| SealError::Broken)?;
    Ok(LessSafeKey::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(byte: u8) -> Sealer {
        Sealer::new(&MasterKey::new([byte; 32])).unwrap()
    }

    #[test]
    fn opens_what_it_sealed_in_its_place_only() {
        let sealed =
            sealer(1).seal(Purpose::Catalog, b"connections/con_1/secret", b"s3cret").unwrap();

        let opened =
            sealer(1).open(Purpose::Catalog, b"connections/con_1/secret", &sealed).unwrap();

        assert_eq!(opened.as_slice(), b"s3cret");
        assert_eq!(
            sealer(1).open(Purpose::Catalog, b"connections/con_2/secret", &sealed),
            Err(SealError::Broken)
        );
        assert_eq!(
            sealer(1).open(Purpose::Sessions, b"connections/con_1/secret", &sealed),
            Err(SealError::Broken)
        );
    }

    #[test]
    fn tells_another_master_key_from_a_changed_value() {
        let sealed = sealer(1).seal(Purpose::Check, b"x", b"y").unwrap();
        assert_eq!(sealer(2).open(Purpose::Check, b"x", &sealed), Err(SealError::OtherKey));

        for i in [0, 9, 21, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[i] ^= 1;
            assert_eq!(
                sealer(1).open(Purpose::Check, b"x", &changed),
                Err(SealError::Broken),
                "{i}"
            );
        }
        for length in [0, 8, 20, 36] {
            assert_eq!(
                sealer(1).open(Purpose::Check, b"x", &sealed[..length]),
                Err(SealError::Broken)
            );
        }
    }

    #[test]
    fn two_seals_of_one_value_differ() {
        let seal = || sealer(1).seal(Purpose::Check, b"x", b"y").unwrap();
        assert_ne!(seal(), seal());
    }
}
