use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

fn on_loopback() -> OutboundPolicy {
    OutboundPolicy {
        allow_http: true,
        allow_private_addresses: true,
        allow_loopback: true,
        own_listeners: vec![],
    }
}

/// A server that answers every connection with these bytes and gives back what it was asked.
async fn serve(answer: Vec<u8>) -> (u16, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (heard, requests) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = vec![0; 16 * 1024];
            let length = stream.read(&mut buffer).await.unwrap_or(0);
            let _ = heard.send(String::from_utf8_lossy(&buffer[..length]).into_owned());
            let _ = stream.write_all(&answer).await;
            let _ = stream.flush().await;
        }
    });
    (port, requests)
}

fn answer(head: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .into_bytes()
}

async fn get(
    policy: OutboundPolicy,
    url: &str,
    max_bytes: usize,
) -> Result<Fetched, OutboundError> {
    Outbound::new(policy).get(&url.parse().unwrap(), "application/json", max_bytes).await
}

#[tokio::test]
async fn reads_status_type_lifetime_and_body() {
    let head = "200 OK\r\nContent-Type: Application/JSON; charset=utf-8\r\nCache-Control: public, max-age=600";
    let (port, _) = serve(answer(head, "{}")).await;

    let fetched = get(on_loopback(), &format!("http://127.0.0.1:{port}/"), 2).await.unwrap();

    assert_eq!((fetched.status, fetched.body.as_slice()), (200, b"{}".as_slice()));
    assert_eq!(fetched.content_type.as_deref(), Some("application/json"));
    assert_eq!(fetched.max_age, Some(Duration::from_secs(600)));
    assert!(fetched.is_json());
}

#[tokio::test]
async fn refuses_one_byte_more_than_the_cap_announced_or_not() {
    let (announced, _) = serve(answer("200 OK", "abc")).await;
    let (silent, _) = serve(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc".to_vec()).await;

    for port in [announced, silent] {
        let url = format!("http://127.0.0.1:{port}/");
        assert!(matches!(
            get(on_loopback(), &url, 2).await,
            Err(OutboundError::TooLarge { max_bytes: 2 })
        ));
    }
}

#[tokio::test]
async fn says_that_a_redirect_is_not_followed() {
    let (target, mut heard) = serve(answer("200 OK", "{}")).await;
    let head = format!("302 Found\r\nLocation: http://127.0.0.1:{target}/");
    let (port, _) = serve(answer(&head, "")).await;

    let refused = get(on_loopback(), &format!("http://127.0.0.1:{port}/"), 10).await;

    assert!(matches!(refused, Err(OutboundError::Redirected { status: 302 })));
    assert!(heard.try_recv().is_err());
}

#[tokio::test]
async fn a_server_that_never_finishes_meets_the_deadline() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stalled = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ports = [&silent, &stalled].map(|listener| listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        let (mut stream, _) = stalled.accept().await.unwrap();
        assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").await.unwrap();
        std::future::pending::<()>().await;
    });
    let outbound = Outbound::with_deadline(on_loopback(), Duration::from_millis(50));

    for port in ports {
        let url = format!("http://127.0.0.1:{port}/").parse().unwrap();
        let failed = outbound.get(&url, "*/*", 100).await;
        assert!(matches!(failed, Err(OutboundError::Deadline)), "{failed:?}");
    }
}

#[tokio::test]
async fn literal_addresses_are_refused_in_every_disguise() {
    let disguises = [
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[0:0:0:0:0:ffff:7f00:1]/",
        "http://１２７.0.0.1/",
        "http://0/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/",
        "http://[64:ff9b::7f00:1]/",
    ];
    let policy = OutboundPolicy { allow_loopback: false, ..on_loopback() };

    for url in disguises {
        assert!(
            matches!(get(policy.clone(), url, 10).await, Err(OutboundError::Address(_))),
            "{url}"
        );
    }
}

#[tokio::test]
async fn a_name_is_refused_for_the_addresses_that_it_has() {
    let (port, mut heard) = serve(answer("200 OK", "{}")).await;
    let url = format!("http://localhost:{port}/");
    let closed = OutboundPolicy { allow_loopback: false, ..on_loopback() };
    let ours = OutboundPolicy { own_listeners: vec![([0, 0, 0, 0], port).into()], ..on_loopback() };

    let loopback = get(closed, &url, 10).await.unwrap_err();
    let own = get(ours, &url, 10).await.unwrap_err();

    assert_eq!(loopback.to_string(), "the host has an address that is not allowed (loopback)");
    assert_eq!(
        own.to_string(),
        "the host has an address that is not allowed (one of our own listeners)"
    );
    assert!(heard.try_recv().is_err());
    assert!(get(on_loopback(), &url, 10).await.is_ok());
}

#[tokio::test]
async fn refuses_urls_that_are_not_https_or_carry_a_password() {
    let strict = OutboundPolicy::default;

    for url in
        ["http://op.example/", "file:///etc/passwd", "gopher://op.example/", "ftp://op.example/"]
    {
        assert!(matches!(get(strict(), url, 10).await, Err(OutboundError::Scheme { .. })), "{url}");
    }
    assert!(matches!(
        get(strict(), "https://u:p@op.example/", 10).await,
        Err(OutboundError::Credentials)
    ));
    assert!(matches!(get(strict(), "https://op.example:0/", 10).await, Err(OutboundError::Host)));
}

#[tokio::test]
async fn posts_a_form_with_basic_credentials_and_offers_no_compression() {
    let (port, mut heard) = serve(answer("200 OK", "{}")).await;
    let outbound = Outbound::new(on_loopback());
    let url = format!("http://127.0.0.1:{port}/token").parse().unwrap();
    let secret = Secret::from("s+1".to_owned());

    outbound.post_form(&url, &[("code", "a b&c")], Some(("id", &secret)), 10).await.unwrap();

    let request = heard.recv().await.unwrap().to_ascii_lowercase();
    assert!(request.starts_with("post /token http/1.1\r\n"));
    assert!(request.contains("authorization: basic awq6cysx\r\n"));
    assert!(request.contains("content-type: application/x-www-form-urlencoded\r\n"));
    assert!(request.ends_with("\r\n\r\ncode=a+b%26c"));
    assert!(!request.contains("accept-encoding"));
}

#[test]
fn secrets_and_bodies_do_not_show_themselves() {
    let body = b"hunter2".to_vec();
    let fetched = Fetched { status: 200, content_type: None, body, max_age: None, date: None };

    assert!(!format!("{fetched:?}").contains("hunter2"));
    assert!(!format!("{fetched:?}").contains("104, 117"));
    assert_eq!(format!("{:?}", Secret::from("hunter2".to_owned())), "Secret(..)");
}

#[test]
fn no_store_means_a_lifetime_of_zero() {
    let age = |value: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(value));
        max_age(&headers)
    };

    assert_eq!(age("no-store"), Some(Duration::ZERO));
    assert_eq!(age("max-age=60, No-Cache"), Some(Duration::ZERO));
    assert_eq!(age("private, MAX-AGE=60"), Some(Duration::from_secs(60)));
    assert_eq!(age("max-age=soon"), None);
}
