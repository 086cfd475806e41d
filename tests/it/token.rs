//! The authorization and token endpoints over HTTP, after real logins.

use chrono::TimeDelta;
use serde_json::{Value, json};
use testkit::browser::Landing;
use testkit::jose;
use testkit::scene::{API, CLIENT, REDIRECT_URI, Scene, VERIFIER, claims_of};

async fn code(scene: &Scene) -> String {
    let landing = scene.start(&mut scene.browser(), "acme-saml").await;
    scene.code(landing).await
}

fn exchange<'a>(code: &'a str, changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    form.retain(|(name, _)| !changes.iter().any(|(n, _)| n == name));
    form.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
    form
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_buys_tokens_once_and_a_second_try_takes_them_back() {
    let Some(scene) = Scene::with_login().await else { return };
    let code = code(&scene).await;

    let first = scene.redeem(&code).await;
    let second = scene.redeem(&code).await;

    assert_eq!(first.status, 200, "{:#}", first.json);
    assert_eq!((second.status.as_u16(), &second.json["error"]), (400, &json!("invalid_grant")));
    let token = first.json["access_token"].as_str().unwrap();
    let info = scene.app.http.get(scene.app.url("/userinfo"));
    let info = info.header("authorization", format!("Bearer {token}")).send().await.unwrap();
    assert_eq!(info.status(), 401, "the token's family is revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_at_once_with_one_code_have_one_winner() {
    let Some(scene) = Scene::with_login().await else { return };
    let code = code(&scene).await;

    let answers = redeem_at_once(&scene, &code, 50).await;

    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|status| *status == 200 || *status == 400), "{answers:?}");
}

