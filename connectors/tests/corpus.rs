//! Judges the SAML corpus (`tests/vectors/saml/README.md`) with the real verifier.

#![cfg(test)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use homerealm_certs::{Certificate, SpKey, TrustedKeys};
use homerealm_connectors::saml::{Received, Rejection, VerifiedSaml, VerifyPolicy};
use serde_json::Value;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/saml")
}

fn read(path: &str) -> Vec<u8> {
    std::fs::read(corpus().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The one key that a document is judged with; none where the key itself is refused at import.
fn pinned(file: &str) -> Option<TrustedKeys> {
    let name = match file {
        _ if file.contains("p256") => "keys/idpec.der",
        _ if file.contains("weak") => "keys/weak.der",
        _ => "keys/idp.der",
    };
    let certificate = Certificate::from_der(&read(name)).ok()?;
    TrustedKeys::try_from(vec![certificate.key().clone()]).ok()
}

fn sp_key() -> SpKey {
    SpKey::from_parts(&read("keys/sp.pk8"), &read("keys/sp.der")).unwrap()
}

struct Entry {
    file: String,
    expect: String,
    safe: Vec<String>,
}

fn entries() -> Vec<Entry> {
    let manifest: Value = serde_json::from_slice(&read("manifest.json")).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let entry = |value: &Value| Entry {
        file: text(&value["file"]),
        expect: text(&value["expect"]),
        safe: value["safe_nameids"].as_array().unwrap().iter().map(text).collect(),
    };
    manifest.as_array().unwrap().iter().map(entry).collect()
}

fn verify(entry: &Entry, allow_inclusive_c14n: bool) -> Result<VerifiedSaml, String> {
    let keys = pinned(&entry.file).ok_or("key refused")?;
    let sp_key = sp_key();
    let policy = VerifyPolicy {
        keys: &keys,
        decryption: Some(&sp_key),
        allow_sha1: false,
        allow_inclusive_c14n,
        max_response_bytes: 256 * 1024,
    };
    let field = STANDARD.encode(read(&entry.file));
    let verdict = Received::parse(&field, &policy).and_then(|received| received.verify(&policy));
    verdict.map_err(|rejection: Rejection| rejection.code().to_owned())
}

/// The NameID in canonical bytes: one start tag, text, one end tag.
fn name_id(verified: &VerifiedSaml) -> Result<String, String> {
    let text = std::str::from_utf8(verified.assertion()).unwrap();
    let (_, rest) = text.split_once("NameID").ok_or("no NameID")?;
    let (_, rest) = rest.split_once('>').ok_or("no NameID")?;
    let (value, end) = rest.split_once('<').ok_or("no NameID")?;
    if end.starts_with('/') { Ok(value.to_owned()) } else { Err("mixed content".to_owned()) }
}

/// What happened to each document that was not judged as the manifest says.
fn disagreements(allow_inclusive_c14n: bool) -> BTreeMap<String, String> {
    let mut wrong = BTreeMap::new();
    for entry in entries() {
        let verdict = verify(&entry, allow_inclusive_c14n).and_then(|verified| name_id(&verified));
        let right = match (entry.expect.as_str(), &verdict) {
            ("reject", verdict) => verdict.is_err(),
            ("safe", Err(_)) => true,
            ("accept" | "safe", Ok(name)) => entry.safe.contains(name),
            _ => false,
        };
        if !right {
            wrong.insert(entry.file, format!("{verdict:?}"));
        }
    }
    wrong
}

#[test]
fn judges_148_of_149_as_the_manifest_says_with_the_defaults() {
    assert_eq!(entries().len(), 149);

    let wrong = disagreements(false);

    let expected = [(
        "valid/v11_c14n10_inclusive.xml".to_owned(),
        r#"Err("saml_inclusive_c14n_refused")"#.to_owned(),
    )];
    assert_eq!(wrong, BTreeMap::from(expected));
}

#[test]
fn judges_all_as_the_manifest_says_when_inclusive_c14n_is_allowed() {
    assert_eq!(disagreements(true), BTreeMap::new());
}
