//! EncryptedAssertion (SAML Core §2.3.4, XML Encryption 1.1): one key, one decryption, one neutral refusal.
//!
//! CBC is not authenticated, and Entra, ADFS and Shibboleth send it around a signed Assertion in an unsigned Response.
//! It is bearable because the caller lets each EncryptedKey be decrypted once: RSA-OAEP is not malleable, so whoever
//! asks a padding oracle gets one answer. All the same the answer says nothing: key, padding, tag, encoding and XML
//! fail in the same way, after the same work.

#[cfg(test)]
mod tests;

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{self, DecryptingKey, DecryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use homerealm_certs::{OaepHash, SpKey};
use zeroize::Zeroizing;

use super::decode::base64_value;
use super::names::Namespace;
use super::rejection::Rejection;
use super::tree::{Element, Tree, gated_tree};

const ELEMENT_TYPE: &str = "http://www.w3.org/2001/04/xmlenc#Element";
const ENCRYPTED_KEY_TYPE: &str = "http://www.w3.org/2001/04/xmlenc#EncryptedKey";

/// What decryption needs, read from the document: public values, nothing decrypted.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct EncryptedParts {
    cipher: ContentCipher,
    content: Vec<u8>,
    oaep: OaepHash,
    encrypted_key: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ContentCipher {
    Aes128Cbc,
    Aes128Gcm,
    Aes256Cbc,
    Aes256Gcm,
}

impl EncryptedParts {
    /// The one EncryptedData and the one EncryptedKey, inside its KeyInfo or beside it.
    pub(super) fn read(encrypted_assertion: Element<'_>) -> Result<Self, Rejection> {
        let data = encrypted_data(encrypted_assertion)?;
        let key = encrypted_key(encrypted_assertion, data)?;
        retrieval_methods_name(encrypted_assertion, key)?;
        let cipher = content_cipher(data)?;
        let oaep = key_transport(key)?;
        Ok(Self { cipher, content: cipher_value(data)?, oaep, encrypted_key: cipher_value(key)? })
    }

    pub(super) fn encrypted_key(&self) -> &[u8] {
        &self.encrypted_key
    }
}

/// Decrypts and parses. What comes out must be one `saml:Assertion`.
pub(super) fn decrypt(
    parts: &EncryptedParts,
    key: &SpKey,
    max_bytes: usize,
) -> Result<Tree, Rejection> {
    let unwrapped = key.decrypt_oaep(parts.oaep, &parts.encrypted_key).ok();
    let fits = unwrapped.as_ref().is_some_and(|key| key.len() == parts.cipher.key_len());
    let content_key = match unwrapped {
        Some(key) if fits => key,
        // The same work as with the right key, on a key that opens nothing.
        _ => Zeroizing::new(vec![0; parts.cipher.key_len()]),
    };
    let plain = open(parts.cipher, &content_key, &parts.content);
    let (plain, opened) = plain.map_or_else(|work| (work, false), |plain| (plain, true));
    let tree = gated_tree(&plain, max_bytes);
    match tree {
        Ok(tree) if fits && opened && tree.root().is(Namespace::SAML, "Assertion") => Ok(tree),
        _ => Err(Rejection::DecryptionFailed),
    }
}

impl ContentCipher {
    const fn key_len(self) -> usize {
        match self {
            Self::Aes128Cbc | Self::Aes128Gcm => 16,
            Self::Aes256Cbc | Self::Aes256Gcm => 32,
        }
    }
}

type Plain = Zeroizing<Vec<u8>>;

/// The plain text, or on failure whatever the buffer holds, so that the caller can go on alike.
fn open(cipher: ContentCipher, key: &[u8], content: &[u8]) -> Result<Plain, Plain> {
    match cipher {
        ContentCipher::Aes128Cbc => open_cbc(&cipher::AES_128, key, content),
        ContentCipher::Aes128Gcm => open_gcm(&aead::AES_128_GCM, key, content),
        ContentCipher::Aes256Cbc => open_cbc(&cipher::AES_256, key, content),
        ContentCipher::Aes256Gcm => open_gcm(&aead::AES_256_GCM, key, content),
    }
}

/// XML Encryption 1.1 §5.2.4: 12 bytes of IV, cipher text, a tag of 16 bytes.
fn open_gcm(
    algorithm: &'static aead::Algorithm,
    key: &[u8],
    content: &[u8],
) -> Result<Plain, Plain> {
    let Some((iv, sealed)) = content.split_first_chunk::<12>() else {
        return Err(Plain::default());
    };
    let mut buffer = Zeroizing::new(sealed.to_vec());
    let Ok(key) = UnboundKey::new(algorithm, key).map(LessSafeKey::new) else { return Err(buffer) };
    let opened = key.open_in_place(Nonce::assume_unique_for_key(*iv), Aad::empty(), &mut buffer);
    match opened.map(|plain| plain.len()) {
        Ok(length) => {
            buffer.truncate(length);
            Ok(buffer)
        }
        Err(_) => Err(buffer),
    }
}

/// XML Encryption 1.1 §5.2.3: 16 bytes of IV, whole blocks, the last byte says how many bytes to drop.
fn open_cbc(
    algorithm: &'static cipher::Algorithm,
    key: &[u8],
    content: &[u8],
) -> Result<Plain, Plain> {
    let Some((iv, sealed)) = content.split_first_chunk::<16>() else {
        return Err(Plain::default());
    };
    let mut buffer = Zeroizing::new(sealed.to_vec());
    if buffer.is_empty() || !buffer.len().is_multiple_of(16) {
        return Err(buffer);
    }
    let Ok(key) = UnboundCipherKey::new(algorithm, key).and_then(DecryptingKey::cbc) else {
        return Err(buffer);
    };
    let context = DecryptionContext::Iv128(FixedLength::from(*iv));
    if key.decrypt(&mut buffer, context).is_err() {
        return Err(buffer);
    }
    let padding = usize::from(buffer.last().copied().unwrap_or_default());
    if (1..=16).contains(&padding) {
        let length = buffer.len() - padding;
        buffer.truncate(length);
        Ok(buffer)
    } else {
        Err(buffer)
    }
}

fn encrypted_data(encrypted_assertion: Element<'_>) -> Result<Element<'_>, Rejection> {
    let shape = |what| Rejection::EncryptionShape { what };
    let mut data = None;
    for child in encrypted_assertion.child_elements() {
        if child.is(Namespace::XENC, "EncryptedData") && data.is_none() {
            data = Some(child);
        } else if !child.is(Namespace::XENC, "EncryptedKey") {
            return Err(shape("children of EncryptedAssertion"));
        }
    }
    let data = data.ok_or(shape("EncryptedAssertion without EncryptedData"))?;
    if data.attribute("Type").is_some_and(|kind| kind != ELEMENT_TYPE) {
        return Err(shape("Type of EncryptedData"));
    }
    Ok(data)
}

/// Exactly one EncryptedKey, directly in the KeyInfo of the EncryptedData or beside it (SAML Core §6.1 allows both).
fn encrypted_key<'t>(
    encrypted_assertion: Element<'t>,
    data: Element<'t>,
) -> Result<Element<'t>, Rejection> {
    let is_key = |element: &Element<'_>| element.is(Namespace::XENC, "EncryptedKey");
    let count = encrypted_assertion.subtree().filter(is_key).count();
    if count != 1 {
        return Err(Rejection::EncryptionShape { what: "not exactly one EncryptedKey" });
    }
    let inside = data
        .child_elements()
        .filter(|child| child.is(Namespace::DS, "KeyInfo"))
        .flat_map(Element::child_elements)
        .find(is_key);
    inside
        .or_else(|| encrypted_assertion.child_elements().find(is_key))
        .ok_or(Rejection::EncryptionShape { what: "EncryptedKey in an unknown place" })
}

