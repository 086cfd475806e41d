//! Judges the SAML corpus (`tests/vectors/saml/README.md`) as whole logins: connector, verifier and profile, each
//! document at its own `now`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use homerealm_certs::SpKey;
use homerealm_connectors::check::{Checks, Outcome};
use homerealm_connectors::connector::{Completion, Connector, Expected, OnceGuard, UpstreamAnswer};
use homerealm_connectors::error::{ConnectorError, StoreUnavailable};
use homerealm_connectors::saml::{SamlConnector, SamlSettings};
use homerealm_metadata::entity_id::EntityId;
use homerealm_metadata::saml_idp::SamlIdpMetadata;
use serde_json::Value;
use url::Url;

/// Every document is a first one here.
struct AlwaysFirst;

#[async_trait]
impl OnceGuard for AlwaysFirst {
    async fn first_use(&self, _: &str, _: DateTime<Utc>) -> Result<bool, StoreUnavailable> {
        Ok(true)
    }
}

fn read(path: &str) -> Vec<u8> {
    let corpus: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/saml");
    std::fs::read(corpus.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The IdP with the one key that a document is judged with; none where that key is refused at import.
fn idp(file: &str, now: DateTime<Utc>) -> Option<SamlIdpMetadata> {
    let key = match file {
        _ if file.contains("p256") => "keys/idpec.der",
        _ if file.contains("weak") => "keys/weak.der",
        _ => "keys/idp.der",
    };
    let certificate = STANDARD.encode(read(key));
    let metadata = format!(
        r#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com/saml"><IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor><SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/sso"/></IDPSSODescriptor></EntityDescriptor>"#
    );
    SamlIdpMetadata::read(metadata.as_bytes(), None, now).ok()
}

fn settings(idp: SamlIdpMetadata, allow_inclusive_c14n: bool) -> SamlSettings {
    SamlSettings {
        connection: "corpus".to_owned(),
        idp: Arc::new(idp),
        sp_entity_id: EntityId::try_from("https://broker.example.net/sp").unwrap(),
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
    }
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
        now: value["now"].as_str().unwrap().parse().unwrap(),
    };
    manifest.as_array().unwrap().iter().map(entry).collect()
}

/// The NameID of the login, or the code of its refusal.
async fn login(entry: &Entry, allow_inclusive_c14n: bool) -> Result<String, String> {
    let idp = idp(&entry.file, entry.now).ok_or("key refused")?;
    let expected =
        Expected::Saml { request_id: "_req1".to_owned(), force_login: false, sent_at: entry.now };
    let mut checks = Checks::default();
    let completion = Completion {
        expected: Some(&expected),
        callback: &Url::parse("https://broker.example.net/saml/acs").unwrap(),
        max_age: None,
        guard: &AlwaysFirst,
        epoch: entry.now,
        now: entry.now,
        checks: &mut checks,
    };
    let answer = UpstreamAnswer::Saml { response_base64: STANDARD.encode(read(&entry.file)) };
    let connector = SamlConnector::new(settings(idp, allow_inclusive_c14n));
    let outcome = connector.complete(completion, answer).await;
    let failed = checks.as_slice().iter().filter(|check| check.outcome == Outcome::Failed).count();
    assert_eq!(failed, usize::from(outcome.is_err()), "{}", entry.file);
    match outcome {
        Ok(verified) => Ok(verified.subject().value.clone()),
        Err(ConnectorError::Rejected(rejection)) => Err(rejection.code().to_owned()),
        Err(other) => panic!("{}: {other}", entry.file),
    }
}

async fn disagreements(allow_inclusive_c14n: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    for entry in entries() {
        let verdict = login(&entry, allow_inclusive_c14n).await;
        let right = match (entry.expect.as_str(), &verdict) {
            ("reject", verdict) => verdict.is_err(),
            ("safe", Err(_)) => true,
            ("accept" | "safe", Ok(name)) => entry.safe.contains(name),
            _ => false,
        };
        println!("{} {} {verdict:?}", entry.file, entry.expect);
        if !right {
            wrong.push(format!("{}: {verdict:?}", entry.file));
        }
    }
    wrong
}

#[tokio::test]
async fn whole_logins_with_148_of_149_documents_end_as_the_manifest_says_with_the_defaults() {
    assert_eq!(
        disagreements(false).await,
        [r#"valid/v11_c14n10_inclusive.xml: Err("saml_inclusive_c14n_refused")"#]
    );
}

#[tokio::test]
async fn whole_logins_with_all_documents_do_when_inclusive_c14n_is_allowed() {
    assert_eq!(disagreements(true).await, Vec::<String>::new());
}
