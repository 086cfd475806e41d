//! Logins at `oidc-provider`, an OpenID Provider that others wrote and that is certified, with and without faults.
//!
//! Needs Node and the folder of the test peers' packages in `HOMEREALM_TEST_PEERS`; without it the tests say that they
//! were skipped.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking"
)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use homerealm_certs::SystemRandom;
use homerealm_connectors::assertion::VerifiedAssertion;
use homerealm_connectors::check::Checks;
use homerealm_connectors::connector::{
    BeginRequest, Begun, Completion, Connector, OnceGuard, UpstreamAnswer,
};
use homerealm_connectors::error::{ConnectorError, StoreUnavailable};
use homerealm_connectors::http::{Outbound, OutboundPolicy, Secret};
use homerealm_connectors::oidc::{IssuerRule, OidcConnector, OidcSettings, Providers};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use url::Url;

const CALLBACK: &str = "https://login.example/callback/acme";
/// The tenant that the provider has in its Entra shape.
const TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

#[tokio::test]
async fn signs_in_at_a_certified_provider() {
    let Some(op) = Op::start("plain", "") else { return };

    let assertion = login(&op, op.exact(), false).await.unwrap();

    assert_eq!(assertion.issuer(), op.base);
    assert_eq!(assertion.subject().account_key(), "bob@customer.example");
    assert_eq!(assertion.upstream_email_verified(), Some(true));
    assert_eq!(assertion.attributes()["groups"].len(), 2);
}

#[tokio::test]
async fn a_forced_login_at_a_certified_provider_counts_from_its_request_or_later() {
    let Some(op) = Op::start("plain", "") else { return };
    let before = now();

    let assertion = login(&op, op.exact(), true).await.unwrap();

    assert!(assertion.auth_time().unwrap() >= before - TimeDelta::seconds(1));
}

#[tokio::test]
async fn signs_in_at_an_entra_shaped_provider_by_tenant_and_object() {
    let Some(op) = Op::start("entra", "") else { return };

    let assertion = login(&op, op.tenant(TENANT), false).await.unwrap();
    let stranger = login(&op, op.tenant("00000000-0000-0000-0000-000000000000"), false).await;

    let oid = "00000000-0000-0000-66f3-3332eca7ea81";
    assert_eq!(assertion.subject().account_key(), format!("{TENANT}:{oid}"));
    assert_eq!(assertion.upstream_email_verified(), Some(false));
    let stranger = stranger.unwrap_err().to_string();
    assert!(stranger.starts_with("the discovery document cannot be reached"), "{stranger}");
}

#[tokio::test]
async fn each_fault_of_the_provider_gets_its_own_answer() {
    for (fault, expected) in [
        ("wrong-iss", "refused: oidc_issuer_mismatch"),
        ("wrong-aud", "refused: oidc_audience_mismatch"),
        ("expired", "refused: oidc_token_expired"),
        ("bad-sig", "refused: oidc_signature_invalid"),
        ("alg-none", "refused: oidc_algorithm_refused"),
        ("no-nonce", "refused: oidc_claim_missing"),
        ("wrong-nonce", "refused: oidc_nonce_mismatch"),
        ("future-iat", "refused: oidc_issued_in_future"),
        ("html-discovery", "the discovery document cannot be reached: answered with a web page"),
        ("big-jwks", "the key set cannot be reached: the answer is larger than"),
    ] {
        let Some(op) = Op::start("plain", fault) else { return };
        let refused = login(&op, op.exact(), false).await.unwrap_err().to_string();
        assert!(refused.starts_with(expected), "{fault}: {refused}");
    }
    let Some(op) = Op::start("plain", "no-kid") else { return };
    assert!(login(&op, op.exact(), false).await.is_ok());
}

