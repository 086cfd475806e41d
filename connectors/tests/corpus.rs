//! Judges the SAML corpus (`tests/vectors/saml/README.md`) with the real connector: verifier and profile.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use homerealm_certs::SpKey;
use homerealm_connectors::check::{Checks, Outcome};
use homerealm_connectors::connector::{Completion, Connector, Expected, OnceGuard, UpstreamAnswer};
use homerealm_connectors::error::{ConnectorError, StoreUnavailable};
use homerealm_connectors::saml::{SamlConnector, SamlResponse, SamlSettings};
use homerealm_metadata::entity_id::EntityId;
use homerealm_metadata::saml_idp::SamlIdpMetadata;
use serde_json::Value;
use url::Url;

const ACS: &str = "https://broker.example.net/saml/acs";
const IDP: &str = "https://idp.example.com/saml";
const SP: &str = "https://broker.example.net/sp";

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/saml")
}

fn read(path: &str) -> Vec<u8> {
    std::fs::read(corpus().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

struct Entry {
    file: String,
    expect: String,
    safe: Vec<String>,
    now: DateTime<Utc>,
}

fn entries() -> Vec<Entry> {
    let manifest: Value = serde_json::from_slice(&read("manifest.json")).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let entry = |value: &Value| Entry {
        file: text(&value["file"]),
        expect: text(&value["expect"]),
        safe: value["safe_nameids"].as_array().unwrap().iter().map(text).collect(),
        now: text(&value["now"]).parse().unwrap(),
    };
    manifest.as_array().unwrap().iter().map(entry).collect()
}

/// Metadata with the one certificate that a document is judged with; none where the key itself is refused at import.
fn idp(entry: &Entry) -> Option<Arc<SamlIdpMetadata>> {
    let name = match entry.file.as_str() {
        file if file.contains("p256") => "keys/idpec.der",
        file if file.contains("weak") => "keys/weak.der",
        _ => "keys/idp.der",
    };
    let certificate = STANDARD.encode(read(name));
    let metadata = format!(
        r#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{IDP}"><IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor><SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso"/></IDPSSODescriptor></EntityDescriptor>"#
    );
    SamlIdpMetadata::read(metadata.as_bytes(), None, entry.now).ok().map(Arc::new)
}

fn connector(idp: Arc<SamlIdpMetadata>, allow_inclusive_c14n: bool) -> SamlConnector {
    SamlConnector::new(SamlSettings {
        connection: "con_1".to_owned(),
        idp,
        sp_entity_id: EntityId::try_from(SP.to_owned()).unwrap(),
        sign_requests: None,
        sp_key: Some(SpKey::from_parts(&read("keys/sp.pk8"), &read("keys/sp.der")).unwrap()),
        decrypt: true,
        name_id_format: None,
        clock_skew: TimeDelta::seconds(60),
        allow_sha1: false,
        allow_inclusive_c14n,
        subject_attribute: None,
        vendor_entra: false,
        idp_initiated: false,
        max_response_bytes: 256 * 1024,
    })
}

#[derive(Default)]
struct Memory(Mutex<BTreeSet<String>>);

#[async_trait]
impl OnceGuard for Memory {
    async fn first_use(&self, key: &str, _: DateTime<Utc>) -> Result<bool, StoreUnavailable> {
        Ok(self.0.lock().unwrap().insert(key.to_owned()))
    }

    fn allows_decryption(&self) -> bool {
        true
    }
}

/// The NameID, or the code of the refusal.
async fn judge(entry: &Entry, allow_inclusive_c14n: bool) -> Result<String, String> {
    let idp = idp(entry).ok_or("no usable key in the metadata")?;
    let expected =
        Expected::Saml { request_id: "_req1".to_owned(), force_login: false, sent_at: entry.now };
    let mut checks = Checks::default();
    let completion = Completion {
        expected: Some(&expected),
        callback: &Url::parse(ACS).unwrap(),
        max_age: None,
        guard: &Memory::default(),
        epoch: DateTime::UNIX_EPOCH,
        now: entry.now,
        checks: &mut checks,
    };
    let response = SamlResponse::new(STANDARD.encode(read(&entry.file)));
    let answer = UpstreamAnswer::Saml { response };
    let outcome = connector(idp, allow_inclusive_c14n).complete(completion, answer).await;
    let failed = checks.as_slice().iter().filter(|check| check.outcome == Outcome::Failed).count();
    assert_eq!(failed, usize::from(outcome.is_err()), "the trace of {}", entry.file);
    match outcome {
        Ok(assertion) => Ok(assertion.subject().value.clone()),
        Err(ConnectorError::Rejected(rejection)) => Err(rejection.code().to_owned()),
        Err(other) => panic!("{}: {other}", entry.file),
    }
}

/// What happened to each document that was not judged as the manifest says.
async fn disagreements(allow_inclusive_c14n: bool) -> BTreeMap<String, Result<String, String>> {
    let mut wrong = BTreeMap::new();
    for entry in entries() {
        let verdict = judge(&entry, allow_inclusive_c14n).await;
        let right = match (entry.expect.as_str(), &verdict) {
            ("reject", verdict) => verdict.is_err(),
            ("safe", Err(_)) => true,
            ("accept" | "safe", Ok(name)) => entry.safe.contains(name),
            _ => false,
        };
        if !right {
            wrong.insert(entry.file, verdict);
        }
    }
    wrong
}

#[tokio::test]
async fn judges_148_of_149_as_the_manifest_says_with_the_defaults() {
    assert_eq!(entries().len(), 149);

    let wrong = disagreements(false).await;

    let refused = Err("saml_inclusive_c14n_refused".to_owned());
    let v11 = ("valid/v11_c14n10_inclusive.xml".to_owned(), refused);
    assert_eq!(wrong, BTreeMap::from([v11]));
}

#[tokio::test]
async fn judges_all_as_the_manifest_says_when_inclusive_c14n_is_allowed() {
    assert_eq!(disagreements(true).await, BTreeMap::new());
}

/// The attack documents are refused for what they attack with, not for something else on the way.
#[tokio::test]
async fn refuses_for_the_right_reason() {
    let reasons = [
        ("alg_hmac_pem", "saml_signature_algorithm_refused"),
        ("alg_sha1", "saml_sha1_refused"),
        ("attrpol_xml_id", "saml_id_attribute_odd"),
        ("detached_over_status", "saml_signature_reference_refused"),
        ("digest_of_empty", "saml_digest_mismatch"),
        ("digestvalue_comment_forged", "saml_signature_malformed"),
        ("dtd_xxe", "saml_xml_refused"),
        ("dupid_before", "saml_id_repeated"),
        ("enc_attacker_signed", "saml_signature_invalid"),
        ("enc_cipherref", "saml_cipher_reference_refused"),
        ("enc_rsa15", "saml_key_transport_refused"),
        ("enc_short_cbc", "saml_decryption_failed"),
        ("enc_unsigned_evil", "saml_encrypted_assertion_unsigned"),
        ("enc_wrong_key", "saml_decryption_failed"),
        ("key_attacker_cert", "saml_signature_invalid"),
        ("ref_ext_http", "saml_signature_reference_refused"),
        ("sig_last_child", "saml_signature_misplaced"),
        ("sigobj_assertion", "saml_assertion_count"),
        ("tamper_nameid", "saml_digest_mismatch"),
        ("tr_xpath_exclude_subject", "saml_transform_refused"),
        ("tr_xslt_constant", "saml_transform_refused"),
        ("unsigned_evil", "saml_signature_missing"),
        ("xsw4", "saml_assertion_count"),
    ];
    for (name, code) in reasons {
        let file = format!("attack/{name}.xml");
        let entry = entries().into_iter().find(|entry| entry.file == file).unwrap();
        assert_eq!(judge(&entry, false).await, Err(code.to_owned()), "{name}");
    }
}
