//! Makes responses for the tests of the verifier: good ones to change one thing in, signed or encrypted anew.

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{self, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::digest;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OaepAlgorithm, OaepPublicEncryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaEncoding, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use homerealm_certs::{Certificate, SpKey, TrustedKeys};

use super::c14n::{Method, Mode, canonical_form};
use super::tree::{Element, Tree};
use super::verify::{Received, VerifiedSaml, VerifyPolicy};
use super::{Rejection, names::Namespace};

const IDP_CERTIFICATE: &[u8] = include_bytes!("../../../tests/vectors/saml/keys/idp.der");
const IDP_KEY: &[u8] = include_bytes!("../../../tests/vectors/saml/keys/idp.pk8");
const SP_CERTIFICATE: &[u8] = include_bytes!("../../../tests/vectors/saml/keys/sp.der");
const SP_KEY: &[u8] = include_bytes!("../../../tests/vectors/saml/keys/sp.pk8");

pub(super) const AES_128_CBC: &str = "http://www.w3.org/2001/04/xmlenc#aes128-cbc";
pub(super) const AES_128_GCM: &str = "http://www.w3.org/2009/xmlenc11#aes128-gcm";
pub(super) const AES_256_CBC: &str = "http://www.w3.org/2001/04/xmlenc#aes256-cbc";
pub(super) const AES_256_GCM: &str = "http://www.w3.org/2009/xmlenc11#aes256-gcm";
pub(super) const OAEP_MGF1P: &str =
    r#"<xenc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"/>"#;

/// What a test may choose about the connection.
#[derive(Clone, Copy, Default)]
pub(super) struct OptIns {
    pub(super) sha1: bool,
    pub(super) inclusive_c14n: bool,
    pub(super) no_decryption: bool,
}

/// Parses and verifies with the corpus' IdP and SP keys.
pub(super) fn judge(document: &str, opt_ins: OptIns) -> Result<VerifiedSaml, Rejection> {
    let (keys, sp_key) = (idp_keys(), sp_key());
    let policy = VerifyPolicy {
        keys: &keys,
        decryption: (!opt_ins.no_decryption).then_some(&sp_key),
        allow_sha1: opt_ins.sha1,
        allow_inclusive_c14n: opt_ins.inclusive_c14n,
        max_response_bytes: 256 * 1024,
    };
    Received::parse_xml(document.as_bytes(), &policy)?.verify(&policy)
}

/// Why the document is refused, with the defaults.
pub(super) fn refusal(document: &str) -> Rejection {
    match judge(document, OptIns::default()) {
        Ok(_) => panic!("accepted: {document}"),
        Err(rejection) => rejection,
    }
}

/// Parses only.
pub(super) fn received(document: &str) -> Result<Received, Rejection> {
    let keys = idp_keys();
    let policy = VerifyPolicy {
        keys: &keys,
        decryption: None,
        allow_sha1: false,
        allow_inclusive_c14n: false,
        max_response_bytes: 256 * 1024,
    };
    Received::parse_xml(document.as_bytes(), &policy)
}

pub(super) fn idp_keys() -> TrustedKeys {
    let certificate = Certificate::from_der(IDP_CERTIFICATE).unwrap();
    TrustedKeys::try_from(vec![certificate.key().clone()]).unwrap()
}

pub(super) fn sp_key() -> SpKey {
    SpKey::from_parts(SP_KEY, SP_CERTIFICATE).unwrap()
}

/// `text` with one thing changed, which must be there.
pub(super) fn edited(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not in the document");
    text.replacen(from, to, 1)
}

pub(super) fn response(signature: &str, content: &str) -> String {
    format!(
        r#"<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r1" InResponseTo="_req1" IssueInstant="2026-01-01T00:00:00Z" Version="2.0" Destination="https://broker.example.net/saml/acs"><saml:Issuer>https://idp.example.com/saml</saml:Issuer>{signature}<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>{content}</samlp:Response>"#
    )
}

pub(super) fn assertion(signature: &str) -> String {
    format!(
        r#"<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a1" IssueInstant="2026-01-01T00:00:00Z" Version="2.0"><saml:Issuer>https://idp.example.com/saml</saml:Issuer>{signature}<saml:Subject><saml:NameID>user@a.com</saml:NameID></saml:Subject></saml:Assertion>"#
    )
}

/// A Signature to be filled in by [`sign`], for the element with this ID.
pub(super) fn template(id: &str) -> String {
    format!(
        r##"<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/><ds:Reference URI="#{id}"><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/><ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>{DIGEST_ROOM}</ds:DigestValue></ds:Reference></ds:SignedInfo><ds:SignatureValue>{SIGNATURE_ROOM}</ds:SignatureValue></ds:Signature>"##
    )
}

const DIGEST_ROOM: &str = "DIGEST";
const SIGNATURE_ROOM: &str = "SIGNATURE";

/// A good Response with a signed Assertion.
pub(super) fn good() -> String {
    sign(&response("", &assertion(&template("_a1"))))
}

/// A good signed Assertion alone, as it is encrypted.
pub(super) fn good_assertion() -> String {
    sign(&assertion(&template("_a1")))
}

/// A Response signed as a whole, with `content` in it.
pub(super) fn good_response_around(content: &str) -> String {
    sign(&response(&template("_r1"), content))
}

/// Fills in the one template that is there, by the IdP's key, RSA-SHA256 and SHA-256.
pub(super) fn sign(document: &str) -> String {
    sign_with(document, &RSA_PKCS1_SHA256, &digest::SHA256)
}

/// Fills in the template with other algorithms, which the document must name itself.
pub(super) fn sign_with(
    document: &str,
    algorithm: &'static dyn RsaEncoding,
    digest_algorithm: &'static digest::Algorithm,
) -> String {
    let tree = Tree::parse(document).unwrap();
    let signature = to_sign(&tree);
    let parent = signature.parent().unwrap();
    let method = if document.contains("REC-xml-c14n-20010315") {
        Method { mode: Mode::Inclusive, with_comments: false }
    } else {
        Method::EXCLUSIVE
    };
    let content = canonical_form(parent, &method, Some(signature)).unwrap();
    let value = digest::digest(digest_algorithm, content.as_bytes());
    let document = edited(document, DIGEST_ROOM, &STANDARD.encode(value));

    let tree = Tree::parse(&document).unwrap();
    let signed_info = to_sign(&tree).child_elements().next().unwrap();
    let pair = RsaKeyPair::from_pkcs8(IDP_KEY).unwrap();
    let mut value = vec![0; pair.public_modulus_len()];
    let message = canonical_form(signed_info, &method, None).unwrap();
    pair.sign(algorithm, &SystemRandom::new(), message.as_bytes(), &mut value).unwrap();
    edited(&document, SIGNATURE_ROOM, &STANDARD.encode(value))
}

fn to_sign(tree: &Tree) -> Element<'_> {
    let is_template = |element: &Element<'_>| {
        element.is(Namespace::DS, "Signature")
            && element.subtree().any(|part| part.only_text() == Some(SIGNATURE_ROOM))
    };
    tree.root().subtree().find(is_template).unwrap()
}