/// One login with a browser that clicks nothing: the provider signs in whoever `login_hint` names.
async fn login(
    op: &Op,
    issuer: IssuerRule,
    force_login: bool,
) -> Result<VerifiedAssertion, ConnectorError> {
    let connector = connector(issuer);
    let callback = Url::parse(CALLBACK).unwrap();
    let request = BeginRequest {
        callback: &callback,
        transaction: "a-handle-that-is-hard-to-guess",
        login_hint: Some("bob@customer.example"),
        force_login,
        select_account: false,
        acr_values: &[],
        ui_locales: None,
        random: &SystemRandom,
        now: now(),
    };
    let beginning = connector.begin(request).await?;
    let Begun::Redirect { url } = beginning.begun else { panic!("a redirect") };
    let answer = browse(url, op).await;
    assert_eq!(answer["state"], "a-handle-that-is-hard-to-guess");
    let mut checks = Checks::default();
    let completion = Completion {
        expected: Some(&beginning.expected),
        callback: &callback,
        max_age: force_login.then_some(0),
        guard: &NoGuard,
        epoch: now(),
        now: now(),
        checks: &mut checks,
    };
    let (code, iss) = (answer["code"].clone(), answer.get("iss").cloned());
    connector.complete(completion, UpstreamAnswer::Code { code, iss }).await
}

fn connector(issuer: IssuerRule) -> OidcConnector {
    let policy = OutboundPolicy {
        allow_http: true,
        allow_private_addresses: true,
        allow_loopback: true,
        own_listeners: Vec::new(),
    };
    let settings = OidcSettings {
        connection: "con_1".to_owned(),
        issuer,
        client_id: "broker".to_owned(),
        client_secret: Some(Secret::from("broker-secret".to_owned())),
        scopes: ["openid", "email", "profile"].map(str::to_owned).to_vec(),
        response_mode: None,
        token_endpoint_auth_method: None,
        acr_values: Vec::new(),
        upstream_params: BTreeMap::new(),
        allow_http: true,
        clock_skew: TimeDelta::seconds(60),
    };
    OidcConnector::new(settings, Arc::new(Providers::new(Arc::new(Outbound::new(policy)))))
}

/// Follows redirects, with cookies, until one leads to our callback; gives its query.
async fn browse(start: Url, op: &Op) -> BTreeMap<String, String> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tls_certs_only([])
        .build()
        .unwrap();
    let (mut url, mut cookies) = (start, BTreeMap::new());
    for _ in 0..10 {
        assert!(url.as_str().starts_with(&op.origin), "{url}");
        let jar: Vec<String> =
            cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let response = client.get(url.clone()).header(COOKIE, jar.join("; ")).send().await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
            let (name, value) = pair.split_once('=').unwrap();
            cookies.insert(name.to_owned(), value.to_owned());
        }
        let Some(location) = response.headers().get(LOCATION) else {
            panic!("{}", response.text().await.unwrap());
        };
        url = url.join(location.to_str().unwrap()).unwrap();
        if url.as_str().starts_with(CALLBACK) {
            return url.query_pairs().into_owned().collect();
        }
    }
    panic!("too many redirects")
}

/// The provider, ended with the test.
struct Op {
    process: Child,
    origin: String,
    base: String,
}

impl Op {
    fn start(shape: &str, fault: &str) -> Option<Self> {
        let Some(peers) = std::env::var_os("HOMEREALM_TEST_PEERS") else {
            eprintln!("skipped: HOMEREALM_TEST_PEERS is not set");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let script =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/peers/upstream_op.mjs");
        let mut process = Command::new("node")
            .arg(script.canonicalize().unwrap())
            .args([
                "--port",
                &port.to_string(),
                "--callback",
                CALLBACK,
                "--shape",
                shape,
                "--fault",
                fault,
            ])
            .current_dir(peers)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let line =
            output.lines().map_while(Result::ok).find(|line| line.starts_with("OP ")).unwrap();
        let base = line.split(' ').nth(1).unwrap().to_owned();
        Some(Self { process, origin: format!("http://127.0.0.1:{port}"), base })
    }

    fn exact(&self) -> IssuerRule {
        IssuerRule::Exact(self.base.clone())
    }

    fn tenant(&self, tenant: &str) -> IssuerRule {
        IssuerRule::EntraTenants {
            authority: self.origin.clone(),
            tenant_or_common: tenant.to_owned(),
            allowed: Vec::new(),
        }
    }
}

impl Drop for Op {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// OIDC keeps nothing once by itself.
struct NoGuard;

#[async_trait]
impl OnceGuard for NoGuard {
    async fn first_use(&self, _: &str, _: DateTime<Utc>) -> Result<bool, StoreUnavailable> {
        panic!("not asked")
    }

    fn allows_decryption(&self) -> bool {
        panic!("not asked")
    }
}

#[expect(clippy::disallowed_methods, reason = "the provider lives in the machine's time")]
fn now() -> DateTime<Utc> {
    Utc::now()
}
