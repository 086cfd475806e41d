use super::*;

#[tokio::test]
async fn a_login_from_request_to_verified_assertion() {
    let mut login = Login::new().await;

    let assertion = login.run(answers()).await.unwrap();

    assert_eq!(assertion.issuer(), login.op.issuer());
    assert_eq!(assertion.subject().account_key(), "u-1");
    assert_eq!(assertion.attributes()["email"], [json!("alice@acme.example")]);
    let codes: Vec<(&str, Outcome)> =
        login.trace.iter().map(|check| (check.code.as_str(), check.outcome)).collect();
    assert_eq!(codes[0], ("oidc_response_issuer", Outcome::Skipped));
    assert!(codes[1..].iter().all(|(_, outcome)| *outcome == Outcome::Passed));
}

#[tokio::test]
async fn the_trace_of_a_login_does_not_show_who_it_was_or_what_was_secret() {
    let mut login = Login::new().await;
    login.run(answers()).await.unwrap();

    let trace = format!("{:?}", login.trace);

    let token_request = &login.op.requests("/token")[0];
    let verifier = token_request.split("code_verifier=").nth(1).unwrap();
    for secret in ["alice", "u-1", "at-1", "c-1", "s3cr", verifier] {
        assert!(!trace.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn the_code_is_redeemed_with_its_verifier_and_encoded_basic_credentials() {
    let mut login = Login::with(|settings| settings.client_id = "our client".to_owned()).await;
    let ours = Answers { claims: json!({ "aud": "our client" }), ..answers() };

    login.run(ours).await.unwrap();

    let request = &login.op.requests("/token")[0];
    // base64 of "our+client:s3cr%2Bt"
    assert!(request.contains("authorization: Basic b3VyK2NsaWVudDpzM2NyJTJCdA==\r\n"), "{request}");
    let body = request.split_once("\r\n\r\n").unwrap().1;
    let form: BTreeMap<String, String> =
        url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    assert_eq!(
        form.keys().collect::<Vec<_>>(),
        ["code", "code_verifier", "grant_type", "redirect_uri"]
    );
    assert_eq!((form["code"].as_str(), form["grant_type"].as_str()), ("c-1", "authorization_code"));
    assert_eq!(
        (form["redirect_uri"].as_str(), form["code_verifier"].len()),
        (callback().as_str(), 43)
    );
}

#[tokio::test]
async fn the_client_authenticates_as_configured_or_as_the_provider_announces() {
    let sent = async |method: Option<&str>, secret: bool, announced: &[&str]| {
        let mut login = Login::with(|settings| {
            settings.token_endpoint_auth_method = method.map(str::to_owned);
            settings.client_secret = settings.client_secret.take().filter(|_| secret);
        })
        .await;
        login.op.discovery(&json!({ "token_endpoint_auth_methods_supported": announced }));
        login.run(answers()).await.map(|_| {
            let request = login.op.requests("/token")[0].clone();
            let has = |text: &str| request.contains(text);
            (has("authorization: Basic"), has("client_secret=s3cr%2Bt"), has("client_id=broker"))
        })
    };
    let (basic, post, public) = ((true, false, false), (false, true, true), (false, false, true));

    assert_eq!(sent(None, true, &["client_secret_post", "client_secret_basic"]).await, Ok(basic));
    assert_eq!(sent(None, true, &["private_key_jwt", "client_secret_post"]).await, Ok(post));
    assert_eq!(sent(None, false, &["client_secret_basic"]).await, Ok(public));
    assert_eq!(sent(Some("client_secret_post"), true, &["client_secret_basic"]).await, Ok(post));
    assert_eq!(sent(Some("client_secret_basic"), true, &["client_secret_post"]).await, Ok(basic));
    assert_eq!(sent(Some("none"), true, &["client_secret_basic"]).await, Ok(public));
    for (method, secret) in
        [(None, true), (Some("private_key_jwt"), true), (Some("client_secret_basic"), false)]
    {
        let refused = sent(method, secret, &["private_key_jwt"]).await.unwrap_err();
        assert!(
            refused.to_string().contains("oidc_client_authentication_unsupported"),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn an_issuer_with_a_slash_at_its_end_is_found_and_kept() {
    let mut login = Login::with(|settings| {
        let IssuerRule::Exact(issuer) = &mut settings.issuer else { return };
        issuer.push('/');
    })
    .await;
    let issuer = format!("{}/", login.op.issuer());
    login.op.discovery(&json!({ "issuer": issuer }));

    let assertion =
        login.run(Answers { claims: json!({ "iss": issuer }), ..answers() }).await.unwrap();

    assert_eq!(assertion.issuer(), issuer);
}

#[tokio::test]
async fn claims_that_only_userinfo_has_are_added() {
    let mut login = Login::new().await;
    login.op.discovery(&json!({ "userinfo_endpoint": format!("{}/userinfo", login.op.issuer()) }));
    let userinfo = json!({ "sub": "u-1", "groups": ["eng"], "email": "mallory@evil.example" });
    login.op.answer("/userinfo", Answer::json(&userinfo));

    let assertion = login.run(answers()).await.unwrap();

    assert_eq!(assertion.attributes()["groups"], [json!("eng")]);
    assert_eq!(assertion.attributes()["email"], [json!("alice@acme.example")]);
    assert!(login.op.requests("/userinfo")[0].contains("authorization: Bearer at-1\r\n"));
}

#[tokio::test]
async fn a_failing_userinfo_ends_the_login_only_where_its_claims_are_needed() {
    let outcome = async |answer: Answer, scopes: &[&str]| {
        let mut login = Login::with(|settings| {
            settings.scopes = scopes.iter().copied().map(str::to_owned).collect()
        })
        .await;
        login
            .op
            .discovery(&json!({ "userinfo_endpoint": format!("{}/userinfo", login.op.issuer()) }));
        login.op.answer("/userinfo", answer);
        let outcome = login.run(answers()).await.map(drop);
        (outcome, login.trace.last().map(|check| check.outcome))
    };
    let signed = || Answer::text("application/jwt", "e30.e30.");
    let invalid = |reason| Rejection::Userinfo { reason };

    for answer in [
        signed(),
        Answer::json(&json!([])),
        Answer::json(&json!({})),
        Answer::json(&json!({})).status(401),
    ] {
        assert_eq!(outcome(answer, &["email"]).await, (Ok(()), Some(Outcome::Skipped)));
    }
    let needed = outcome(signed(), &["email", "profile"]).await.0;
    assert_eq!(needed, Err(invalid("the content type is not JSON").into()));
    let needed = outcome(Answer::json(&json!({})).status(401), &["profile"]).await.0;
    assert_eq!(needed, Err(invalid("the status is not 200").into()));
    let needed = outcome(Answer::json(&json!([])), &["profile"]).await.0;
    assert_eq!(needed, Err(invalid("not a well-formed JSON object").into()));
    let needed = outcome(Answer::json(&json!({ "name": "A" })), &["profile"]).await.0;
    assert_eq!(needed, Err(invalid("sub is missing").into()));
    for other in [json!({ "sub": "u-2" }), json!({ "sub": ["u-1"] })] {
        let refused = outcome(Answer::json(&other), &["email"]).await;
        assert_eq!(refused, (Err(Rejection::UserinfoSubject.into()), Some(Outcome::Failed)));
    }
}

#[tokio::test]
async fn entra_signs_in_users_of_a_listed_tenant_and_is_not_asked_for_userinfo() {
    let mut login = Login::with(|settings| {
        let IssuerRule::Exact(authority) = settings.issuer.clone() else { return };
        settings.issuer = IssuerRule::EntraTenants {
            authority,
            tenant_or_common: "organizations".to_owned(),
            allowed: vec!["t-1".to_owned()],
        };
    })
    .await;
    let authority = login.op.issuer().to_owned();
    let document = json!({
        "issuer": format!("{authority}/{{tenantid}}/v2.0"), "authorization_endpoint": format!("{authority}/authorize"),
        "token_endpoint": format!("{authority}/token"), "jwks_uri": format!("{authority}/jwks"),
        "userinfo_endpoint": format!("{authority}/userinfo"), "response_types_supported": ["code"],
        "id_token_signing_alg_values_supported": ["ES256"]
    });
    login
        .op
        .answer("/organizations/v2.0/.well-known/openid-configuration", Answer::json(&document));
    let of =
        |tid: &str| json!({ "iss": format!("{authority}/{tid}/v2.0"), "tid": tid, "oid": "o-1" });

    let assertion = login.run(Answers { claims: of("t-1"), ..answers() }).await.unwrap();
    let stranger = login.refusal(Answers { claims: of("t-2"), ..answers() }).await;
    let beside = |tid: &str| Answers {
        iss: Some(format!("{authority}/{tid}/v2.0")),
        claims: of("t-1"),
        ..answers()
    };
    assert!(login.run(beside("t-1")).await.is_ok());
    assert!(matches!(login.refusal(beside("t-2")).await, Rejection::ResponseIssuer { .. }));
    assert!(matches!(login.refusal(beside("{tenantid}")).await, Rejection::ResponseIssuer { .. }));

    assert_eq!(assertion.subject().account_key(), "t-1:o-1");
    assert_eq!(assertion.upstream_email_verified(), Some(false));
    assert_eq!(
        stranger,
        Rejection::Tenant { expected: vec!["t-1".to_owned()], received: "t-2".to_owned() }
    );
    assert!(login.op.requests("/userinfo").is_empty());
}
