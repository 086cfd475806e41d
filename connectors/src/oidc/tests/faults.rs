use super::*;
use crate::saml::SamlResponse;

async fn refused_token_answer(answer: Answer) -> Rejection {
    let mut login = Login::new().await;
    login.refusal(Answers { token_answer: &|_| answer.clone(), ..answers() }).await
}

fn changed(mut tokens: Value, name: &str, value: Value) -> Answer {
    tokens.as_object_mut().unwrap().insert(name.to_owned(), value);
    Answer::json(&tokens)
}

#[tokio::test]
async fn refuses_a_token_answer_that_is_not_json_with_an_id_token_and_bearer() {
    let reason = |reason| Rejection::TokenAnswer { reason };

    let html = Answer::text("text/html", "<html>captive portal</html>");
    assert_eq!(refused_token_answer(html).await, reason("the content type is not JSON"));
    let broken = Answer::text("application/json", "{");
    assert_eq!(refused_token_answer(broken).await, reason("not well-formed JSON"));
    let twice = Answer::text(
        "application/json",
        r#"{"id_token":"a","id_token":"b","token_type":"bearer"}"#,
    );
    assert_eq!(refused_token_answer(twice).await, reason("not well-formed JSON"));
    assert_eq!(refused_token_answer(Answer::json(&json!([]))).await, reason("not a JSON object"));
    let without = json!({ "access_token": "a", "token_type": "Bearer" });
    assert_eq!(refused_token_answer(Answer::json(&without)).await, Rejection::IdTokenMissing);

    for (name, value, expected) in [
        ("id_token", json!(7), "id_token is not a string"),
        ("token_type", json!("mac"), "token_type is not Bearer"),
        ("token_type", json!(null), "token_type is not Bearer"),
        ("access_token", json!(""), "access_token is not a token"),
        ("access_token", json!({}), "access_token is not a token"),
    ] {
        let mut login = Login::new().await;
        let spoiled = |tokens| changed(tokens, name, value.clone());
        let refused = login.refusal(Answers { token_answer: &spoiled, ..answers() }).await;
        assert_eq!(refused, reason(expected));
    }
}

#[tokio::test]
async fn takes_bearer_in_any_case() {
    for token_type in ["Bearer", "bearer", "BEARER"] {
        let mut login = Login::new().await;
        let shouted = |tokens| changed(tokens, "token_type", json!(token_type));
        assert!(login.run(Answers { token_answer: &shouted, ..answers() }).await.is_ok());
    }
}

#[tokio::test]
async fn tokens_beside_an_error_or_another_status_are_no_tokens() {
    let mut login = Login::new().await;
    let with_error = |tokens| changed(tokens, "error", json!("invalid_grant"));
    let with_status = |status| move |tokens: Value| Answer::json(&tokens).status(status);
    let refused = |error: &str| Rejection::TokenRefused { error: error.to_owned() };

    let both = login.refusal(Answers { token_answer: &with_error, ..answers() }).await;
    let client_error =
        login.refusal(Answers { token_answer: &with_status(400), ..answers() }).await;
    let created = login.refusal(Answers { token_answer: &with_status(201), ..answers() }).await;

    assert_eq!(
        (both, client_error, created),
        (refused("invalid_grant"), refused("status 400"), refused("status 201"))
    );
}

#[tokio::test]
async fn repeats_the_error_of_the_token_endpoint_only_where_it_looks_like_a_code() {
    let error = |code: &str| {
        Answer::json(&json!({ "error": code, "error_description": "alice@acme.example" }))
            .status(401)
    };
    let refused = |error: &str| Rejection::TokenRefused { error: error.to_owned() };

    assert_eq!(refused_token_answer(error("invalid_client")).await, refused("invalid_client"));
    assert_eq!(refused_token_answer(error("<b>alice</b>")).await, refused("an unreadable error"));
}

#[tokio::test]
async fn a_token_endpoint_that_cannot_answer_is_no_refusal() {
    for (answer, reason) in [
        (Answer::json(&json!({})).status(503), "answered with status 503"),
        (Answer::json(&json!({})).status(429), "answered with status 429"),
        (
            Answer::json(&json!({})).status(307).header("Location: /x"),
            "answered with a redirect (307), which is not followed",
        ),
        (
            Answer::text("application/json", &" ".repeat(300_000)),
            "the answer is larger than 262144 bytes",
        ),
    ] {
        let mut login = Login::new().await;
        let failed = login
            .run(Answers { token_answer: &|_| answer.clone(), ..answers() })
            .await
            .unwrap_err();
        let reason = reason.to_owned();
        assert_eq!(failed, ConnectorError::Unreachable { what: "the token endpoint", reason });
    }
}

