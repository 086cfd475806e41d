//! Whole logins against an OAuth 2.0 server in this process, one fault each.

mod userinfo;

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use homerealm_certs::SequenceRandom;
use serde_json::{Value, json};
use url::Url;

use super::*;
use crate::check::{Check, Checks, Outcome};
use crate::connector::{Begun, Expected, OnceGuard};
use crate::error::StoreUnavailable;
use crate::http::{OutboundPolicy, Secret};
use crate::oidc::tests::op::{Answer, Op};
use crate::saml::SamlResponse;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_900_000_000, 0).unwrap()
}

fn callback() -> Url {
    Url::parse("https://login.example/callback/social").unwrap()
}

/// A server, a connection to it, and what was recorded.
struct Login {
    server: Op,
    connector: OAuth2Connector,
    trace: Vec<Check>,
}

impl Login {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut OAuth2Settings)) -> Self {
        let server = Op::start(&json!({})).await;
        let at = |path: &str| Url::parse(&format!("{}{path}", server.issuer())).unwrap();
        let mut settings = OAuth2Settings {
            connection: "con_1".to_owned(),
            issuer: "https://social.example".to_owned(),
            response_issuer: Some("https://social.example".to_owned()),
            authorization_endpoint: at("/authorize?tenant=t"),
            token_endpoint: at("/token"),
            userinfo_endpoint: at("/user"),
            emails_endpoint: None,
            client_id: "broker".to_owned(),
            client_secret: Some(Secret::from("s3cr+t".to_owned())),
            token_endpoint_auth_method: None,
            scopes: vec!["profile".to_owned(), "email".to_owned()],
            pkce: true,
            subject: SubjectRule::Attribute("id".to_owned()),
            forced_login_params: BTreeMap::new(),
            upstream_params: BTreeMap::new(),
        };
        change(&mut settings);
        let policy = OutboundPolicy {
            allow_http: true,
            allow_private_addresses: true,
            allow_loopback: true,
            own_listeners: Vec::new(),
        };
        let connector = OAuth2Connector::new(settings, Arc::new(Outbound::new(policy)));
        server.answer("/token", Answer::json(&tokens()));
        server.answer("/user", Answer::json(&alice()));
        Self { server, connector, trace: Vec::new() }
    }

    async fn begin(&self, force_login: bool) -> Result<Beginning, ConnectorError> {
        let request = BeginRequest {
            callback: &callback(),
            transaction: "handle",
            login_hint: Some("alice@acme.example"),
            force_login,
            select_account: false,
            acr_values: &[],
            ui_locales: None,
            random: &SequenceRandom::new(1),
            now: now(),
        };
        self.connector.begin(request).await
    }

    async fn run(&mut self) -> Result<VerifiedAssertion, ConnectorError> {
        self.answered(code(None)).await
    }

    async fn answered(
        &mut self,
        answer: UpstreamAnswer,
    ) -> Result<VerifiedAssertion, ConnectorError> {
        let expected = self.begin(false).await?.expected;
        self.complete(Some(&expected), answer).await
    }

    async fn complete(
        &mut self,
        expected: Option<&Expected>,
        answer: UpstreamAnswer,
    ) -> Result<VerifiedAssertion, ConnectorError> {
        let mut checks = Checks::default();
        let completion = Completion {
            expected,
            callback: &callback(),
            max_age: None,
            guard: &NoGuard,
            epoch: now(),
            now: now(),
            checks: &mut checks,
        };
        let outcome = self.connector.complete(completion, answer).await;
        self.trace = checks.into_vec();
        outcome
    }

    async fn refusal(&mut self) -> ConnectorError {
        self.run().await.unwrap_err()
    }
}

fn code(iss: Option<&str>) -> UpstreamAnswer {
    UpstreamAnswer::Code { code: "c-1".to_owned(), iss: iss.map(str::to_owned) }
}

fn tokens() -> Value {
    json!({ "access_token": "at-1", "token_type": "bearer", "scope": "profile,email" })
}

