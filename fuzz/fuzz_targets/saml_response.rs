//! The whole verifier on arbitrary documents: it must not panic, and it must not accept what the corpus' IdP did not
//! sign. A mutated genuine response may be accepted only with the genuine subject or with one that the corpus' IdP
//! signed as well.

#![no_main]

use std::sync::LazyLock;

use homerealm_certs::{Certificate, SpKey, TrustedKeys};
use homerealm_connectors::saml::{Received, VerifyPolicy};
use libfuzzer_sys::fuzz_target;

static KEYS: LazyLock<(TrustedKeys, SpKey)> = LazyLock::new(|| {
    let idp = Certificate::from_der(include_bytes!("../../tests/vectors/saml/keys/idp.der")).expect("certificate");
    let keys = TrustedKeys::try_from(vec![idp.key().clone()]).expect("one key");
    let sp_key = SpKey::from_parts(
        include_bytes!("../../tests/vectors/saml/keys/sp.pk8"),
        include_bytes!("../../tests/vectors/saml/keys/sp.der"),
    );
    (keys, sp_key.expect("SP key"))
});

/// The names that the corpus' IdP signed in a document of the corpus.
const SIGNED_NAMES: [&str; 2] = ["user@a.com", "admin@a.com.evil.com"];

fuzz_target!(|document: &[u8]| {
    let (keys, sp_key) = &*KEYS;
    let policy = VerifyPolicy {
        keys,
        decryption: Some(sp_key),
        allow_sha1: false,
        allow_inclusive_c14n: true,
        max_response_bytes: 256 * 1024,
    };
    let Ok(received) = Received::parse_xml(document, &policy) else { return };
    let _ = (received.has_assertion(), received.encrypted_key_digest(), received.unverified_status());
    if let Ok(verified) = received.verify(&policy) {
        let assertion = std::str::from_utf8(verified.assertion()).expect("canonical XML is UTF-8");
        assert!(assertion.starts_with('<') && assertion.ends_with('>'));
        assert!(SIGNED_NAMES.iter().any(|name| assertion.contains(name)), "nobody signed this: {assertion}");
        assert!(!assertion.contains("admin@victim.com"), "forged: {assertion}");
    }
});