async fn redeem_at_once(scene: &Scene, code: &str, times: usize) -> Vec<u16> {
    let (id, secret) = scene.credentials();
    let request = |client: reqwest::Client| {
        let form = exchange(code, &[]);
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        client
            .post(scene.app.url("/oauth/token"))
            .basic_auth(id, Some(secret))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
    };
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..times {
        running.spawn(request(scene.app.http.clone()).send());
    }
    let mut statuses = Vec::new();
    while let Some(answer) = running.join_next().await {
        statuses.push(answer.unwrap().unwrap().status().as_u16());
    }
    statuses
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_leaves_the_code_unspent() {
    let Some(scene) = Scene::with_login().await else { return };
    let code = code(&scene).await;
    let credentials = Some(scene.credentials());
    let other = scene
        .app
        .admin
        .create(
            "/clients",
            &json!({"client_name": "Other", "first_party": true, "redirect_uris": [REDIRECT_URI]}),
        )
        .await;
    let other = (other["client_id"].as_str().unwrap(), other["client_secret"].as_str().unwrap());
    let wrong_verifier = "x".repeat(43);

    for (who, changes, error) in [
        (credentials, vec![("code_verifier", wrong_verifier.as_str())], "invalid_grant"),
        (credentials, vec![("code_verifier", "")], "invalid_request"),
        (credentials, vec![("redirect_uri", "https://portal.example/other")], "invalid_grant"),
        (Some(other), vec![], "invalid_grant"),
    ] {
        let answer = scene.token(who, &exchange(&code, &changes)).await;

        assert_eq!(answer.status, 400, "{changes:?} {:#}", answer.json);
        assert_eq!(answer.json["error"], error, "{changes:?} {:#}", answer.json);
        assert_eq!(answer.cache_control, "no-store");
    }
    assert_eq!(scene.redeem(&code).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_lives_a_minute() {
    let Some(scene) = Scene::with_login().await else { return };
    let (early, late) = (code(&scene).await, code(&scene).await);

    scene.app.clock.advance(TimeDelta::seconds(50));
    assert_eq!(scene.redeem(&early).await.status, 200);
    scene.app.clock.advance(TimeDelta::seconds(15));
    let expired = scene.redeem(&late).await;

    assert_eq!((expired.status.as_u16(), &expired.json["error"]), (400, &json!("invalid_grant")));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_a_client_is_must_be_proven_in_its_one_way() {
    let scene = Scene::set().await;
    let (id, secret) = scene.credentials();
    let form = exchange("code", &[]);

    for (basic, more) in [
        (Some((id, "wrong")), vec![]),
        (Some(("nobody", secret)), vec![]),
        (None, vec![("client_id", id)]),
        (None, vec![("client_id", id), ("client_secret", secret)]),
        (None, vec![]),
    ] {
        let form: Vec<_> = form.iter().copied().chain(more.iter().copied()).collect();
        let answer = scene.token(basic, &form).await;

        assert_eq!(answer.status, 401, "{basic:?} {more:?} {:#}", answer.json);
        assert_eq!(answer.json["error"], "invalid_client");
        if basic.is_some() {
            assert!(answer.authenticate.starts_with("Basic"), "{}", answer.authenticate);
        }
    }
    let twice: Vec<_> =
        form.iter().copied().chain([("client_id", id), ("client_secret", secret)]).collect();
    let answer = scene.token(Some((id, secret)), &twice).await;
    assert!(matches!(answer.status.as_u16(), 400 | 401), "{:#}", answer.json);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_gets_a_token_of_its_own() {
    let scene = Scene::set().await;
    let admin = &scene.app.admin;
    let machine = json!({"client_name": "Nightly job", "first_party": true, "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "client_secret_post"});
    let machine = admin.create("/clients", &machine).await;
    let (id, secret) =
        (machine["client_id"].as_str().unwrap(), machine["client_secret"].as_str().unwrap());
    let grant = json!({"client_id": id, "audience": API, "scopes": ["write:data"], "subject_type": "client"});
    admin.create("/client-grants", &grant).await;
    let ask = |more: &[(&'static str, &'static str)]| {
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_secret", secret),
        ];
        form.extend(more);
        form
    };

    let answer = scene.token(None, &ask(&[("audience", API)])).await;

    assert_eq!(answer.status, 200, "{:#}", answer.json);
    assert_eq!(answer.json["scope"], "write:data");
    assert_eq!(answer.json["expires_in"], 3600);
    assert!(answer.json.get("id_token").is_none() && answer.json.get("refresh_token").is_none());
    let keys = jose::jwks(&scene.app.http, &scene.app.issuer).await;
    let token = answer.json["access_token"].as_str().unwrap();
    let read = jose::verify(&keys, token, &scene.app.issuer, API).unwrap();
    assert_eq!(read.claims["sub"], format!("client|{id}"));
    for (more, error) in [
        ([("audience", API), ("scope", "read:data")], "invalid_scope"),
        ([("audience", "https://other.example"), ("scope", "write:data")], "invalid_target"),
    ] {
        let refused = scene.token(None, &ask(&more)).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.json["error"]),
            (400, &json!(error)),
            "{more:?}"
        );
    }
    let refused = scene
        .token(None, &[("grant_type", "password"), ("client_id", id), ("client_secret", secret)])
        .await;
    assert_eq!(refused.json["error"], "unsupported_grant_type", "{:#}", refused.json);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_client_needs_its_verifier_only() {
    let Some(scene) = Scene::with_login().await else { return };
    let public = json!({"client_id": "cli", "client_name": "Command line", "first_party": true,
        "redirect_uris": ["http://127.0.0.1/cb"], "token_endpoint_auth_method": "none"});
    let made = scene.app.admin.create("/clients", &public).await;
    assert!(made.get("client_secret").is_none(), "{made:#}");
    scene.grant("cli", &["read:data"]).await;
    // RFC 8252 §7.3: a native app takes the port that it gets
    let callback = "http://127.0.0.1:51004/cb";
    let changes = [("client_id", "cli"), ("redirect_uri", callback), ("connection", "acme-saml")];

    let landing = testkit::browser::Browser::new(callback).open(&scene.authorize(&changes)).await;
    let code = scene.code(landing).await;
    let form = exchange(&code, &[("redirect_uri", callback), ("client_id", "cli")]);
    let answer = scene.token(None, &form).await;

    assert_eq!(answer.status, 200, "{:#}", answer.json);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_by_form_post_is_a_page_that_sends_itself() {
    let Some(scene) = Scene::with_login().await else { return };
    let mut browser = scene.browser();

    let landing = browser
        .open(&scene.authorize(&[("connection", "acme-saml"), ("response_mode", "form_post")]))
        .await;
    let last = browser.steps.last().unwrap().clone();
    scene.tokens(landing).await;

    assert_eq!((last.url.path(), last.status.as_u16()), ("/login/continue", 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_may_be_posted() {
    let Some(scene) = Scene::with_login().await else { return };
    let url = url::Url::parse(&scene.authorize(&[("connection", "acme-saml")])).unwrap();
    let mut browser = scene.browser();
    let form = testkit::html::Form {
        page: url::Url::parse("https://portal.example/").unwrap(),
        action: url::Url::parse(&scene.app.url("/authorize")).unwrap(),
        is_get: false,
        fields: url.query_pairs().into_owned().collect(),
        buttons: Vec::new(),
    };

    let landing = browser.submit(form).await;

    scene.tokens(landing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_api_the_token_is_for_userinfo_only() {
    let Some(scene) = Scene::with_login().await else { return };
    let api = "/resource-servers/https%3A%2F%2Fapi.example";
    scene.app.admin.change(api, &json!({"default": false})).await;

    let changes = [("connection", "acme-saml"), ("scope", "openid email")];
    let landing = scene.browser().open(&scene.authorize(&changes)).await;
    let answer = scene.redeem(&scene.code(landing).await).await;

    let token = answer.json["access_token"].as_str().unwrap();
    assert_eq!(claims_of(token)["aud"], scene.app.issuer);
    assert_eq!(answer.json["scope"], "openid email");
    let info = scene.userinfo(token).await;
    assert_eq!(info["email"], "alice@customer.example");
    assert!(info.get("name").is_none(), "the profile was not asked for: {info:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_go_back_to_the_app_once_it_is_known() {
    let scene = Scene::set().await;
    for (changes, error) in [
        (vec![("response_type", "token")], "unsupported_response_type"),
        (vec![("code_challenge", "")], "invalid_request"),
        (vec![("code_challenge_method", "plain")], "invalid_request"),
        (vec![("scope", "openid write:data")], "invalid_scope"),
        (vec![("audience", "https://other.example")], "invalid_target"),
        (vec![("prompt", "none")], "login_required"),
        (vec![("prompt", "none login")], "invalid_request"),
        (vec![("request", "eyJ")], "request_not_supported"),
        (vec![("max_age", "soon")], "invalid_request"),
    ] {
        let landing = scene.browser().open(&scene.authorize(&changes)).await;

        assert_eq!(scene.error(landing).await, error, "{changes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_client_or_address_never_redirects() {
    let scene = Scene::set().await;
    for changes in [
        vec![("client_id", "nobody")],
        vec![("client_id", "")],
        vec![("redirect_uri", "https://evil.example/cb")],
        vec![("redirect_uri", "https://portal.example/cb/../evil")],
        vec![("redirect_uri", "https://portal.example/cb?more=1")],
        vec![("redirect_uri", "https://portal.example:443/cb")],
        vec![("redirect_uri", "HTTPS://portal.example/cb")],
        vec![("redirect_uri", "javascript:alert(1)")],
        vec![("redirect_uri", "")],
    ] {
        let page = scene.browser().get(&scene.authorize(&changes)).await;

        assert_eq!(page.status, 400, "{changes:?} {}", page.text());
        assert_eq!(page.header("location"), "");
        assert!(page.reference().is_some(), "{changes:?}");
        assert!(page.links().iter().all(|link| !link.contains("evil")), "{:?}", page.links());
    }
    let twice = format!("{}&redirect_uri=https%3A%2F%2Fportal.example%2Fcb", scene.authorize(&[]));
    assert_eq!(scene.browser().get(&twice).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_is_switched_off_gets_nothing() {
    let Some(scene) = Scene::with_login().await else { return };
    let code = code(&scene).await;
    scene.app.admin.change(&format!("/clients/{CLIENT}"), &json!({"enabled": false})).await;

    let redeemed = scene.redeem(&code).await;
    let page = scene.browser().get(&scene.authorize(&[])).await;

    assert_eq!(redeemed.status.as_u16() / 100, 4, "{:#}", redeemed.json);
    assert!(matches!(page.status.as_u16(), 400 | 403), "{}", page.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_list_what_works_and_tokens_of_others_are_nothing_to_userinfo() {
    let Some(scene) = Scene::with_login().await else { return };
    let text = scene.fetch(&scene.app.url("/.well-known/openid-configuration")).await;
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["issuer"], scene.app.issuer);
    assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(document["response_types_supported"], json!(["code"]));
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    for endpoint in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"] {
        assert!(document[endpoint].as_str().unwrap().starts_with(&scene.app.issuer), "{endpoint}");
    }
    scene.fetch(&scene.app.url("/.well-known/oauth-authorization-server")).await;
    let keys = scene.fetch(&scene.app.url("/.well-known/jwks.json")).await;
    assert!(!keys.contains("\"d\"") && !keys.contains("\"p\""), "only public parts");

    let landing = scene.start(&mut scene.browser(), "acme-saml").await;
    let Landing::Client(_) = &landing else { panic!("{}", scene.explain(&landing.page()).await) };
    let answer = scene.redeem(&scene.code(landing).await).await;
    let id_token = answer.json["id_token"].as_str().unwrap();
    for token in [id_token, "nonsense", ""] {
        let request = scene.app.http.get(scene.app.url("/userinfo"));
        let response =
            request.header("authorization", format!("Bearer {token}")).send().await.unwrap();
        assert_eq!(response.status().as_u16() / 100, 4);
        assert!(response.headers().contains_key("www-authenticate"));
    }
}
