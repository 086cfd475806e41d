//! The gate on a SAML response of 8 KB, against the floor of one namespace-aware pass that judges nothing.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use homerealm_metadata::gate::{Limits, check};
use quick_xml::events::Event;
use quick_xml::reader::NsReader;

/// Shaped like what a large IdP sends: a signed assertion, base64, twenty-five attributes.
fn response() -> String {
    let attribute = |n: usize| {
        format!(
            "<saml:Attribute Name=\"urn:oid:1.3.6.1.4.1.5923.1.1.1.{n}\" NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:uri\">\
             <saml:AttributeValue xsi:type=\"xs:string\">value &amp; {n}</saml:AttributeValue></saml:Attribute>"
        )
    };
    let attributes: String = (0..25).map(attribute).collect();
    let signature = "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo>\
        <ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>\
        <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/><ds:Reference URI=\"#_a\"/></ds:SignedInfo>";
    let base64 = "MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ\n".repeat(25);
    format!(
        "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" \
         xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" ID=\"_r\" Version=\"2.0\">\
         <saml:Issuer>https://idp.example</saml:Issuer><saml:Assertion ID=\"_a\">{signature}<ds:SignatureValue>{base64}</ds:SignatureValue>\
         </ds:Signature><saml:AttributeStatement>{attributes}</saml:AttributeStatement></saml:Assertion></samlp:Response>"
    )
}

fn gate(c: &mut Criterion) {
    let response = response();
    let mut group = c.benchmark_group("gate");
    group.throughput(Throughput::Bytes(response.len() as u64));
    group.bench_function("check", |b| {
        b.iter(|| check(black_box(response.as_bytes()), &Limits::RESPONSE).is_ok());
    });
    group.bench_function("one quick-xml pass", |b| b.iter(|| one_pass(black_box(&response))));
    group.finish();
}

/// What a namespace-aware reader needs for the same bytes.
fn one_pass(text: &str) -> usize {
    let mut reader = NsReader::from_str(text);
    let mut events = 0;
    while let Ok(event) = reader.read_event() {
        if matches!(event, Event::Eof) {
            break;
        }
        events += 1;
    }
    events
}

criterion_group!(benches, gate);
criterion_main!(benches);