#[tokio::test]
async fn refuses_the_id_token_of_another_login_client_or_issuer() {
    for (claims, code) in [
        (json!({ "nonce": "n" }), "oidc_nonce_mismatch"),
        (json!({ "aud": "someone-else" }), "oidc_audience_mismatch"),
        (json!({ "iss": "https://evil.example" }), "oidc_issuer_mismatch"),
        (json!({ "exp": NOW - 3600, "iat": NOW - 7200 }), "oidc_token_expired"),
        (
            json!({ "exp": NOW + 7200, "iat": NOW + 3600, "nbf": NOW + 3600 }),
            "oidc_issued_in_future",
        ),
        (json!({ "at_hash": "AAAAAAAAAAAAAAAAAAAAAA" }), "oidc_at_hash_mismatch"),
    ] {
        let mut login = Login::new().await;
        assert_eq!(login.refusal(Answers { claims, ..answers() }).await.code(), code);
    }
}

#[tokio::test]
async fn checks_the_issuer_beside_the_code_before_the_code_leaves() {
    let mut login = Login::new().await;
    let issuer = login.op.issuer().to_owned();
    let beside = |iss: Option<&str>| Answers { iss: iss.map(str::to_owned), ..answers() };

    let mixed_up = login.refusal(beside(Some("https://evil.example"))).await;
    assert!(matches!(mixed_up, Rejection::ResponseIssuer { .. }));
    assert!(login.run(beside(Some(&issuer))).await.is_ok());
    assert!(login.run(beside(None)).await.is_ok());

    let mut announced = Login::new().await;
    announced.op.discovery(&json!({ "authorization_response_iss_parameter_supported": true }));
    let expected = announced.op.issuer().to_owned();
    assert_eq!(
        announced.refusal(beside(None)).await,
        Rejection::ResponseIssuerMissing { expected }
    );
    assert!(announced.op.requests("/token").is_empty());
    assert_eq!(login.op.requests("/token").len(), 2);
}

#[tokio::test]
async fn an_answer_without_a_pending_login_or_of_the_other_protocol_is_refused() {
    let mut login = Login::new().await;
    let code = || UpstreamAnswer::Code { code: "c-1".to_owned(), iss: None };
    let saml =
        Expected::Saml { request_id: "_1".to_owned(), force_login: false, sent_at: after(0) };
    let oidc = login.begin(after(0)).await.unwrap().expected;
    let mismatch = ConnectorError::Rejected(crate::error::Rejection::ProtocolMismatch);

    let unsolicited = login.complete(None, code(), after(0)).await.unwrap_err();
    let expects_saml = login.complete(Some(&saml), code(), after(0)).await.unwrap_err();
    let response = UpstreamAnswer::Saml { response: SamlResponse::new(String::new()) };
    let is_saml = login.complete(Some(&oidc), response, after(0)).await.unwrap_err();

    assert_eq!(unsolicited, Rejection::Unsolicited.into());
    assert_eq!((expects_saml, is_saml), (mismatch.clone(), mismatch));
    assert!(login.op.requests("/token").is_empty());
}

#[tokio::test]
async fn discovery_that_is_a_web_page_a_redirect_or_another_issuers_is_not_used() {
    let failure = async |answer: Answer| {
        let login = Login::new().await;
        login.op.answer("/.well-known/openid-configuration", answer);
        login.begin(after(0)).await.unwrap_err().to_string()
    };

    let page = failure(Answer::text("text/html", "<html>captive portal</html>")).await;
    assert_eq!(
        page,
        "the discovery document cannot be reached: answered with a web page instead of JSON"
    );
    let moved =
        failure(Answer::json(&json!({})).status(302).header("Location: http://127.0.0.1:1/")).await;
    assert_eq!(
        moved,
        "the discovery document cannot be reached: answered with a redirect (302), which is not followed"
    );
    let large = failure(Answer::text("application/json", &" ".repeat(600_000))).await;
    assert_eq!(
        large,
        "the discovery document cannot be reached: the answer is larger than 524288 bytes"
    );
    let login = Login::new().await;
    login.op.discovery(&json!({ "issuer": "https://evil.example" }));
    assert!(matches!(
        login.begin(after(0)).await.unwrap_err(),
        ConnectorError::Rejected(crate::error::Rejection::Oidc(Rejection::Discovery { .. }))
    ));
}

#[tokio::test]
async fn an_issuer_that_is_no_url_is_refused() {
    let login =
        Login::with(|settings| settings.issuer = IssuerRule::Exact("op.example".to_owned())).await;

    let refused = login.begin(after(0)).await.unwrap_err();

    assert!(refused.to_string().contains("the issuer is no URL"), "{refused}");
}

#[tokio::test]
async fn key_sets_that_cannot_be_used_are_refused() {
    for (answer, reason) in [
        (Answer::json(&json!({ "keys": [] })), "no key that signatures can be verified with"),
        (
            Answer::json(&json!({ "keys": [{ "kty": "oct", "k": "AA" }] })),
            "no key that signatures can be verified with",
        ),
        (Answer::json(&json!({})), "the JWK Set is not an object with an array `keys`"),
        (
            Answer::json(&json!({ "keys": vec![json!({}); 101] })),
            "the JWK Set has 101 keys, at most 100 are read",
        ),
    ] {
        let mut login = Login::new().await;
        login.op.answer("/jwks", answer);
        let url = format!("{}/jwks", login.op.issuer());
        let refused = login.refusal(answers()).await;
        assert_eq!(refused, Rejection::KeySet { url, reason: reason.to_owned() });
    }
}