/// An EncryptedAssertion for the SP's key; `key_method` is the EncryptionMethod of the key.
pub(super) fn encrypted(
    plain: &str,
    algorithm: &str,
    key_method: &str,
    oaep: &'static OaepAlgorithm,
) -> String {
    let (content, key) = seal(plain.as_bytes(), algorithm);
    encrypted_assertion(&content, algorithm, key_method, &wrap(&key, oaep))
}

/// As [`encrypted`], with RSA-OAEP as most IdPs have it.
pub(super) fn encrypted_plainly(plain: &str, algorithm: &str) -> String {
    encrypted(plain, algorithm, OAEP_MGF1P, &OAEP_SHA1_MGF1SHA1)
}

pub(super) fn encrypted_assertion(
    content: &[u8],
    algorithm: &str,
    key_method: &str,
    wrapped: &[u8],
) -> String {
    let (content, wrapped) = (STANDARD.encode(content), STANDARD.encode(wrapped));
    format!(
        r#"<saml:EncryptedAssertion><xenc:EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" Type="http://www.w3.org/2001/04/xmlenc#Element"><xenc:EncryptionMethod Algorithm="{algorithm}"/><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><xenc:EncryptedKey>{key_method}<xenc:CipherData><xenc:CipherValue>{wrapped}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo><xenc:CipherData><xenc:CipherValue>{content}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData></saml:EncryptedAssertion>"#
    )
}

/// RSA-OAEP to the SP's key.
pub(super) fn wrap(key: &[u8], oaep: &'static OaepAlgorithm) -> Vec<u8> {
    let spki = sp_key().certificate().key().spki_der().to_vec();
    let public =
        OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(&spki).unwrap()).unwrap();
    let mut room = vec![0; public.ciphertext_size()];
    public.encrypt(oaep, key, &mut room, None).unwrap().to_vec()
}

/// IV and cipher text, and the key, which is always the same: test documents need no secrecy.
pub(super) fn seal(plain: &[u8], algorithm: &str) -> (Vec<u8>, Vec<u8>) {
    let key = vec![7; if algorithm.contains("256") { 32 } else { 16 }];
    if algorithm.contains("gcm") {
        let kind = if key.len() == 32 { &aead::AES_256_GCM } else { &aead::AES_128_GCM };
        let mut sealed = plain.to_vec();
        LessSafeKey::new(UnboundKey::new(kind, &key).unwrap())
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key([9; 12]),
                Aad::empty(),
                &mut sealed,
            )
            .unwrap();
        return ([vec![9; 12], sealed].concat(), key);
    }
    let padding = 16 - plain.len() % 16;
    let mut padded = plain.to_vec();
    padded.resize(plain.len() + padding, 0xaa);
    *padded.last_mut().unwrap() = u8::try_from(padding).unwrap();
    (seal_blocks(&padded, &key), key)
}

/// AES-CBC without padding, so that a test can choose it.
pub(super) fn seal_blocks(blocks: &[u8], key: &[u8]) -> Vec<u8> {
    let kind = if key.len() == 32 { &cipher::AES_256 } else { &cipher::AES_128 };
    let mut sealed = blocks.to_vec();
    let encrypting = EncryptingKey::cbc(UnboundCipherKey::new(kind, key).unwrap()).unwrap();
    encrypting
        .less_safe_encrypt(&mut sealed, EncryptionContext::Iv128(FixedLength::from([5; 16])))
        .unwrap();
    [vec![5; 16], sealed].concat()
}
