//! Whole sites made of a library: Auth0's express-openid-connect, and Apache with mod_auth_openidc.

use serde_json::{Value, json};
use testkit::app::free_port;
use testkit::browser::{Browser, Landing};
use testkit::peers;
use testkit::scene::{API, Scene, USER};

/// A scene with a login, a free port for the site, and the site's client: its id and secret.
async fn site(callback: &str, after_logout: &str) -> Option<(Scene, u16, String, String)> {
    let scene = Scene::with_login().await?;
    let port = free_port();
    let url = |path: &str| format!("http://127.0.0.1:{port}{path}");
    let client = json!({"client_name": "Site", "first_party": true, "redirect_uris": [url(callback)],
        "post_logout_redirect_uris": [url(after_logout)], "grant_types": ["authorization_code", "refresh_token"]});
    let client = scene.app.admin.create("/clients", &client).await;
    let text = |name: &str| client[name].as_str().unwrap().to_owned();
    let (id, secret) = (text("client_id"), text("client_secret"));
    scene.grant(&id, &["read:data"]).await;
    Some((scene, port, id, secret))
}

/// A browser that visits sites, and types its address where the broker asks for it.
async fn visit(browser: &mut Browser, url: &str) -> testkit::html::Page {
    let mut landing = browser.open(url).await;
    loop {
        let page = landing.page();
        match page.form().filter(|form| form.field("email").is_some()) {
            Some(form) => landing = browser.submit(form.with("email", USER)).await,
            None => return page,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn express_openid_connect_signs_in_refreshes_and_signs_out() {
    let Some((scene, port, id, secret)) = site("/callback", "").await else { return };
    let base = format!("http://127.0.0.1:{port}");
    let settings = json!({"issuer": scene.app.issuer, "base": base, "port": port, "client_id": id,
        "client_secret": secret, "scope": "openid profile email offline_access read:data",
        "parameters": {"audience": API}});
    let Some(_site) = peers::express_openid_connect(&settings).await else { return };
    let mut browser = Browser::new("nowhere:");

    let home = visit(&mut browser, &format!("{base}/login")).await;
    let user: Value = serde_json::from_str(&home.body).unwrap();
    assert_eq!(user["email"], USER, "{}", home.body);

    let refreshed = visit(&mut browser, &format!("{base}/refresh")).await;
    assert_eq!(refreshed.body, r#"{"renewed":true}"#);

    let out = visit(&mut browser, &format!("{base}/logout")).await;
    assert_eq!((out.url.as_str(), out.body.as_str()), (format!("{base}/").as_str(), "null"));
    let again = browser.open(&format!("{base}/login")).await;
    assert!(matches!(&again, Landing::Page(page) if page.form().is_some()), "asked again");
}

#[tokio::test(flavor = "multi_thread")]
async fn apache_with_mod_auth_openidc_shows_its_page_to_the_user() {
    let Some((scene, port, id, secret)) = site("/app/callback", "/out").await else { return };
    let Some(site) = peers::mod_auth_openidc(port, &scene.app.issuer, (&id, &secret)).await else {
        return;
    };
    let mut browser = Browser::new("nowhere:");

    let page = visit(&mut browser, &site.url("/app/")).await;

    assert_eq!(page.url.as_str(), site.url("/app/"), "{}\n{}", page.body, site.log());
    assert!(page.body.contains(&format!("email={USER}")), "{}", page.body);
    assert!(page.body.contains("sub=usr_"), "{}", page.body);
}
