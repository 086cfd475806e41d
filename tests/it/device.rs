//! A device without a browser: its user signs in on another one (RFC 8628).

use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::browser::Landing;
use testkit::scene::{API, Scene, USER, claims_of};
use url::form_urlencoded::Serializer;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A scene with an app on a television; gives its `client_id`.
async fn scene() -> Option<(Scene, String)> {
    let scene = Scene::with_login().await?;
    let app = json!({"client_name": "Acme on TV", "first_party": false, "organization": "acme",
        "grant_types": [GRANT], "token_endpoint_auth_method": "none"});
    let app = scene.app.admin.create("/clients", &app).await;
    let id = app["client_id"].as_str().unwrap().to_owned();
    scene.grant(&id, &["read:data"]).await;
    Some((scene, id))
}

async fn codes(scene: &Scene, client: &str) -> Value {
    let fields = [("client_id", client), ("scope", "openid email read:data"), ("audience", API)];
    let body = Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = scene.app.http.post(scene.app.url("/oauth/device/code")).body(body);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

async fn poll(scene: &Scene, client: &str, codes: &Value) -> (StatusCode, Value) {
    let code = codes["device_code"].as_str().unwrap();
    let fields = [("grant_type", GRANT), ("client_id", client), ("device_code", code)];
    let answer = scene.token(None, &fields).await;
    (answer.status, answer.json)
}

/// From the code to the question, in a browser; the device shows `codes`.
async fn question(
    scene: &Scene,
    codes: &Value,
) -> (testkit::browser::Browser, testkit::html::Form) {
    let mut browser = scene.browser();
    let page = browser.open(codes["verification_uri_complete"].as_str().unwrap()).await.page();
    let landing = browser.submit(page.form().unwrap()).await;
    let login = landing.page();
    assert!(login.text().contains("Acme on TV"), "{}", scene.explain(&login).await);
    let landing = browser.submit(login.form().unwrap().with("email", USER)).await;
    let page = landing.page();
    assert_eq!(page.status, 200, "{}", scene.explain(&page).await);
    for words in [codes["user_code"].as_str().unwrap(), "Acme on TV", "The API", USER] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    (browser, page.form().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_user_signs_in_elsewhere_and_the_device_gets_its_tokens() {
    let Some((scene, client)) = scene().await else { return };
    let codes = codes(&scene, &client).await;
    let (status, told) = poll(&scene, &client, &codes).await;
    assert_eq!((status.as_u16(), &told["error"]), (400, &json!("authorization_pending")));

    let (mut browser, form) = question(&scene, &codes).await;
    let end = browser.submit(form.press("decision", "allow")).await;
    let Landing::Page(page) = end else { panic!("left us: {end:?}") };
    assert_eq!(page.status, 200);
    assert!(page.text().contains("Your device is signed in"), "{}", page.text());

    let (status, tokens) = poll(&scene, &client, &codes).await;
    assert_eq!(status, 200, "{tokens:#}");
    let claims = claims_of(tokens["access_token"].as_str().unwrap());
    assert_eq!((&claims["aud"], &claims["client_id"]), (&json!(API), &json!(client)));
    let info = scene.userinfo(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(info["email"], USER);
    let (status, told) = poll(&scene, &client, &codes).await;
    assert_eq!((status.as_u16(), &told["error"]), (400, &json!("invalid_grant")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_ends_it() {
    let Some((scene, client)) = scene().await else { return };
    let codes = codes(&scene, &client).await;

    let (mut browser, form) = question(&scene, &codes).await;
    let page = browser.submit(form.press("decision", "deny")).await.page();

    assert!(page.text().contains("was not signed in"), "{}", page.text());
    let (status, told) = poll(&scene, &client, &codes).await;
    assert_eq!((status.as_u16(), &told["error"]), (400, &json!("access_denied")));
    // and the code leads nowhere any more
    let again = scene.browser().open(codes["verification_uri_complete"].as_str().unwrap()).await;
    let mut other = scene.browser();
    let page = other.open(codes["verification_uri"].as_str().unwrap()).await.page();
    let code = codes["user_code"].as_str().unwrap();
    let page = other.submit(page.form().unwrap().with("user_code", code)).await.page();
    assert_eq!((page.status.as_u16(), again.page().status.as_u16()), (400, 200));
}

/// The login's own rule for third-party apps holds: another customer's connection does not exist for them.
#[tokio::test(flavor = "multi_thread")]
async fn a_customers_app_signs_in_its_own_users_only() {
    let Some((scene, _)) = scene().await else { return };
    let admin = &scene.app.admin;
    admin.create("/organizations", &json!({"name": "globex", "display_name": "Globex"})).await;
    let app = json!({"client_name": "Globex on TV", "first_party": false, "organization": "globex",
        "grant_types": [GRANT], "token_endpoint_auth_method": "none"});
    let app = admin.create("/clients", &app).await;
    let client = app["client_id"].as_str().unwrap();
    scene.grant(client, &["read:data"]).await;
    let codes = codes(&scene, client).await;
    let mut browser = scene.browser();

    let page = browser.open(codes["verification_uri_complete"].as_str().unwrap()).await.page();
    let login = browser.submit(page.form().unwrap()).await.page();
    let page = browser.submit(login.form().unwrap().with("email", USER)).await.page();

    assert_eq!(page.status, 200);
    assert!(page.text().contains("We do not know a company sign-in"), "{}", page.text());
}
