//! The edge over real sockets.

use std::path::Path;

use reqwest::header::{HOST, HeaderMap};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::config::Config;
use crate::startup::{Running, Startup, StartupError, start};

async fn running(folder: &Path, more: &str) -> Running {
    start(Startup::new(config(folder, more))).await.unwrap()
}

fn config(folder: &Path, more: &str) -> Config {
    let database = format!("[database]\nurl = \"sqlite:{}/hr.db\"\n", folder.display());
    let listen = if more.contains("listen = ") { "" } else { "listen = \"127.0.0.1:0\"\n" };
    Config::from_toml(&format!("{listen}{more}\n{database}"), []).unwrap()
}

fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

async fn get(running: &Running, path: &str) -> (u16, HeaderMap, String) {
    let url = format!("http://{}{path}", running.address);
    let host = running.issuer().authority().to_owned();
    let response = client().get(url).header(HOST, host).send().await.unwrap();
    (response.status().as_u16(), response.headers().clone(), response.text().await.unwrap())
}

async fn raw(running: &Running, text: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(running.address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[actix_web::test]
async fn every_answer_carries_the_protective_headers() {
    let folder = tempfile::tempdir().unwrap();
    let running = running(folder.path(), "").await;

    for path in ["/healthz", "/nothing-here", "/api/v1/nothing-here"] {
        let (_, headers, _) = get(&running, path).await;
        for (name, value) in [
            ("content-security-policy", super::edge::CONTENT_SECURITY_POLICY),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(headers.get(name).unwrap(), value, "{path} {name}");
        }
        assert!(!headers.contains_key("strict-transport-security"), "http has none");
    }
    running.stop().await;
}

#[actix_web::test]
async fn an_https_issuer_is_strict_about_transport_and_takes_any_host() {
    let folder = tempfile::tempdir().unwrap();
    let running = running(folder.path(), "issuer = \"https://login.example.com\"").await;

    let url = format!("http://{}/nothing-here", running.address);
    let response = client().get(url).send().await.unwrap();

    assert_eq!(response.status(), 404);
    assert!(response.headers().contains_key("strict-transport-security"));
    running.stop().await;
}

#[actix_web::test]
async fn the_issuer_names_the_port_that_was_taken() {
    let folder = tempfile::tempdir().unwrap();
    let running = running(folder.path(), "").await;

    assert_eq!(running.issuer().as_str(), format!("http://localhost:{}", running.address.port()));
    let (status, _, body) = get(&running, "/readyz").await;
    assert_eq!((status, body.as_str()), (200, "ready\n"));
    running.stop().await;
}

#[actix_web::test]
async fn another_host_is_misdirected_where_the_issuer_is_http() {
    let folder = tempfile::tempdir().unwrap();
    let running = running(folder.path(), "").await;
    let port = running.address.port();

    for host in [
        "evil.example".to_owned(),
        "localhost".to_owned(),
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}.evil.example"),
    ] {
        let url = format!("http://{}/authorize", running.address);
        let response = client().get(url).header(HOST, &host).send().await.unwrap();
        assert_eq!(response.status(), 421, "{host}");
    }
    let url = format!("http://{}/healthz", running.address);
    assert_eq!(client().get(url).send().await.unwrap().status(), 200, "probes have no name for us");
    assert_eq!(get(&running, "/nothing-here").await.0, 404);
    running.stop().await;
}

#[actix_web::test]
async fn heads_and_targets_have_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    let running = running(folder.path(), "").await;
    let host = running.issuer().authority().to_owned();

    assert_eq!(get(&running, &format!("/x?{}", "a".repeat(8 * 1024))).await.0, 414);
    assert_eq!(get(&running, &format!("/x?{}", "a".repeat(8 * 1024 - 3))).await.0, 404);
    let head = format!(
        "GET /x HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nX-A: {}\r\n\r\n",
        "a".repeat(17 * 1024)
    );
    assert!(raw(&running, &head).await.starts_with("HTTP/1.1 431"));
    let both = format!(
        "POST /x HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    );
    assert!(raw(&running, &both).await.starts_with("HTTP/1.1 400"));
    running.stop().await;
}

#[actix_web::test]
async fn failures_become_429_in_the_shape_of_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let limits = "[limits]\nper_address = \"2/h\"";
    let running = running(folder.path(), limits).await;

    assert_eq!(get(&running, "/authorize").await.0, 400);
    assert_eq!(get(&running, "/authorize").await.0, 400);
    let (status, headers, _) = get(&running, "/authorize").await;

    assert_eq!(status, 429);
    assert!(headers.contains_key("retry-after"));
    assert_eq!(get(&running, "/healthz").await.0, 200);
    running.stop().await;
}

#[actix_web::test]
async fn a_taken_port_is_one_clear_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let first = running(&folder.path().join("a"), "").await;

    let listen = format!("listen = \"{}\"", first.address);
    let error = start(Startup::new(config(&folder.path().join("b"), &listen))).await.unwrap_err();

    assert!(matches!(error, StartupError::AddressTaken { .. }));
    assert!(!folder.path().join("b").exists(), "nothing is left behind");
    first.stop().await;
}

#[actix_web::test]
async fn a_folder_serves_one_process_and_is_free_after_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let first = running(folder.path(), "").await;
    let token = std::fs::read_to_string(folder.path().join("admin-token")).unwrap();

    let second = start(Startup::new(config(folder.path(), ""))).await;
    assert!(matches!(second, Err(StartupError::FolderInUse { .. })));

    first.stop().await;
    let third = running(folder.path(), "").await;
    assert!(third.app.admin_token.is(token.trim()), "the token stays");
    third.stop().await;
}

#[actix_web::test]
async fn a_missing_master_key_beside_its_data_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    running(folder.path(), "").await.stop().await;
    std::fs::remove_file(folder.path().join("master.key")).unwrap();

    let error = start(Startup::new(config(folder.path(), ""))).await.unwrap_err();

    assert!(matches!(error, StartupError::MasterKeyMissing { .. }), "{error}");
}

#[actix_web::test]
async fn bad_tls_files_are_named_before_anything_listens() {
    let folder = tempfile::tempdir().unwrap();
    let tls = "issuer = \"https://a.example\"\n[tls]\ncert = \"no/c.pem\"\nkey = \"no/k.pem\"";

    let error = start(Startup::new(config(folder.path(), tls))).await.unwrap_err();

    assert!(error.to_string().starts_with("tls.cert no/c.pem cannot be used"), "{error}");
    assert!(!folder.path().join("master.key").exists());
}
