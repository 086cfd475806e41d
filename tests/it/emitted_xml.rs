//! The XML that we send, by the OASIS schemas and with its signatures, judged by a program that is not ours.
//!
//! `HOMEREALM_JUDGES` names the folder of the judge; it runs in the peers' Python, which has lxml.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::json;
use testkit::peers;
use testkit::scene::{Scene, idle_metadata};

struct Judge {
    script: PathBuf,
    python: PathBuf,
}

fn judge() -> Option<Judge> {
    let peers = peers::folder("schemas")?;
    let Some(judges) = std::env::var_os("HOMEREALM_JUDGES").map(PathBuf::from) else {
        println!("skipped: HOMEREALM_JUDGES is not set");
        return None;
    };
    Some(Judge { script: judges.join("xsd_check.py"), python: peers.join("venv/bin/python") })
}

impl Judge {
    fn accepts(&self, kind: &str, more: &[&str], document: &str) {
        let mut child = Command::new(&self.python)
            .arg(&self.script)
            .args(more)
            .args([kind, "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(document.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.trim_end().ends_with("1 passed, 0 failed"), "{text}\n{document}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn our_metadata_is_valid_plain_and_with_everything() {
    let Some(judge) = judge() else { return };
    let scene = Scene::set().await;
    let everything = json!({"display_name": "Acme & <Söhne>", "options": {"sign_requests": true, "encrypt_assertions": true,
        "name_id_format": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", "sp_entity_id": "urn:acme:sp?a=1&b=2"}});
    for (name, extra) in [("plain", json!({})), ("full", everything)] {
        let connection = scene.saml(name, &idle_metadata("idp.example"), &extra).await;

        let xml = scene.fetch(connection["urls"]["metadata"].as_str().unwrap()).await;

        judge.accepts("metadata", &[], &xml);
        assert_eq!(xml.contains("use=\"encryption\""), name == "full", "{xml}");
        let named =
            xml.contains(&connection["urls"]["entity_id"].as_str().unwrap().replace('&', "&amp;"));
        assert!(named, "{xml}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn our_requests_are_valid_by_both_bindings_and_the_posted_one_is_signed() {
    let Some(judge) = judge() else { return };
    let scene = Scene::set().await;
    let post_only = idle_metadata("idp.example").replace("HTTP-Redirect", "HTTP-POST");
    let signed = json!({"options": {"sign_requests": true}});
    let forced = [("prompt", "login"), ("login_hint", "a&b@customer.example")];

    for (name, metadata, extra) in [
        ("redirect", idle_metadata("idp.example"), json!({})),
        ("redirect-signed", idle_metadata("idp.example"), signed.clone()),
    ] {
        scene.saml(name, &metadata, &extra).await;
        let page = scene
            .browser()
            .get(&scene.authorize(&[&forced[..], &[("connection", name)]].concat()))
            .await;
        let location = page.header("location");
        assert_eq!(location.contains("Signature="), name == "redirect-signed", "{location}");
        judge.accepts("protocol", &["--decode"], location);
    }
    let connection = scene.saml("post-signed", &post_only, &signed).await;
    let page = scene.browser().get(&scene.authorize(&[("connection", "post-signed")])).await;
    let form = page.form().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let certificate = folder.path().join("sp.pem");
    std::fs::write(&certificate, certificate_of(&scene, &connection).await).unwrap();
    let more = ["--decode", "--cert", certificate.to_str().unwrap()];
    judge.accepts("protocol", &more, form.field("SAMLRequest").unwrap());
}

/// The signing certificate that our metadata shows, as PEM.
async fn certificate_of(scene: &Scene, connection: &serde_json::Value) -> String {
    let xml = scene.fetch(connection["urls"]["metadata"].as_str().unwrap()).await;
    let begin = xml.find("X509Certificate>").unwrap() + "X509Certificate>".len();
    let text: String = xml[begin..].split('<').next().unwrap().split_whitespace().collect();
    let lines: Vec<&str> =
        (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}
