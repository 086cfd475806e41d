use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use homerealm_certs::{JwsAlgorithm, SigningKey};
use serde_json::{Map, Value, json};

use super::*;
use crate::oidc::entra;

mod properties;
mod signature;
mod times;

const ISSUER: &str = "https://op.example";
const NOW: i64 = 1_900_000_000;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn es256() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate(JwsAlgorithm::Es256).unwrap())
}

fn key_set(keys: &[Value]) -> UpstreamKeySet {
    UpstreamKeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

fn token(header: &Value, payload: &str, key: &SigningKey) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let input = format!("{}.{}", part(&header.to_string()), part(payload));
    let signature = key.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn header() -> Value {
    json!({ "alg": "ES256", "kid": es256().kid(), "typ": "JWT" })
}

fn good() -> Value {
    json!({
        "iss": ISSUER, "aud": "broker", "sub": "248289761001", "nonce": "n-1",
        "iat": NOW - 5, "exp": NOW + 300
    })
}

/// The good claims with these members replaced; `null` removes one.
fn with(changes: Value) -> Value {
    let mut claims = good();
    let members = claims.as_object_mut().unwrap();
    let Value::Object(changes) = changes else { panic!("an object") };
    for (name, value) in changes {
        if value.is_null() {
            members.remove(&name);
        } else {
            members.insert(name, value);
        }
    }
    claims
}

/// What a test changes about the expectation.
struct Login {
    issuer: ExpectedIssuer,
    access_token: Option<Secret>,
    acr_values: Vec<String>,
    freshness: Freshness,
    now: i64,
}

fn login() -> Login {
    Login {
        issuer: ExpectedIssuer::Exact(ISSUER.to_owned()),
        access_token: None,
        acr_values: Vec::new(),
        freshness: Freshness { force_login: false, sent_at: at(NOW - 30), max_age: None },
        now: NOW,
    }
}

impl Login {
    fn check(&self, claims: &Value) -> Result<VerifiedIdToken, Rejection> {
        self.check_token(
            &token(&header(), &claims.to_string(), es256()),
            &key_set(&[es256().public_jwk().clone()]),
        )
    }

    fn check_token(
        &self,
        token: &str,
        keys: &UpstreamKeySet,
    ) -> Result<VerifiedIdToken, Rejection> {
        let checks = &mut Checks::default();
        let announced = ["RS256", "ES256", "none", "HS256"].map(str::to_owned);
        let signed = Candidate::read(token, &announced, checks)?.verify_signature(keys)?;
        let expect = Expectation {
            connection: "con_1",
            issuer: &self.issuer,
            client_id: "broker",
            nonce: "n-1",
            access_token: self.access_token.as_ref(),
            acr_values: &self.acr_values,
            freshness: self.freshness,
            skew: TimeDelta::seconds(60),
            now: at(self.now),
        };
        verify(&signed, &expect, checks)
    }
}

fn refusal(claims: &Value) -> Rejection {
    login().check(claims).unwrap_err()
}

#[test]
fn accepts_a_good_token() {
    let verified = login().check(&good()).unwrap();

    assert_eq!((verified.issuer.as_str(), verified.issued_at), (ISSUER, at(NOW - 5)));
    assert_eq!(verified.replay.until, at(NOW + 360));
    assert!(!format!("{verified:?}").contains("248289761001"));
}

#[test]
fn refuses_another_issuer_by_one_character() {
    for received in [
        "https://op.example/",
        "https://OP.example",
        "https://evil.example",
        "http://op.example",
        "",
    ] {
        let expected = ISSUER.to_owned();
        let received_text = received.to_owned();
        assert_eq!(
            refusal(&with(json!({ "iss": received }))),
            Rejection::Issuer { expected, received: received_text }
        );
    }
    let array = refusal(&with(json!({ "iss": [ISSUER] })));
    assert_eq!(array, Rejection::ClaimMalformed { claim: "iss", expected: "a string" });
}

#[test]
fn keeps_the_slash_at_the_end_of_auth0s_issuers() {
    let slash =
        Login { issuer: ExpectedIssuer::Exact("https://t.auth0.example/".to_owned()), ..login() };

    assert!(slash.check(&with(json!({ "iss": "https://t.auth0.example/" }))).is_ok());
    assert!(matches!(
        slash.check(&with(json!({ "iss": "https://t.auth0.example" }))),
        Err(Rejection::Issuer { .. })
    ));
}

#[test]
fn refuses_a_token_for_another_audience() {
    for aud in ["other", "broker2", "brok", "BROKER", ""] {
        let received = vec![aud.to_owned()];
        let expected = "broker".to_owned();
        assert_eq!(
            refusal(&with(json!({ "aud": aud }))),
            Rejection::Audience { expected, received }
        );
    }
    for aud in [json!(7), json!({ "broker": 1 }), json!(["broker", 7])] {
        assert!(matches!(
            refusal(&with(json!({ "aud": aud }))),
            Rejection::ClaimMalformed { claim: "aud", .. }
        ));
    }
    assert!(matches!(refusal(&with(json!({ "aud": [] }))), Rejection::Audience { .. }));
}

#[test]
fn several_audiences_need_us_as_authorized_party() {
    let several = json!(["broker", "api"]);
    let azp = |azp: Value| with(json!({ "aud": several, "azp": azp }));
    let missing = Rejection::AuthorizedParty { expected: "broker".to_owned(), received: None };

    assert!(login().check(&azp(json!("broker"))).is_ok());
    assert!(login().check(&with(json!({ "aud": ["broker"] }))).is_ok());
    assert_eq!(refusal(&azp(Value::Null)), missing);
    assert!(matches!(refusal(&azp(json!("api"))), Rejection::AuthorizedParty { .. }));
    assert!(matches!(refusal(&with(json!({ "azp": "other" }))), Rejection::AuthorizedParty { .. }));
    assert!(matches!(
        refusal(&with(json!({ "azp": 1 }))),
        Rejection::ClaimMalformed { claim: "azp", .. }
    ));
}

#[test]
fn refuses_a_token_without_a_required_claim() {
    for claim in ["iss", "aud", "exp", "iat", "nonce", "sub"] {
        assert_eq!(refusal(&with(json!({ claim: null }))), Rejection::ClaimMissing { claim });
    }
}

#[test]
fn refuses_the_nonce_of_another_login() {
    for nonce in ["n-2", "n-1 ", "N-1", ""] {
        assert_eq!(refusal(&with(json!({ "nonce": nonce }))), Rejection::Nonce);
    }
    let array = refusal(&with(json!({ "nonce": ["n-1"] })));
    assert_eq!(array, Rejection::ClaimMalformed { claim: "nonce", expected: "a string" });
}

#[test]
fn at_hash_ties_the_access_token_to_the_id_token() {
    // OIDC Core gives no vector for ES256; this is the left half of SHA-256("at-1").
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"at-1");
    let at_hash = URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]);
    let claims = with(json!({ "at_hash": at_hash }));
    let with_token =
        |text: &str| Login { access_token: Some(Secret::from(text.to_owned())), ..login() };

    assert!(with_token("at-1").check(&claims).is_ok());
    assert!(with_token("at-2").check(&good()).is_ok());
    assert_eq!(with_token("at-2").check(&claims).unwrap_err(), Rejection::AccessTokenHash);
    assert_eq!(refusal(&claims), Rejection::AccessTokenHash);
}