/// A RetrievalMethod may only name the EncryptedKey that we take anyway; nothing is looked up.
fn retrieval_methods_name(
    encrypted_assertion: Element<'_>,
    key: Element<'_>,
) -> Result<(), Rejection> {
    let id = key.attribute("Id");
    for method in
        encrypted_assertion.subtree().filter(|element| element.local_name() == "RetrievalMethod")
    {
        let target = method.attribute("URI").and_then(|uri| uri.strip_prefix('#'));
        let kind_fits = method.attribute("Type").is_none_or(|kind| kind == ENCRYPTED_KEY_TYPE);
        let plain = method.child_elements().next().is_none();
        if target.is_none() || target != id || !kind_fits || !plain {
            return Err(Rejection::RetrievalMethod);
        }
    }
    Ok(())
}

fn content_cipher(data: Element<'_>) -> Result<ContentCipher, Rejection> {
    let uri = method_of(data)?.attribute("Algorithm").unwrap_or_default();
    match uri {
        "http://www.w3.org/2001/04/xmlenc#aes128-cbc" => Ok(ContentCipher::Aes128Cbc),
        "http://www.w3.org/2009/xmlenc11#aes128-gcm" => Ok(ContentCipher::Aes128Gcm),
        "http://www.w3.org/2001/04/xmlenc#aes256-cbc" => Ok(ContentCipher::Aes256Cbc),
        "http://www.w3.org/2009/xmlenc11#aes256-gcm" => Ok(ContentCipher::Aes256Gcm),
        _ => Err(Rejection::ContentCipher { received: uri.to_owned() }),
    }
}

