use actix_web::test::TestRequest;
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::*;

struct Certificate {
    der: Vec<u8>,
    pem: String,
}

fn certificate() -> Certificate {
    let key = rcgen::KeyPair::generate().unwrap();
    let made = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
    Certificate { der: made.der().to_vec(), pem: made.pem() }
}

fn settings() -> ClientCertificates {
    ClientCertificates {
        header: Some("client-cert".to_owned()),
        proxies: vec!["10.0.0.0/8".parse().unwrap()],
        ..ClientCertificates::default()
    }
}

/// The DER that is seen of a request from `peer` with these headers.
fn seen(peer: &str, values: &[&str]) -> Option<Vec<u8>> {
    let mut request = TestRequest::default().peer_addr(format!("{peer}:4711").parse().unwrap());
    for value in values {
        request = request.append_header(("Client-Cert", *value));
    }
    of(&request.to_http_request(), &settings()).map(|seen| seen.der().to_vec())
}

fn rfc_9440(der: &[u8]) -> String {
    format!(":{}:", STANDARD.encode(der))
}

#[test]
fn both_ways_of_writing_it_are_read() {
    let certificate = certificate();
    let escaped =
        percent_encoding::utf8_percent_encode(&certificate.pem, percent_encoding::NON_ALPHANUMERIC);

    assert_eq!(seen("10.0.0.1", &[&rfc_9440(&certificate.der)]), Some(certificate.der.clone()));
    assert_eq!(seen("10.0.0.1", &[&escaped.to_string()]), Some(certificate.der));
}

/// RULES 36.
#[test]
fn from_anybody_else_the_header_says_nothing() {
    let header = rfc_9440(&certificate().der);

    assert_eq!(seen("192.0.2.1", &[&header]), None);
    let request = TestRequest::default()
        .peer_addr("10.0.0.1:4711".parse().unwrap())
        .append_header(("Client-Cert", header))
        .to_http_request();
    assert!(of(&request, &ClientCertificates::default()).is_none());
}

#[test]
fn what_cannot_be_read_or_came_twice_is_no_certificate() {
    let (one, other) = (certificate(), certificate());
    let (first, second) = (rfc_9440(&one.der), rfc_9440(&other.der));
    let chain = format!("{}{}", one.pem, other.pem);
    let chain = percent_encoding::utf8_percent_encode(&chain, percent_encoding::NON_ALPHANUMERIC);

    assert_eq!(seen("10.0.0.1", &[]), None);
    assert_eq!(seen("10.0.0.1", &[&first, &second]), None);
    for bad in ["", ":", "::", ":AAAA:", ":!:", "x", &first[..50], &first[1..], &chain.to_string()]
    {
        assert_eq!(seen("10.0.0.1", &[bad]), None, "{bad}");
    }
}
