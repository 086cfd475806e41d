//! Whole logins against an OpenID Provider in this process, one fault each.

mod cache;
mod faults;
mod flow;
pub(crate) mod op;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use chrono::{DateTime, TimeDelta, Utc};
use homerealm_certs::{JwsAlgorithm, SequenceRandom, SigningKey, sign_compact};
use serde_json::{Value, json};
use url::Url;

use super::*;
use crate::check::{Check, Checks, Outcome};
use crate::connector::{Begun, Expected, OnceGuard};
use crate::error::StoreUnavailable;
use crate::http::{Outbound, OutboundPolicy, Secret};
use op::{Answer, Op};

const NOW: i64 = 1_900_000_000;

fn after(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(NOW + seconds, 0).unwrap()
}

fn key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate(JwsAlgorithm::Es256).unwrap())
}

/// A provider, a connection to it, and what was recorded.
struct Login {
    op: Op,
    connector: OidcConnector,
    trace: Vec<Check>,
}

/// What a test changes about the answers of one login.
struct Answers<'a> {
    now: DateTime<Utc>,
    key: &'a SigningKey,
    claims: Value,
    iss: Option<String>,
    token_answer: &'a dyn Fn(Value) -> Answer,
}

fn answers() -> Answers<'static> {
    Answers {
        now: after(0),
        key: key(),
        claims: json!({}),
        iss: None,
        token_answer: &|body| Answer::json(&body),
    }
}

impl Login {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut OidcSettings)) -> Self {
        let op = Op::start(key().public_jwk()).await;
        let mut settings = settings(op.issuer());
        change(&mut settings);
        let connector = OidcConnector::new(
            settings,
            Arc::new(Providers::new(Arc::new(Outbound::new(on_loopback())))),
        );
        Self { op, connector, trace: Vec::new() }
    }

    async fn begin(&self, now: DateTime<Utc>) -> Result<Beginning, ConnectorError> {
        let callback = callback();
        let request = BeginRequest {
            callback: &callback,
            transaction: "handle",
            login_hint: None,
            force_login: false,
            select_account: false,
            acr_values: &[],
            ui_locales: None,
            random: &SequenceRandom::new(1),
            now,
        };
        self.connector.begin(request).await
    }

    /// A whole login: the provider's token endpoint answers with an ID token for the nonce that was sent.
    async fn run(&mut self, answers: Answers<'_>) -> Result<VerifiedAssertion, ConnectorError> {
        let Beginning { begun, expected } = self.begin(answers.now).await?;
        let Begun::Redirect { url } = begun else { panic!("a redirect") };
        let nonce = url.query_pairs().find(|(name, _)| name == "nonce").unwrap().1.into_owned();
        let claims = claims(self.op.issuer(), &nonce, answers.now, &answers.claims);
        let id_token = sign_compact(answers.key, "JWT", &claims).unwrap();
        let tokens =
            json!({ "id_token": id_token, "access_token": "at-1", "token_type": "bearer" });
        self.op.answer("/token", (answers.token_answer)(tokens));
        let answer = UpstreamAnswer::Code { code: "c-1".to_owned(), iss: answers.iss };
        self.complete(Some(&expected), answer, answers.now).await
    }

    async fn complete(
        &mut self,
        expected: Option<&Expected>,
        answer: UpstreamAnswer,
        now: DateTime<Utc>,
    ) -> Result<VerifiedAssertion, ConnectorError> {
        let mut checks = Checks::default();
        let (callback, guard) = (callback(), NoGuard);
        let completion = Completion {
            expected,
            callback: &callback,
            max_age: None,
            guard: &guard,
            epoch: after(0),
            now,
            checks: &mut checks,
        };
        let outcome = self.connector.complete(completion, answer).await;
        self.trace = checks.into_vec();
        outcome
    }

    /// The rejection that ends a login with these answers; the trace must say the same.
    async fn refusal(&mut self, answers: Answers<'_>) -> Rejection {
        let failure = self.run(answers).await.unwrap_err();
        let ConnectorError::Rejected(crate::error::Rejection::Oidc(rejection)) = failure else {
            panic!("{failure:?}")
        };
        let last = self.trace.last().unwrap();
        assert_eq!((last.code.as_str(), last.outcome), (rejection.code(), Outcome::Failed));
        rejection
    }
}

fn settings(issuer: &str) -> OidcSettings {
    OidcSettings {
        connection: "con_1".to_owned(),
        issuer: IssuerRule::Exact(issuer.to_owned()),
        client_id: "broker".to_owned(),
        client_secret: Some(Secret::from("s3cr+t".to_owned())),
        scopes: ["openid", "email"].map(str::to_owned).to_vec(),
        response_mode: None,
        token_endpoint_auth_method: None,
        acr_values: Vec::new(),
        upstream_params: BTreeMap::new(),
        allow_http: true,
        clock_skew: TimeDelta::seconds(60),
    }
}

fn claims(issuer: &str, nonce: &str, now: DateTime<Utc>, changes: &Value) -> Value {
    let mut claims = json!({
        "iss": issuer, "aud": "broker", "sub": "u-1", "nonce": nonce, "email": "alice@acme.example",
        "iat": now.timestamp(), "exp": now.timestamp() + 300
    });
    for (name, value) in changes.as_object().unwrap() {
        claims.as_object_mut().unwrap().insert(name.clone(), value.clone());
    }
    claims
}

fn callback() -> Url {
    Url::parse("https://login.example/callback/acme").unwrap()
}

fn on_loopback() -> OutboundPolicy {
    OutboundPolicy {
        allow_http: true,
        allow_private_addresses: true,
        allow_loopback: true,
        own_listeners: Vec::new(),
    }
}

/// OIDC keeps nothing once by itself: the code is the provider's to spend, the replay key the broker's.
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
