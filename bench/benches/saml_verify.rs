//! Verification of one SAML response (8.3 KB, signed Assertion, RSA-2048) against its floor: one namespace-aware
//! quick-xml pass, SHA-256 of the document and one RSA verification. Then the same with base64 before and the profile's
//! checks after it. All are measured in the same run, in turns, and the ratio of the medians is printed; aim: 1.5.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use chrono::{TimeZone as _, Utc};
use criterion::Criterion;
use homerealm_bench::saml_login::SamlLogin;
use homerealm_certs::{Certificate, SignatureAlgorithm, TrustedKeys, VerificationKey};
use homerealm_connectors::saml::c14n::{Method, canonicalize};
use homerealm_connectors::saml::{Received, VerifyPolicy};
use homerealm_metadata::gate::{self, Limits};
use quick_xml::NsReader;
use quick_xml::events::Event;

const SMALL: &[u8] =
    include_bytes!("../../tests/vectors/saml/valid/v01_xmlsec1_assertion_rsa_6k.xml");
const LARGE: &[u8] =
    include_bytes!("../../tests/vectors/saml/valid/v01_xmlsec1_assertion_rsa_60k.xml");
const IDP_CERTIFICATE: &[u8] = include_bytes!("../../tests/vectors/saml/keys/idp.der");
const IDP_KEY: &[u8] = include_bytes!("../../tests/vectors/saml/keys/idp.pk8");

/// What the floor verifies: a message of the size of a SignedInfo and its signature by the IdP's key.
struct Signed {
    message: Vec<u8>,
    signature: Vec<u8>,
    key: VerificationKey,
}

impl Signed {
    fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let pair = RsaKeyPair::from_pkcs8(IDP_KEY)?;
        let message = vec![b'x'; 700];
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &message, &mut signature)?;
        let key = Certificate::from_der(IDP_CERTIFICATE)?.key().clone();
        Ok(Self { message, signature, key })
    }
}

fn floor(document: &[u8], signed: &Signed) -> bool {
    let Ok(text) = std::str::from_utf8(document) else { return false };
    let mut reader = NsReader::from_str(text);
    loop {
        match reader.read_resolved_event() {
            Ok((_, Event::Eof)) => break,
            Ok((namespace, Event::Start(start) | Event::Empty(start))) => {
                black_box(namespace);
                for attribute in start.attributes().flatten() {
                    black_box(reader.resolver().resolve_attribute(attribute.key));
                }
            }
            Ok(other) => {
                black_box(other);
            }
            Err(_) => return false,
        }
    }
    black_box(digest::digest(&digest::SHA256, document));
    signed
        .key
        .verify(SignatureAlgorithm::RsaPkcs1Sha256, &signed.message, &signed.signature)
        .is_ok()
}

fn whole(document: &[u8], policy: &VerifyPolicy<'_>) -> bool {
    Received::parse_xml(document, policy).and_then(|received| received.verify(policy)).is_ok()
}

/// Rounds before the first that counts.
const WARM_UP: usize = 20;

/// Medians of both, measured in turns so that a noisy machine disturbs them alike.
fn medians(
    mut first: impl FnMut() -> bool,
    mut second: impl FnMut() -> bool,
) -> (Duration, Duration) {
    // `cargo bench` says so; `cargo test` only asks whether it still works
    let rounds: usize = if std::env::args().any(|arg| arg == "--bench") { 3_000 } else { 1 };
    let mut times = (Vec::with_capacity(rounds), Vec::with_capacity(rounds));
    for round in 0..rounds + WARM_UP {
        let (one, two) = (time(&mut first), time(&mut second));
        if round >= WARM_UP {
            times.0.push(one);
            times.1.push(two);
        }
    }
    (median(times.0), median(times.1))
}

fn time(work: &mut impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    let done = work();
    let elapsed = start.elapsed();
    assert!(black_box(done), "what is measured must succeed");
    elapsed
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let signed = Signed::new()?;
    let keys = TrustedKeys::try_from(vec![signed.key.clone()])?;
    let policy = VerifyPolicy {
        keys: &keys,
        decryption: None,
        allow_sha1: false,
        allow_inclusive_c14n: false,
        max_response_bytes: 256 * 1024,
    };
    let mut criterion = Criterion::default().configure_from_args();
    for (name, document) in [("8 KB", SMALL), ("45 KB", LARGE)] {
        criterion
            .bench_function(&format!("saml floor {name}"), |b| b.iter(|| floor(document, &signed)));
        criterion.bench_function(&format!("saml verify {name}"), |b| {
            b.iter(|| whole(document, &policy))
        });
        let (gate, canonical) = medians(
            || gate::check(document, &Limits::RESPONSE).is_ok(),
            || canonicalize(document, &Method::EXCLUSIVE, Limits::RESPONSE.max_bytes).is_ok(),
        );
        eprintln!("saml {name}: gate {gate:?}; gate, tree and c14n of the whole {canonical:?}");
        let (base, verify) = medians(|| floor(document, &signed), || whole(document, &policy));
        let ratio = verify.as_secs_f64() / base.as_secs_f64();
        eprintln!("saml {name}: floor {base:?}, verify {verify:?}, ratio {ratio:.2}");
        let now = Utc.with_ymd_and_hms(2026, 1, 1, 0, 1, 0).single().unwrap_or_default();
        let login = SamlLogin::new(IDP_CERTIFICATE, document, now)?;
        let (base, checked) = medians(|| floor(document, &signed), || login.complete());
        let ratio = checked.as_secs_f64() / base.as_secs_f64();
        eprintln!(
            "saml {name}: floor {base:?}, base64, verified, typed and fully checked {checked:?}, ratio {ratio:.2}"
        );
    }
    criterion.final_summary();
    Ok(())
}