#[test]
fn a_required_authentication_context_must_be_reached() {
    let strict = Login { acr_values: vec!["mfa".to_owned(), "phr".to_owned()], ..login() };
    let not_met = |received: Option<&str>| Rejection::AcrNotMet {
        expected: strict.acr_values.clone(),
        received: received.map(str::to_owned),
    };

    assert!(strict.check(&with(json!({ "acr": "phr" }))).is_ok());
    assert_eq!(strict.check(&with(json!({ "acr": "pwd" }))).unwrap_err(), not_met(Some("pwd")));
    assert_eq!(strict.check(&good()).unwrap_err(), not_met(None));
}

#[test]
fn refuses_a_subject_that_is_empty_too_long_or_not_plain() {
    for sub in ["", "a b", "a\u{200b}b", "zoë", "a\n", &"x".repeat(256)] {
        assert_eq!(refusal(&with(json!({ "sub": sub }))), Rejection::Subject { claim: "sub" });
    }
    assert!(login().check(&with(json!({ "sub": "x".repeat(255) }))).is_ok());
    assert!(matches!(
        refusal(&with(json!({ "sub": 7 }))),
        Rejection::ClaimMalformed { claim: "sub", .. }
    ));
}

#[test]
fn replay_keys_differ_by_connection_token_and_kind() {
    let key = |claims: &Value| login().check(claims).unwrap().replay.value;

    assert_eq!(
        key(&with(json!({ "jti": "a" }))),
        key(&with(json!({ "jti": "a", "exp": NOW + 200 })))
    );
    assert_ne!(key(&with(json!({ "jti": "a" }))), key(&with(json!({ "jti": "b" }))));
    assert_ne!(key(&good()), key(&with(json!({ "exp": NOW + 200 }))));
    assert_ne!(key(&with(json!({ "jti": good().to_string() }))), key(&good()));
    assert_ne!(hashed(&[b"ab", b"c"]), hashed(&[b"a", b"bc"]));
}