fn alice() -> Value {
    json!({
        "id": 583_231, "login": "alice", "name": "Alice", "email": "alice@acme.example",
        "email_verified": true, "teams": ["a", "b"], "plan": { "name": "pro", "seats": null }
    })
}

fn form(request: &str) -> BTreeMap<String, String> {
    let body = request.split_once("\r\n\r\n").unwrap().1;
    url::form_urlencoded::parse(body.as_bytes()).into_owned().collect()
}

#[tokio::test]
async fn a_login_from_request_to_assertion() {
    let mut login = Login::new().await;

    let assertion = login.run().await.unwrap();

    assert_eq!(assertion.issuer(), "https://social.example");
    assert_eq!(assertion.subject().account_key(), "583231");
    assert_eq!(assertion.upstream_email_verified(), Some(true));
    assert_eq!(assertion.attributes()["teams"], [json!("a"), json!("b")]);
    assert_eq!(assertion.attributes()["plan.name"], [json!("pro")]);
    assert_eq!((assertion.auth_time(), assertion.acr()), (None, None));
    let codes: Vec<(&str, Outcome)> =
        login.trace.iter().map(|check| (check.code.as_str(), check.outcome)).collect();
    let passed = |code| (code, Outcome::Passed);
    assert_eq!(
        codes,
        [
            ("oauth2_response_issuer", Outcome::Skipped),
            passed("oauth2_token"),
            passed("oauth2_userinfo"),
            passed("oauth2_subject"),
        ]
    );
    let trace = format!("{:?}", login.trace);
    for secret in ["alice", "583231", "at-1", "c-1", "s3cr"] {
        assert!(!trace.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn the_request_has_state_and_pkce_and_no_word_about_the_user() {
    let login = Login::with(|settings| {
        settings.upstream_params =
            [("audience", "x"), ("state", "y"), ("redirect_uri", "https://evil.example")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into();
    })
    .await;

    let Beginning { begun: Begun::Redirect { url }, expected } = login.begin(false).await.unwrap()
    else {
        panic!("a redirect")
    };

    let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    let Expected::OAuth2 { pkce_verifier: Some(verifier), .. } = expected else { panic!("PKCE") };
    assert_eq!(query["code_challenge"], crate::code_flow::challenge(&verifier));
    let expected = [
        ("audience", "x"),
        ("client_id", "broker"),
        ("code_challenge", &query["code_challenge"]),
        ("code_challenge_method", "S256"),
        ("redirect_uri", "https://login.example/callback/social"),
        ("response_type", "code"),
        ("scope", "profile email"),
        ("state", "handle"),
        ("tenant", "t"),
    ];
    let sent: Vec<(&str, &str)> = query.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn the_code_is_redeemed_with_its_verifier_as_the_connection_says() {
    let mut basic = Login::new().await;
    let mut post = Login::with(|settings| {
        settings.token_endpoint_auth_method = Some("client_secret_post".to_owned());
        settings.pkce = false;
    })
    .await;

    basic.run().await.unwrap();
    post.run().await.unwrap();

    let request = &basic.server.requests("/token")[0];
    // base64 of "broker:s3cr%2Bt"
    assert!(request.contains("authorization: Basic YnJva2VyOnMzY3IlMkJ0\r\n"), "{request}");
    let names = |request: &str| form(request).into_keys().collect::<Vec<_>>();
    assert_eq!(names(request), ["code", "code_verifier", "grant_type", "redirect_uri"]);
    let request = &post.server.requests("/token")[0];
    assert_eq!(
        names(request),
        ["client_id", "client_secret", "code", "grant_type", "redirect_uri"]
    );
    assert!(basic.server.requests("/user")[0].contains("authorization: Bearer at-1\r\n"));
}

#[tokio::test]
async fn a_forced_login_needs_a_server_that_can_be_asked_for_it() {
    let plain = Login::new().await;
    let able = Login::with(|settings| {
        settings.forced_login_params = [("prompt".to_owned(), "login".to_owned())].into();
    })
    .await;

    assert_eq!(plain.begin(true).await, Err(Rejection::ForcedLogin.into()));
    let begun = able.begin(true).await.unwrap();
    assert!(matches!(begun.expected, Expected::OAuth2 { force_login: true, .. }));
    let Begun::Redirect { url } = begun.begun else { panic!("a redirect") };
    assert!(url.query().unwrap().ends_with("&prompt=login"), "{url}");
    let Begun::Redirect { url } = able.begin(false).await.unwrap().begun else { panic!() };
    assert!(!url.query().unwrap().contains("prompt"), "{url}");
}

#[tokio::test]
async fn a_code_of_another_server_is_not_redeemed() {
    let mut login = Login::new().await;

    let refused = login.answered(code(Some("https://evil.example"))).await.unwrap_err();

    let (expected, received) =
        ("https://social.example".to_owned(), "https://evil.example".to_owned());
    assert_eq!(refused, Rejection::ResponseIssuer { expected, received }.into());
    assert!(login.server.requests("/token").is_empty());
    assert!(login.answered(code(Some("https://social.example"))).await.is_ok());
    let mut unnamed = Login::with(|settings| settings.response_issuer = None).await;
    assert!(unnamed.answered(code(Some("https://elsewhere.example"))).await.is_ok());
}

#[tokio::test]
async fn an_answer_of_another_protocol_or_to_no_login_is_refused() {
    let mut login = Login::new().await;
    let mismatch = || ConnectorError::Rejected(crate::error::Rejection::ProtocolMismatch);
    let saml = UpstreamAnswer::Saml { response: SamlResponse::new(String::new()) };

    assert_eq!(login.answered(saml).await, Err(mismatch()));
    let other = Expected::Saml { request_id: "_1".to_owned(), force_login: false, sent_at: now() };
    assert_eq!(login.complete(Some(&other), code(None)).await, Err(mismatch()));
    assert_eq!(login.complete(None, code(None)).await, Err(Rejection::Unsolicited.into()));
    assert!(login.server.requests("/token").is_empty());
}

#[tokio::test]
async fn refuses_a_token_answer_without_a_bearer_token() {
    let reason = |reason| ConnectorError::from(Rejection::TokenAnswer { reason });
    let refused =
        |error: &str| ConnectorError::from(Rejection::TokenRefused { error: error.to_owned() });
    for (answer, expected) in [
        (Answer::text("text/html", "<html>"), reason("the content type is not JSON")),
        (Answer::json(&json!({"token_type": "bearer"})), reason("access_token is missing")),
        (Answer::json(&json!({"access_token": "a"})), reason("token_type is not Bearer")),
        (
            Answer::json(&json!({"access_token": "a", "token_type": "mac"})),
            reason("token_type is not Bearer"),
        ),
        // GitHub answers 200 with an error
        (
            Answer::json(&json!({"error": "bad_verification_code"})),
            refused("bad_verification_code"),
        ),
        (Answer::json(&json!({"error": "invalid_client"})).status(401), refused("invalid_client")),
    ] {
        let mut login = Login::new().await;
        login.server.answer("/token", answer);
        assert_eq!(login.refusal().await, expected);
        assert!(login.server.requests("/user").is_empty());
        assert!(matches!(login.trace.last(), Some(check) if check.fix.is_some()));
    }
}

#[tokio::test]
async fn a_server_that_cannot_answer_is_no_refusal() {
    for path in ["/token", "/user"] {
        for status in [429, 503] {
            let mut login = Login::new().await;
            login.server.answer(path, Answer::json(&json!({})).status(status));
            let failed = login.refusal().await;
            assert!(matches!(failed, ConnectorError::Unreachable { .. }), "{path} {failed:?}");
        }
    }
}

#[tokio::test]
async fn a_code_leaves_a_marker_of_its_connection() {
    let mut one = Login::new().await;
    let mut other = Login::with(|settings| settings.connection = "con_2".to_owned()).await;

    let first = one.run().await.unwrap();
    let again = one.run().await.unwrap();
    let elsewhere = other.run().await.unwrap();

    assert_eq!(first.replay(), again.replay());
    assert_ne!(first.replay().value, elsewhere.replay().value);
    assert!(!first.replay().value.contains("c-1"));
}

/// The code is the server's to spend, the replay key the broker's to insert.
#[derive(Debug)]
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
