//! One sign-in for several apps, and its end: silent logins, `prompt`, logout with a client that listens, sessions.

use serde_json::json;
use testkit::browser::{Browser, Landing};
use testkit::jose;
use testkit::scene::{CLIENT, Scene};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const DESK: &str = "desk";
const DESK_URI: &str = "https://desk.example/cb";
const BYE: &str = "https://portal.example/bye";

/// Two apps of ours; the portal knows where to go after a logout.
async fn scene() -> Option<Scene> {
    let scene = Scene::with_login().await?;
    let desk = json!({"client_id": DESK, "client_name": "Desk", "first_party": true, "redirect_uris": [DESK_URI]});
    scene.app.admin.create("/clients", &desk).await;
    scene.grant(DESK, &["read:data"]).await;
    let bye = json!({"post_logout_redirect_uris": [BYE]});
    scene.app.admin.change(&format!("/clients/{CLIENT}"), &bye).await;
    Some(scene)
}

/// A browser that stops at both apps.
fn browser() -> Browser {
    Browser::new("https://")
}

/// Signs in at the portal: its ID token and what that says.
async fn sign_in(scene: &Scene, browser: &mut Browser) -> (String, serde_json::Value) {
    let landing = scene.start(browser, "acme-saml").await;
    let code = scene.code(landing).await;
    let answer = scene.redeem(&code).await;
    assert_eq!(answer.status, 200, "{:#}", answer.json);
    let token = answer.json["id_token"].as_str().unwrap().to_owned();
    let claims = testkit::scene::claims_of(&token);
    (token, claims)
}

fn at_desk(scene: &Scene, more: &[(&str, &str)]) -> String {
    let desk = [("client_id", DESK), ("redirect_uri", DESK_URI)];
    scene.authorize(&[&desk[..], more].concat())
}

