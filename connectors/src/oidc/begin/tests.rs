use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta};
use homerealm_certs::SequenceRandom;
use url::Url;

use super::*;
use crate::oidc::settings::IssuerRule;

fn provider(endpoint: &str) -> OidcProviderMetadata {
    let document = serde_json::json!({
        "issuer": "https://op.example", "authorization_endpoint": endpoint,
        "token_endpoint": "https://op.example/token", "jwks_uri": "https://op.example/jwks",
        "id_token_signing_alg_values_supported": ["RS256"], "response_types_supported": ["code"]
    });
    OidcProviderMetadata::read(document.to_string().as_bytes(), "https://op.example", false)
        .unwrap()
}

fn settings() -> OidcSettings {
    OidcSettings {
        connection: "con_1".to_owned(),
        issuer: IssuerRule::Exact("https://op.example".to_owned()),
        client_id: "our id".to_owned(),
        client_secret: None,
        scopes: ["email", "openid"].map(str::to_owned).to_vec(),
        response_mode: None,
        token_endpoint_auth_method: None,
        acr_values: Vec::new(),
        upstream_params: BTreeMap::new(),
        allow_http: false,
        clock_skew: TimeDelta::seconds(60),
    }
}

/// What a test changes about the request.
#[derive(Default)]
struct Wishes {
    force_login: bool,
    select_account: bool,
    login_hint: Option<&'static str>,
    acr_values: Vec<String>,
    ui_locales: Option<&'static str>,
}

fn begin(
    settings: &OidcSettings,
    endpoint: &str,
    wishes: &Wishes,
) -> (BTreeMap<String, String>, Expected) {
    let callback = Url::parse("https://login.example/callback/acme").unwrap();
    let request = BeginRequest {
        callback: &callback,
        transaction: "handle",
        login_hint: wishes.login_hint,
        force_login: wishes.force_login,
        select_account: wishes.select_account,
        acr_values: &wishes.acr_values,
        ui_locales: wishes.ui_locales,
        random: &SequenceRandom::new(7),
        now: DateTime::from_timestamp(1_900_000_000, 0).unwrap(),
    };
    let beginning = authorization_request(settings, &provider(endpoint), &request);
    let Begun::Redirect { url } = beginning.begun else { panic!("a redirect") };
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let query: BTreeMap<_, _> = pairs.iter().cloned().collect();
    assert_eq!(query.len(), pairs.len(), "each name once");
    (query, beginning.expected)
}

const ENDPOINT: &str = "https://op.example/authorize";

#[test]
fn asks_for_a_code_with_pkce_and_nonce() {
    let (query, expected) = begin(&settings(), ENDPOINT, &Wishes::default());

    let Expected::Oidc { nonce, pkce_verifier, force_login, .. } = expected else { panic!("OIDC") };
    let names: Vec<&str> = query.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "client_id",
            "code_challenge",
            "code_challenge_method",
            "nonce",
            "redirect_uri",
            "response_type",
            "scope",
            "state"
        ]
    );
    assert_eq!(query["response_type"], "code");
    assert_eq!(query["client_id"], "our id");
    assert_eq!(query["redirect_uri"], "https://login.example/callback/acme");
    assert_eq!(query["scope"], "openid email");
    assert_eq!(query["state"], "handle");
    assert_eq!(query["nonce"], nonce);
    assert_eq!(query["code_challenge_method"], "S256");
    assert_eq!(query["code_challenge"], challenge(&pkce_verifier));
    assert_eq!((pkce_verifier.len(), nonce.len(), force_login), (43, 43, false));
    assert_ne!(pkce_verifier, nonce);
}

/// RFC 7636 appendix B.
#[test]
fn the_challenge_is_that_of_the_standards_example() {
    assert_eq!(
        challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    );
}

#[test]
fn passes_on_what_the_login_asks_for() {
    let wishes = Wishes {
        force_login: true,
        select_account: false,
        login_hint: Some("alice@acme.example"),
        acr_values: vec!["mfa".to_owned(), "phr".to_owned()],
        ui_locales: Some("de en"),
    };
    let settings = OidcSettings { response_mode: Some("form_post".to_owned()), ..settings() };

    let (query, expected) = begin(&settings, ENDPOINT, &wishes);

    assert_eq!(query["prompt"], "login");
    assert_eq!(query["login_hint"], "alice@acme.example");
    assert_eq!(query["acr_values"], "mfa phr");
    assert_eq!(query["ui_locales"], "de en");
    assert_eq!(query["response_mode"], "form_post");
    assert!(matches!(expected, Expected::Oidc { force_login: true, .. }));
}

#[test]
fn the_connections_required_contexts_go_before_the_clients() {
    let settings = OidcSettings { acr_values: vec!["mfa".to_owned()], ..settings() };
    let wishes = Wishes { acr_values: vec!["pwd".to_owned()], ..Wishes::default() };

    assert_eq!(begin(&settings, ENDPOINT, &wishes).0["acr_values"], "mfa");
}

#[test]
fn configured_parameters_never_replace_those_of_the_protocol_or_the_login() {
    let plain = begin(&settings(), ENDPOINT, &Wishes::default()).0;
    let hostile = [
        "state",
        "nonce",
        "redirect_uri",
        "request",
        "request_uri",
        "response_mode",
        "code_challenge_method",
        "scope",
    ];
    let mut params: BTreeMap<String, String> =
        hostile.map(|name| (name.to_owned(), "x".to_owned())).into();
    params.insert("domain_hint".to_owned(), "acme.example".to_owned());
    params.insert("prompt".to_owned(), "select_account".to_owned());
    let settings = OidcSettings { upstream_params: params, ..settings() };

    let (mut query, _) = begin(&settings, ENDPOINT, &Wishes::default());
    let forced = begin(&settings, ENDPOINT, &Wishes { force_login: true, ..Wishes::default() }).0;

    assert_eq!(query.remove("domain_hint").as_deref(), Some("acme.example"));
    assert_eq!(query.remove("prompt").as_deref(), Some("select_account"));
    assert_eq!(query, plain);
    assert_eq!(forced["prompt"], "login");
}

#[test]
fn the_endpoints_own_query_stays_except_where_it_names_ours() {
    let (query, _) = begin(
        &settings(),
        "https://op.example/authorize?p=b2c_1_signin&state=evil",
        &Wishes::default(),
    );

    assert_eq!(query["p"], "b2c_1_signin");
    assert_eq!(query["state"], "handle");
}

#[test]
fn an_account_is_chosen_upstream_unless_a_login_is_forced_anyway() {
    let prompt = |force_login, select_account| {
        let wishes = Wishes { force_login, select_account, ..Wishes::default() };
        begin(&settings(), ENDPOINT, &wishes).0.get("prompt").cloned()
    };

    assert_eq!(prompt(false, true).as_deref(), Some("select_account"));
    assert_eq!(prompt(true, true).as_deref(), Some("login"));
    assert_eq!(prompt(false, false), None);
}
