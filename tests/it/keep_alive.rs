//! Idle connections outlive those of a balancer; a stop closes them.

use std::time::Duration;

use testkit::app::{BinaryApp, settings};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::BINARY;

/// The server library's own limit, which was too short.
const DEFAULT: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_is_kept_and_used_again_and_a_stop_closes_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut broker = BinaryApp::spawn(BINARY, folder.path(), &settings(folder.path(), 0));
    let host = broker.issuer.trim_start_matches("http://").to_owned();
    let mut connection = TcpStream::connect(&host).await.unwrap();
    answered(&mut connection, &host).await;

    let idle = timeout(DEFAULT + Duration::from_secs(2), connection.read_u8()).await;
    assert!(idle.is_err(), "it was closed: {idle:?}");
    answered(&mut connection, &host).await;

    assert_eq!(broker.terminate(), Some(0));
    assert_eq!(connection.read(&mut [0; 16]).await.unwrap_or_default(), 0);
}

async fn answered(connection: &mut TcpStream, host: &str) {
    let request = format!("HEAD /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
}
