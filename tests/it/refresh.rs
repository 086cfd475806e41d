//! Refresh tokens, revocation and introspection over HTTP, after real logins.

use chrono::TimeDelta;
use serde_json::{Value, json};
use testkit::scene::{API, CLIENT, Scene, TokenAnswer, claims_of};

/// A scene whose app may refresh.
async fn scene() -> Option<Scene> {
    let scene = Scene::with_login().await?;
    let grants = json!({"grant_types": ["authorization_code", "refresh_token"]});
    scene.app.admin.change(&format!("/clients/{CLIENT}"), &grants).await;
    Some(scene)
}

async fn sign_in(scene: &Scene) -> Value {
    let scope = ("scope", "openid profile email offline_access read:data");
    let url = scene.authorize(&[("connection", "acme-saml"), scope]);
    let landing = scene.browser().open(&url).await;
    let answer = scene.redeem(&scene.code(landing).await).await;
    assert_eq!(answer.status, 200, "{:#}", answer.json);
    answer.json
}

async fn refresh(scene: &Scene, token: &str) -> TokenAnswer {
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    scene.token(Some(scene.credentials()), &form).await
}

async fn post(scene: &Scene, path: &str, token: &str) -> (u16, Value) {
    let (id, secret) = scene.credentials();
    let body =
        url::form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish();
    let request = scene.app.http.post(scene.app.url(path)).basic_auth(id, Some(secret));
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default())
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap_or_else(|| panic!("no {name} in {tokens:#}"))
}

async fn userinfo_status(scene: &Scene, tokens: &Value) -> u16 {
    let request = scene.app.http.get(scene.app.url("/userinfo"));
    let token = text(tokens, "access_token");
    request.bearer_auth(token).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_stays_signed_in_and_a_token_that_is_used_again_ends_it() {
    let Some(scene) = scene().await else { return };
    let first = sign_in(&scene).await;
    assert_eq!(first["scope"], "openid profile email offline_access read:data");

    scene.app.clock.advance(TimeDelta::hours(2));
    assert_eq!(userinfo_status(&scene, &first).await, 401, "the access token has expired");
    let second = refresh(&scene, text(&first, "refresh_token")).await;
    assert_eq!(second.status, 200, "{:#}", second.json);
    assert_eq!(second.cache_control, "no-store");
    let (old, new) =
        (claims_of(text(&first, "id_token")), claims_of(text(&second.json, "id_token")));
    assert_eq!((&old["sub"], &old["auth_time"]), (&new["sub"], &new["auth_time"]));
    assert!(new.get("nonce").is_none(), "{new:#}");
    assert_eq!(claims_of(text(&second.json, "access_token"))["aud"], API);
    assert_eq!(userinfo_status(&scene, &second.json).await, 200);

    let repeated = refresh(&scene, text(&first, "refresh_token")).await;
    assert_eq!(text(&repeated.json, "refresh_token"), text(&second.json, "refresh_token"));
    scene.app.clock.advance(TimeDelta::seconds(10));
    let reused = refresh(&scene, text(&first, "refresh_token")).await;
    assert_eq!((reused.status.as_u16(), &reused.json["error"]), (400, &json!("invalid_grant")));
    let dead = refresh(&scene, text(&second.json, "refresh_token")).await;
    assert_eq!((dead.status.as_u16(), &dead.json["error"]), (400, &json!("invalid_grant")));
    assert_eq!(userinfo_status(&scene, &second.json).await, 401);

    let logs = scene.app.admin.get("/logs?limit=1").await.json;
    assert_eq!(logs["items"][0]["after"]["code"], "refresh_token_reused", "{logs:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_refreshes_at_once_end_with_one_successor() {
    let Some(scene) = scene().await else { return };
    let tokens = sign_in(&scene).await;
    let (id, secret) = scene.credentials();
    let body = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "refresh_token")
        .append_pair("refresh_token", text(&tokens, "refresh_token"))
        .finish();

    let mut running = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let request = scene.app.http.post(scene.app.url("/oauth/token"));
        let request = request.basic_auth(id, Some(secret));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        running.spawn(request.body(body.clone()).send());
    }
    let mut successors = Vec::new();
    while let Some(answer) = running.join_next().await {
        let answer = answer.unwrap().unwrap();
        let status = answer.status().as_u16();
        let json: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        match status {
            200 => successors.push(text(&json, "refresh_token").to_owned()),
            400 => assert_eq!(json["error"], "invalid_grant"),
            other => panic!("{other}: {json:#}"),
        }
    }

    assert_eq!(successors.len(), 4, "the rotation, and three in its grace");
    successors.dedup();
    assert_eq!(successors.len(), 1);
    assert_eq!(refresh(&scene, &successors[0]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_comes_again_takes_the_refresh_token_back() {
    let Some(scene) = scene().await else { return };
    let scope = ("scope", "openid offline_access");
    let url = scene.authorize(&[("connection", "acme-saml"), scope]);
    let code = scene.code(scene.browser().open(&url).await).await;
    let tokens = scene.redeem(&code).await.json;

    assert_eq!(scene.redeem(&code).await.status, 400);

    let refused = refresh(&scene, text(&tokens, "refresh_token")).await;
    assert_eq!((refused.status.as_u16(), &refused.json["error"]), (400, &json!("invalid_grant")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_gives_its_tokens_back_and_asks_about_them() {
    let Some(scene) = scene().await else { return };
    let tokens = sign_in(&scene).await;
    let (access, token) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));

    let (status, about) = post(&scene, "/oauth/introspect", access).await;
    assert_eq!((status, &about["active"], &about["aud"]), (200, &json!(true), &json!(API)));
    assert_eq!(about["sub"], claims_of(access)["sub"]);
    assert_eq!(post(&scene, "/oauth/introspect", token).await.1["active"], true);

    assert_eq!(post(&scene, "/oauth/revoke", token).await.0, 200);

    for dead in [access, token] {
        let answer = post(&scene, "/oauth/introspect", dead).await;
        assert_eq!(answer, (200, json!({"active": false})));
    }
    assert_eq!(refresh(&scene, token).await.status, 400);
    assert_eq!(userinfo_status(&scene, &tokens).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_user_refreshes_nothing() {
    let Some(scene) = scene().await else { return };
    let tokens = sign_in(&scene).await;
    let sub = claims_of(text(&tokens, "id_token"))["sub"].as_str().unwrap().to_owned();

    scene.app.admin.change(&format!("/users/{sub}"), &json!({"blocked": true})).await;

    let refused = refresh(&scene, text(&tokens, "refresh_token")).await;
    assert_eq!((refused.status.as_u16(), &refused.json["error"]), (400, &json!("invalid_grant")));
}