#[test]
fn a_replay_key_is_kept_no_longer_than_the_token_could_be_accepted() {
    let verified = login().check(&with(json!({ "exp": NOW + 400 * 86_400 }))).unwrap();

    assert_eq!(verified.replay.until, at(NOW - 5 + 86_400 + 60));
}

fn entra(tenant: &str, allowed: &[&str]) -> Login {
    let allowed: Vec<String> = allowed.iter().copied().map(str::to_owned).collect();
    let tenants = entra::Tenants::new("https://login.example", tenant, &allowed);
    Login { issuer: ExpectedIssuer::Entra(tenants), ..login() }
}

fn of_tenant(tid: &str, iss: &str) -> Value {
    with(json!({ "tid": tid, "oid": "o-1", "iss": format!("https://login.example/{iss}/v2.0") }))
}

#[test]
fn entra_admits_users_of_listed_tenants_alone() {
    let shared = entra("organizations", &["t-1", "T-2"]);

    assert!(shared.check(&of_tenant("t-1", "t-1")).is_ok());
    assert!(shared.check(&of_tenant("t-2", "t-2")).is_ok());
    assert!(entra("t-1", &[]).check(&of_tenant("t-1", "t-1")).is_ok());
    let stranger = shared.check(&of_tenant("t-3", "t-3")).unwrap_err();
    assert!(matches!(stranger, Rejection::Tenant { received, .. } if received == "t-3"));
    for (tenant, allowed) in
        [("common", &[][..]), ("organizations", &[]), ("t-2", &[]), ("t-1", &["t-2"])]
    {
        let refused = entra(tenant, allowed).check(&of_tenant("t-1", "t-1")).unwrap_err();
        assert!(matches!(refused, Rejection::Tenant { .. }), "{tenant} {allowed:?}");
    }
}

#[test]
fn entra_refuses_a_tenant_that_disagrees_with_the_issuer() {
    let refused = entra("common", &["t-1", "t-2"]).check(&of_tenant("t-1", "t-2")).unwrap_err();

    let (expected, received) =
        ("https://login.example/t-1/v2.0".to_owned(), "https://login.example/t-2/v2.0".to_owned());
    assert_eq!(refused, Rejection::Issuer { expected, received });
}

#[test]
fn entra_needs_tid_and_oid() {
    let without = |claim: &str| {
        let mut claims = of_tenant("t-1", "t-1");
        claims.as_object_mut().unwrap().remove(claim);
        entra("t-1", &[]).check(&claims).unwrap_err()
    };

    assert_eq!(without("tid"), Rejection::ClaimMissing { claim: "tid" });
    assert_eq!(without("oid"), Rejection::ClaimMissing { claim: "oid" });
}
