//! Canonical XML on arbitrary documents: no panic, never empty, and its own canonical form.

#![no_main]

use homerealm_connectors::saml::c14n::{Method, Mode, canonicalize};
use libfuzzer_sys::fuzz_target;

const MAX_BYTES: usize = 256 * 1024;

fuzz_target!(|document: &[u8]| {
    let with_list =
        Mode::Exclusive { prefix_list: vec!["#default".to_owned(), "xs".to_owned(), "saml".to_owned()] };
    for mode in [Mode::Exclusive { prefix_list: Vec::new() }, with_list, Mode::Inclusive] {
        for with_comments in [false, true] {
            let method = Method { mode: mode.clone(), with_comments };
            let Ok(once) = canonicalize(document, &method, MAX_BYTES) else { continue };
            assert!(!once.is_empty());
            // Escapes make it longer: seven times at most, for `"` in an attribute and CR in text.
            let again = canonicalize(once.as_bytes(), &method, 8 * MAX_BYTES);
            assert_eq!(again.as_deref(), Ok(once.as_str()));
        }
    }
});
