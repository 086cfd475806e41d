use super::*;

#[tokio::test]
async fn many_logins_fetch_discovery_and_keys_once() {
    let mut login = Login::new().await;

    for _ in 0..5 {
        login.run(answers()).await.unwrap();
    }

    assert_eq!(login.op.requests("/.well-known/openid-configuration").len(), 1);
    assert_eq!(login.op.requests("/jwks").len(), 1);
}

#[tokio::test]
async fn logins_that_begin_at_once_share_one_discovery() {
    let login = Login::new().await;

    let all = futures_util::future::join_all((0..20).map(|_| login.begin(after(0)))).await;

    assert!(all.iter().all(Result::is_ok));
    assert_eq!(login.op.requests("/.well-known/openid-configuration").len(), 1);
}

#[tokio::test]
async fn cache_control_is_heeded_between_five_minutes_and_a_day() {
    for (header, lifetime) in [
        ("Cache-Control: no-store", 300),
        ("Cache-Control: max-age=10", 300),
        ("Cache-Control: max-age=1200", 1200),
        ("Cache-Control: max-age=9999999", 86_400),
        ("Vary: Accept", 3600),
    ] {
        let mut login = Login::new().await;
        let keys = json!({ "keys": [key().public_jwk()] });
        login.op.answer("/jwks", Answer::json(&keys).header(header));
        for (seconds, fetched) in [(0, 1), (lifetime - 1, 1), (lifetime, 2)] {
            login.run(Answers { now: after(seconds), ..answers() }).await.unwrap();
            assert_eq!(login.op.requests("/jwks").len(), fetched, "{header} after {seconds} s");
        }
    }
}

#[tokio::test]
async fn a_rolled_key_is_found_without_waiting_for_the_cache() {
    let new = SigningKey::generate(JwsAlgorithm::Es256).unwrap();
    let mut login = Login::new().await;
    login.run(answers()).await.unwrap();
    login.op.keys(&[new.public_jwk().clone()]);

    let rolled = login.run(Answers { now: after(61), key: &new, ..answers() }).await;

    assert!(rolled.is_ok());
    assert_eq!(login.op.requests("/jwks").len(), 2);
}

#[tokio::test]
async fn unknown_keys_cause_one_request_a_minute() {
    let stranger = SigningKey::generate(JwsAlgorithm::Es256).unwrap();
    let mut login = Login::new().await;
    login.run(answers()).await.unwrap();
    let unknown = Rejection::KeyUnknown { kid: Some(stranger.kid().to_owned()) };

    for (seconds, fetched) in [(1, 1), (59, 1), (60, 2), (61, 2), (119, 2), (120, 3)] {
        let refused =
            login.refusal(Answers { now: after(seconds), key: &stranger, ..answers() }).await;
        assert_eq!(
            (refused, login.op.requests("/jwks").len()),
            (unknown.clone(), fetched),
            "{seconds} s"
        );
    }
}

#[tokio::test]
async fn the_old_keys_stay_where_new_ones_cannot_be_had() {
    let stranger = SigningKey::generate(JwsAlgorithm::Es256).unwrap();
    let mut login = Login::new().await;
    login.run(answers()).await.unwrap();
    login.op.answer("/jwks", Answer::text("text/html", "maintenance"));

    let refused = login.refusal(Answers { now: after(60), key: &stranger, ..answers() }).await;
    let known = login.run(Answers { now: after(61), ..answers() }).await;
    let stale = login.run(Answers { now: after(3600 + 86_399), ..answers() }).await;
    let too_old = login.run(Answers { now: after(3600 + 86_400), ..answers() }).await;

    assert!(matches!(refused, Rejection::KeyUnknown { .. }));
    assert!(known.is_ok() && stale.is_ok());
    assert!(matches!(too_old, Err(ConnectorError::Unreachable { what: "the key set", .. })));
}

#[tokio::test]
async fn a_rolled_key_is_found_for_tokens_without_kid() {
    let (old, new) = (key(), SigningKey::generate(JwsAlgorithm::Es256).unwrap());
    let mut login = Login::new().await;
    login.run(answers()).await.unwrap();
    login.op.keys(&[new.public_jwk().clone()]);
    let without_kid = |mut tokens: Value| {
        let token = tokens["id_token"].as_str().unwrap().to_owned();
        tokens["id_token"] = json!(resigned_without_kid(&token, &new));
        Answer::json(&tokens)
    };

    let too_soon = Answers { now: after(59), token_answer: &without_kid, ..answers() };
    assert_eq!(login.refusal(too_soon).await, Rejection::Signature);
    let found = Answers { now: after(60), token_answer: &without_kid, ..answers() };
    assert!(login.run(found).await.is_ok());
    let withdrawn = login.refusal(Answers { now: after(61), key: old, ..answers() }).await;
    assert!(matches!(withdrawn, Rejection::KeyUnknown { .. }));
}

fn resigned_without_kid(token: &str, key: &SigningKey) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let payload = token.split('.').nth(1).unwrap();
    let input = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256"}"#));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes()).unwrap());
    format!("{input}.{signature}")
}

#[tokio::test]
async fn a_failed_discovery_is_not_repeated_for_ten_seconds() {
    let login = Login::new().await;
    login.op.answer("/.well-known/openid-configuration", Answer::json(&json!({})).status(500));

    let first = login.begin(after(0)).await.unwrap_err();
    login.op.discovery(&json!({}));
    let second = login.begin(after(9)).await.unwrap_err();

    assert_eq!(first, second);
    assert_eq!(login.op.requests("/.well-known/openid-configuration").len(), 1);
    assert!(login.begin(after(10)).await.is_ok());
}

#[tokio::test]
async fn the_number_of_remembered_providers_is_bounded() {
    let ops = [
        Op::start(key().public_jwk()).await,
        Op::start(key().public_jwk()).await,
        Op::start(key().public_jwk()).await,
    ];
    let outbound = Arc::new(Outbound::new(on_loopback()));
    let providers = Providers::with_capacity(outbound, 2);
    let fetched = |op: &Op| op.requests("/.well-known/openid-configuration").len();

    for (second, which) in [(0, 0), (1, 1), (2, 0), (3, 2), (4, 0), (5, 1)] {
        providers.metadata(&settings(ops[which].issuer()), after(second)).await.unwrap();
    }

    assert_eq!(ops.each_ref().map(fetched), [1, 2, 1]);
}

#[tokio::test]
async fn two_issuers_at_one_address_do_not_share_a_document() {
    let login = Login::new().await;
    login.begin(after(0)).await.unwrap();
    let slash = OidcSettings {
        issuer: IssuerRule::Exact(format!("{}/", login.op.issuer())),
        ..settings("")
    };

    let refused = login.connector.providers.metadata(&slash, after(1)).await.unwrap_err();

    assert!(matches!(
        refused,
        ConnectorError::Rejected(crate::error::Rejection::Oidc(Rejection::Discovery { .. }))
    ));
}