/// Whether the browser went anywhere but to us.
fn left_us(scene: &Scene, browser: &Browser) -> bool {
    browser.steps.iter().any(|step| !step.url.as_str().starts_with(&scene.app.issuer))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_app_needs_no_second_sign_in() {
    let Some(scene) = scene().await else { return };
    let mut browser = browser();
    let landing = browser.open(&at_desk(&scene, &[("prompt", "none")])).await;
    assert_eq!(scene.error(landing).await, "login_required");
    let (_, claims) = sign_in(&scene, &mut browser).await;
    assert!(claims["sid"].as_str().unwrap().starts_with("ses_"), "{claims:#}");
    assert!(claims["auth_time"].is_i64(), "{claims:#}");

    for more in [&[][..], &[("prompt", "none")], &[("login_hint", "alice@customer.example")]] {
        browser.steps.clear();
        let landing = browser.open(&at_desk(&scene, more)).await;

        scene.code(landing).await;
        assert!(!left_us(&scene, &browser), "{:#?}", browser.steps);
    }
    browser.steps.clear();
    let landing =
        browser.open(&at_desk(&scene, &[("prompt", "login"), ("connection", "acme-saml")])).await;
    scene.code(landing).await;
    assert!(left_us(&scene, &browser), "prompt=login asks the identity provider");
    let other = [("prompt", "none"), ("login_hint", "bob@customer.example")];
    let landing = browser.open(&at_desk(&scene, &other)).await;
    assert_eq!(scene.error(landing).await, "login_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_token_names_who_must_come_back() {
    let Some(scene) = scene().await else { return };
    let mut first = browser();
    let (token, _) = sign_in(&scene, &mut first).await;
    let hinted = [("id_token_hint", &*token), ("prompt", "none")];

    let landing = first.open(&scene.authorize(&hinted)).await;
    scene.code(landing).await;
    let landing = first.open(&at_desk(&scene, &hinted)).await;
    assert_eq!(scene.error(landing).await, "invalid_request", "it is another app's");
    // another subject at the identity provider is another user
    let users = scene.app.admin.get("/users").await.json;
    let user = &users["items"][0];
    let path = format!("/users/{}", user["id"].as_str().unwrap());
    let mut other = user["identities"][0].clone();
    other["subject"] = json!("somebody else");
    scene.app.admin.change(&path, &json!({"identities": [other]})).await;
    let hinted = [("id_token_hint", &*token), ("connection", "acme-saml")];
    let landing = first.open(&scene.authorize(&hinted)).await;
    assert_eq!(scene.error(landing).await, "login_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_user_chooses_the_account_where_the_app_asks_for_it() {
    let Some(scene) = scene().await else { return };
    let mut browser = browser();
    sign_in(&scene, &mut browser).await;
    browser.steps.clear();
    let choice = at_desk(&scene, &[("prompt", "select_account")]);

    let page = browser.open(&choice).await.page();
    assert!(page.text().contains("Choose an account"), "{}", page.text());
    let landing = browser.submit(page.form().unwrap().press("account", "current")).await;
    scene.code(landing).await;
    assert!(!left_us(&scene, &browser));
    let page = browser.open(&choice).await.page();
    let page = browser.submit(page.form().unwrap().press("account", "other")).await.page();
    assert!(page.text().contains("Work e-mail address"), "{}", page.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_that_open_first_both_get_in() {
    let Some(scene) = scene().await else { return };
    let url = scene.authorize(&[("connection", "acme-saml")]);
    let mut browser = browser();
    let mut other = browser.clone();

    let one = browser.open_to_form(&url).await;
    let two = other.open_to_form(&url).await;
    // the browser keeps both tabs' cookies, and of the shared one the later
    browser.take_cookies(&other);
    for page in [one, two] {
        let landing = browser.go_on(page).await;
        scene.code(landing).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_ends_the_session_and_tells_the_client_that_listens() {
    let Some(scene) = scene().await else { return };
    let (address, mut told) = listen().await;
    let listens = json!({"backchannel_logout_uri": format!("http://{address}/logout")});
    scene.app.admin.change(&format!("/clients/{DESK}"), &listens).await;
    let mut browser = browser();
    let (token, claims) = sign_in(&scene, &mut browser).await;
    scene.code(browser.open(&at_desk(&scene, &[])).await).await;
    let logout = format!(
        "{}?id_token_hint={token}&post_logout_redirect_uri={BYE}&state=s1",
        scene.app.url("/oidc/logout")
    );

    let landing = browser.open(&logout).await;

    let Landing::Client(parameters) = landing else { panic!("{:?}", landing.page().text()) };
    assert_eq!(parameters, [("state".to_owned(), "s1".to_owned())]);
    let body = told.recv().await.unwrap();
    let keys = jose::jwks(&scene.app.http, &scene.app.issuer).await;
    let logout_token = body.rsplit_once("logout_token=").unwrap().1;
    let read = jose::verify(&keys, logout_token, &scene.app.issuer, DESK).unwrap();
    assert_eq!(read.typ.as_deref(), Some("logout+jwt"));
    assert_eq!((&read.claims["sub"], &read.claims["sid"]), (&claims["sub"], &claims["sid"]));
    assert!(read.claims.get("nonce").is_none());
    let landing = browser.open(&at_desk(&scene, &[("prompt", "none")])).await;
    assert_eq!(scene.error(landing).await, "login_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_id_token_the_user_is_asked_and_the_page_says_what_else_ended() {
    let Some(scene) = scene().await else { return };
    let (address, _told) = listen().await;
    let listens = json!({"backchannel_logout_uri": format!("http://{address}/logout"),
        "frontchannel_logout_uri": "https://desk.example/out"});
    scene.app.admin.change(&format!("/clients/{DESK}"), &listens).await;
    let mut browser = browser();
    sign_in(&scene, &mut browser).await;
    scene.code(browser.open(&at_desk(&scene, &[])).await).await;

    let page = browser.get(&scene.app.url("/oidc/logout")).await;
    assert!(page.text().contains("Sign out?"), "{}", page.text());
    let form = page.form().unwrap().press("confirm", "yes");
    let stolen = Browser::new("https://").send_form(&form).await;
    assert_eq!(stolen.status, 400, "{}", stolen.text());
    let page = browser.send_form(&form).await;

    assert_eq!(page.status, 200, "{}", page.text());
    for words in ["You are signed out", "Signed out as well: Desk", "Portal", "Acme SSO"] {
        let text = page.text().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(page.body.contains("<iframe"), "{}", page.body);
    let policy = page.header("content-security-policy");
    assert!(policy.ends_with("; frame-src https://desk.example"), "{policy}");
    assert!(!browser.cookie_names("localhost").iter().any(|name| name.starts_with("hr_session")));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_unregistered_address_is_gone_to_after_a_logout() {
    let Some(scene) = scene().await else { return };
    let mut browser = browser();
    let (token, _) = sign_in(&scene, &mut browser).await;
    let url = scene.app.url("/oidc/logout");

    let page = browser
        .open(&format!(
            "{url}?id_token_hint={token}&post_logout_redirect_uri=https://evil.example/"
        ))
        .await
        .page();

    assert!(page.text().contains("You are signed out"), "{}", page.text());
    assert!(!page.body.contains("evil.example"), "{}", page.body);
    sign_in(&scene, &mut browser).await;
    let wrong = browser.get(&format!("{url}?id_token_hint=nonsense")).await;
    assert!(wrong.text().contains("Sign out?"), "it proves nothing: {}", wrong.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_seen_and_ended_by_the_operator_and_by_their_user() {
    let Some(scene) = scene().await else { return };
    let (mut laptop, mut phone) = (browser(), browser());
    let (_, claims) = sign_in(&scene, &mut laptop).await;
    sign_in(&scene, &mut phone).await;
    let admin = &scene.app.admin;
    let sessions = format!("/users/{}/sessions", claims["sub"].as_str().unwrap());
    let listed = admin.get(&sessions).await.json;
    assert_eq!(listed["items"].as_array().unwrap().len(), 2, "{listed:#}");
    assert_eq!(listed["items"][0]["clients"], json!([CLIENT]));

    // by the user, in the other browser
    let page = phone.get(&scene.app.url("/sessions")).await;
    assert!(page.text().contains("Another browser"), "{}", page.text());
    let form = page.form().unwrap().press("end", claims["sid"].as_str().unwrap());
    assert_eq!(phone.send_form(&form).await.status, 303);
    let silent = scene.authorize(&[("prompt", "none")]);
    assert_eq!(scene.error(laptop.open(&silent).await).await, "login_required");
    scene.code(phone.open(&silent).await).await;

    // by the operator
    let gone = admin.delete(&format!("{sessions}/{}", claims["sid"].as_str().unwrap())).await;
    assert_eq!(gone.status, 404);
    assert_eq!(admin.delete(&sessions).await.status, 204);
    assert_eq!(scene.error(phone.open(&silent).await).await, "login_required");
    let logs = admin.get("/logs?kind=session").await.json;
    let ended = logs["items"].as_array().unwrap();
    assert_eq!(ended.iter().filter(|entry| entry["action"] == "signed_out").count(), 2, "{logs:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_blocked_is_signed_out() {
    let Some(scene) = scene().await else { return };
    let mut browser = browser();
    let (_, claims) = sign_in(&scene, &mut browser).await;
    let user = format!("/users/{}", claims["sub"].as_str().unwrap());

    scene.app.admin.change(&user, &json!({"blocked": true})).await;

    let listed = scene.app.admin.get(&format!("{user}/sessions")).await.json;
    assert_eq!(listed["items"], json!([]));
    scene.app.admin.change(&user, &json!({"blocked": false})).await;
    let landing = browser.open(&scene.authorize(&[("prompt", "none")])).await;
    assert_eq!(scene.error(landing).await, "login_required");
}

/// A client's own server: an address, and the requests that it was sent.
async fn listen() -> (std::net::SocketAddr, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            let mut chunk = [0; 4096];
            // the token's signature is the end of the body
            while !is_whole(&request) {
                let read = stream.read(&mut chunk).await.unwrap();
                assert_ne!(read, 0, "a whole request");
                request.extend_from_slice(&chunk[..read]);
            }
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(answer.as_bytes()).await.unwrap();
            drop(sender.send(String::from_utf8(request).unwrap()));
        }
    });
    (address, receiver)
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
    });
    body.len() >= length.unwrap_or(0)
}