/// XML Encryption 1.1 §5.5.2: RSA-OAEP, where digest and mask generation use the same hash.
fn key_transport(key: Element<'_>) -> Result<OaepHash, Rejection> {
    let method = method_of(key)?;
    let uri = method.attribute("Algorithm").unwrap_or_default();
    if !matches!(
        uri,
        "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
            | "http://www.w3.org/2009/xmlenc11#rsa-oaep"
    ) {
        return Err(Rejection::KeyTransport { received: uri.to_owned() });
    }
    let (mut digest, mut mask) = (None, None);
    for child in method.child_elements() {
        let slot = match (child.namespace(), child.local_name()) {
            (Namespace::DS, "DigestMethod") => &mut digest,
            (Namespace::XENC11, "MGF") => &mut mask,
            (Namespace::XENC, "OAEPparams") => return Err(Rejection::OaepParams),
            (Namespace::XENC, "KeySize") => continue,
            _ => return Err(Rejection::EncryptionShape { what: "parameters of RSA-OAEP" }),
        };
        if slot.replace(child.attribute("Algorithm").unwrap_or_default()).is_some() {
            return Err(Rejection::EncryptionShape { what: "parameters of RSA-OAEP" });
        }
    }
    same_hash(digest, mask, uri.ends_with("mgf1p"))
}

/// Absent means SHA-1, for both. `rsa-oaep-mgf1p` fixes the mask generation to SHA-1.
fn same_hash(
    digest: Option<&str>,
    mask: Option<&str>,
    mask_is_fixed: bool,
) -> Result<OaepHash, Rejection> {
    let digest_hash = match digest {
        None | Some("http://www.w3.org/2000/09/xmldsig#sha1") => Some(OaepHash::Sha1),
        Some("http://www.w3.org/2001/04/xmlenc#sha256") => Some(OaepHash::Sha256),
        Some("http://www.w3.org/2001/04/xmldsig-more#sha384") => Some(OaepHash::Sha384),
        Some("http://www.w3.org/2001/04/xmlenc#sha512") => Some(OaepHash::Sha512),
        Some(_) => None,
    };
    let mask_hash = match mask {
        None | Some("http://www.w3.org/2009/xmlenc11#mgf1sha1") => Some(OaepHash::Sha1),
        Some("http://www.w3.org/2009/xmlenc11#mgf1sha256") if !mask_is_fixed => {
            Some(OaepHash::Sha256)
        }
        Some("http://www.w3.org/2009/xmlenc11#mgf1sha384") if !mask_is_fixed => {
            Some(OaepHash::Sha384)
        }
        Some("http://www.w3.org/2009/xmlenc11#mgf1sha512") if !mask_is_fixed => {
            Some(OaepHash::Sha512)
        }
        Some(_) => None,
    };
    match (digest_hash, mask_hash) {
        (Some(digest), Some(mask)) if digest == mask => Ok(digest),
        _ => Err(Rejection::OaepHashesDiffer {
            digest: digest.unwrap_or("SHA-1").to_owned(),
            mgf: mask.unwrap_or("SHA-1").to_owned(),
        }),
    }
}

fn method_of(encrypted: Element<'_>) -> Result<Element<'_>, Rejection> {
    let mut methods =
        encrypted.child_elements().filter(|child| child.is(Namespace::XENC, "EncryptionMethod"));
    match (methods.next(), methods.next()) {
        (Some(method), None) => Ok(method),
        _ => Err(Rejection::EncryptionShape { what: "not exactly one EncryptionMethod" }),
    }
}

/// CipherData with one CipherValue. A CipherReference is never followed.
fn cipher_value(encrypted: Element<'_>) -> Result<Vec<u8>, Rejection> {
    let mut data =
        encrypted.child_elements().filter(|child| child.is(Namespace::XENC, "CipherData"));
    let (Some(data), None) = (data.next(), data.next()) else {
        return Err(Rejection::EncryptionShape { what: "not exactly one CipherData" });
    };
    let mut children = data.child_elements();
    match (children.next(), children.next()) {
        (Some(value), None) if value.is(Namespace::XENC, "CipherValue") => value
            .only_text()
            .and_then(base64_value)
            .filter(|bytes| !bytes.is_empty())
            .ok_or(Rejection::EncryptionShape { what: "CipherValue" }),
        (Some(reference), _) if reference.is(Namespace::XENC, "CipherReference") => {
            Err(Rejection::CipherReference)
        }
        _ => Err(Rejection::EncryptionShape { what: "CipherData" }),
    }
}
