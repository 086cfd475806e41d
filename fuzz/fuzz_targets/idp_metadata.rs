//! IdP metadata on arbitrary documents: no panic; what is read has a usable key and somewhere to send the user.

#![no_main]

use chrono::DateTime;
use homerealm_metadata::saml_idp::SamlIdpMetadata;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|document: &[u8]| {
    let Ok(metadata) = SamlIdpMetadata::read(document, None, DateTime::UNIX_EPOCH) else { return };
    assert!(metadata.trusted_keys().iter().next().is_some());
    assert!(!metadata.sso.is_empty());
    let _ = metadata.to_json();
});
