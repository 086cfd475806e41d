//! Real metadata of many vendors, judged by records that another reader made.
//!
//! `HOMEREALM_METADATA_CORPUS` names a folder with `expected.jsonl`: an object a line with `file`,
//! `contested`, `well_formed`, `doctype`, `idp_count` and `idps`, each with `entityID`,
//! `saml2_idp_roles`, `sso`, `signing_cert_sha256` and, without the chains, `signing_leaf_sha256`.
//! Without the variable there is nothing to judge and the test passes.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a skipped corpus must be seen in the output; a broken record must fail the test"
)]

use std::collections::BTreeSet;
use std::path::Path;

use chrono::DateTime;
use homerealm_metadata::MetadataRefusal;
use homerealm_metadata::saml_idp::{KeyUse, SamlIdpMetadata};
use serde_json::Value;

#[test]
fn every_uncontested_record_of_the_corpus_agrees() {
    let Ok(folder) = std::env::var("HOMEREALM_METADATA_CORPUS") else {
        println!("skipped: HOMEREALM_METADATA_CORPUS is not set");
        return;
    };
    let folder = Path::new(&folder);
    let records = std::fs::read_to_string(folder.join("expected.jsonl")).unwrap();
    let (mut agreed, mut contested, mut failures) = (0, 0, Vec::new());
    for line in records.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let file = record["file"].as_str().unwrap();
        let outcome = judge(&record, &std::fs::read(folder.join(file)).unwrap());
        match outcome {
            Ok(()) => agreed += 1,
            Err(why) if record["contested"] == true => {
                contested += 1;
                println!("contested: {file}: {why}");
            }
            Err(why) => failures.push(format!("{file}: {why}")),
        }
    }
    println!("{agreed} agreed, {contested} contested, {} failed", failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(agreed > 0, "the corpus is empty");
}

/// `Err` says what differs.
fn judge(record: &Value, xml: &[u8]) -> Result<(), String> {
    let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    let read = SamlIdpMetadata::read(xml, None, now);
    let idps: Vec<&Value> = items(&record["idps"])
        .filter(|idp| idp["saml2_idp_roles"].as_u64().unwrap_or_default() > 0)
        .collect();
    let is_readable = record["well_formed"] == true && record["doctype"] == false;
    match (idps.as_slice(), read) {
        // The records count certificates whose keys nobody should trust, or that are none.
        (_, Err(refusal @ MetadataRefusal::NoSigningKey { .. })) => {
            println!("refused: {}: {refusal}", record["file"]);
            Ok(())
        }
        ([idp], read) if is_readable && is_usable(idp) => {
            compare(idp, &read.map_err(|e| e.to_string())?)
        }
        ([] | [_, _, ..], Ok(_)) => Err("should be refused".to_owned()),
        (_, Ok(_)) if !is_readable => Err("should be refused".to_owned()),
        (_, Ok(_)) => Ok(()),
        (_, Err(refusal)) => {
            println!("refused: {}: {refusal}", record["file"]);
            Ok(())
        }
    }
}

fn is_usable(idp: &Value) -> bool {
    let certificates = texts(&idp["signing_cert_sha256"]);
    items(&idp["sso"]).next().is_some() && !certificates.is_empty() && !certificates.contains("BAD")
}

fn compare(idp: &Value, read: &SamlIdpMetadata) -> Result<(), String> {
    if idp["entityID"] != read.entity_id.as_str() {
        return Err(format!("entity id {}", read.entity_id));
    }
    let locations: BTreeSet<String> =
        items(&idp["sso"]).map(|pair| pair[1].as_str().unwrap().to_owned()).collect();
    let found: BTreeSet<String> = read.sso.iter().map(|endpoint| endpoint.url.clone()).collect();
    if found != locations {
        return Err(format!("SSO locations {found:?}, expected {locations:?}"));
    }
    let signing: BTreeSet<String> = read
        .certificates
        .iter()
        .filter(|certificate| certificate.key_use != KeyUse::Encryption)
        .map(|certificate| certificate.sha256.clone())
        .collect();
    let (leaves, all) = (texts(&idp["signing_leaf_sha256"]), texts(&idp["signing_cert_sha256"]));
    if !leaves.is_subset(&signing) || !signing.is_subset(&all) {
        return Err(format!(
            "signing certificates {signing:?}, expected {leaves:?}, warnings {:?}",
            read.warnings
        ));
    }
    Ok(())
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn texts(value: &Value) -> BTreeSet<String> {
    items(value).filter_map(Value::as_str).map(str::to_owned).collect()
}
