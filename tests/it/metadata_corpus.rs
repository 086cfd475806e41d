//! Real metadata of many vendors, through the command and the API, judged by a program that is not ours.
//!
//! `HOMEREALM_JUDGES` and `HOMEREALM_METADATA_CORPUS` name the folders of the judge and of the documents.

use std::path::PathBuf;
use std::process::Command;

use testkit::app::{ADMIN_TOKEN, TestApp};
use testkit::peers;

use crate::BINARY;

/// The one refusal that the records count as a usable document: they do not look at what a key is worth.
const AGREED: &str = r#"{"refused": "metadata_no_signing_key"}"#;
/// How many documents of the corpus have no key that anyone should trust: ten with 1024 bits, one whose certificate cannot be
/// read, one with a key of an unknown type.
const WITHOUT_USABLE_KEY: usize = 12;

fn folders() -> Option<(PathBuf, PathBuf)> {
    let folder = |name| std::env::var_os(name).map(PathBuf::from);
    let found = folder("HOMEREALM_JUDGES").zip(folder("HOMEREALM_METADATA_CORPUS"));
    if found.is_none() {
        println!("skipped: HOMEREALM_JUDGES and HOMEREALM_METADATA_CORPUS are not both set");
    }
    found
}

/// Runs the judge; every record must agree but those without a usable key, which must be exactly as many as there are.
fn judge(arguments: &[&str], without_usable_key: usize) {
    let Some((judges, corpus)) = folders() else { return };
    let output = Command::new("python3")
        .arg(judges.join("idp_metadata_judge.py"))
        .arg("--corpus")
        .arg(corpus)
        .args(["--map", "entityID=/entity_id,sso=/sso,certs=/certificates"])
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let failures: Vec<&str> = text.lines().filter(|line| line.starts_with("FAIL")).collect();
    let (agreed, others): (Vec<&str>, Vec<&str>) =
        failures.iter().partition(|line| line.ends_with(AGREED));
    let closing = text.lines().last().unwrap_or_default();
    println!("{closing}, of which {} have no usable key", agreed.len());
    assert!(closing.contains("passed"), "{text} {}", String::from_utf8_lossy(&output.stderr));
    assert!(others.is_empty(), "{others:#?}");
    assert_eq!(agreed.len(), without_usable_key, "{agreed:#?}");
}

#[test]
fn the_command_agrees_with_every_record() {
    let wrapper = peers::script("inspect_for_judge.py");
    judge(&["--cmd", &format!("python3 {wrapper} {BINARY} {{file}}")], WITHOUT_USABLE_KEY);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_agrees_with_every_record() {
    let app = TestApp::spawn().await;
    let wrapper = peers::script("inspect_for_judge.py");
    let url = app.url("/api/v1/metadata/inspect");

    let judged = tokio::task::spawn_blocking(move || {
        judge(
            &["--cmd", &format!("python3 {wrapper} {url} {{file}} {ADMIN_TOKEN}")],
            WITHOUT_USABLE_KEY,
        );
    });

    judged.await.unwrap();
}
