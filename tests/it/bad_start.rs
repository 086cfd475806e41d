//! What keeps the program from serving: one clear sentence, a failing exit code, nothing left behind.

use std::net::TcpListener;
use std::path::Path;

use testkit::app::{ADMIN_TOKEN, BinaryApp, command, run, settings};
use testkit::state::is_embedded;

use crate::BINARY;

/// Starts with this configuration; it must refuse. Gives what it says.
fn refuses(folder: &Path, config: &str) -> String {
    let file = folder.join("homerealm.toml");
    std::fs::write(&file, config).unwrap();
    let (code, output, errors) =
        run(command(BINARY, folder).args(["serve", "--config"]).arg(&file));
    assert_ne!(code, 0, "{output} {errors}");
    assert!(!errors.contains("panicked") && !errors.contains("RUST_BACKTRACE"), "{errors}");
    assert!(!errors.contains(ADMIN_TOKEN), "{errors}");
    errors
}

#[test]
fn a_taken_port_is_named() {
    if !is_embedded("starts of the program") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();

    let errors = refuses(folder.path(), &settings(folder.path(), port));

    assert!(errors.contains(&format!("127.0.0.1:{port}")) && errors.contains("taken"), "{errors}");
}

#[test]
fn a_data_folder_that_cannot_be_written_is_named() {
    if !is_embedded("starts of the program") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a-file");
    std::fs::write(&file, "").unwrap();

    let errors = refuses(folder.path(), &settings(&file, 0));

    assert!(errors.contains("a-file"), "{errors}");
}

#[test]
fn a_wrong_key_is_named_with_its_fix() {
    if !is_embedded("starts of the program") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let config = format!("isuer = \"https://login.example.com\"\n{}", settings(folder.path(), 0));

    let errors = refuses(folder.path(), &config);

    assert!(errors.contains("isuer"), "{errors}");
    assert!(!folder.path().join("hr.db").exists(), "nothing was opened");
}

#[test]
fn unsafe_settings_are_refused() {
    if !is_embedded("starts of the program") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (line, key) in [
        ("issuer = \"http://login.example.com\"", "issuer"),
        ("issuer = \"https://login.example.com/path\"", "issuer"),
        ("listen = \"0.0.0.0:0\"", "allow_insecure_container"),
        ("[sessions]\nurl = \"redis://127.0.0.1:1/0\"", "sessions"),
        ("[database]\nurl = \"postgres://127.0.0.1:1/x\"", "database"),
        ("[admin]\ntoken = \"short\"", "admin.token"),
    ] {
        let errors = refuses(folder.path(), line);

        assert!(errors.contains(key), "{line}: {errors}");
    }
}

#[test]
fn served_it_answers_and_ends_when_told() {
    if !is_embedded("starts of the program") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut broker = BinaryApp::spawn(BINARY, folder.path(), &settings(folder.path(), 0));
    let healthy = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let http = testkit::app::client();
        let ready = http.get(format!("{}/readyz", broker.issuer)).send().await.unwrap();
        let sample = http.get(format!("{}/sample-idp", broker.issuer)).send().await.unwrap();
        (ready.status(), sample.status())
    });

    assert_eq!((healthy.0.as_u16(), healthy.1.as_u16()), (200, 404));
    assert!(!broker.banner.contains(ADMIN_TOKEN), "{}", broker.banner);
    assert_eq!(broker.terminate(), Some(0));
}
