//! Logins and pages in a real browser: cross-site posts with Lax cookies, keys only, no JavaScript, accessibility.
//!
//! The steps are in `tests/browser/`; the pictures go to `target/screenshots`.

use std::path::Path;
use std::process::Command;

use broker::demo;
use broker::demo::ports::Ports;
use serde_json::{Value, json};
use testkit::peers::{self, Peer};
use testkit::scene::{Scene, idle_metadata};
use testkit::state::is_embedded;

/// An app takes the port that it gets (RFC 8252 §7.3).
const REGISTERED: [&str; 2] = ["http://127.0.0.1/desk", "http://127.0.0.1/partner"];

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_with_a_real_browser() {
    if !is_installed() {
        return;
    }
    let Some((scene, steps, _op)) = scene().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scene.json");
    std::fs::write(&file, steps.to_string()).unwrap();

    let text = run("logins.mjs", file.display().to_string()).await;

    let traces = scene.app.admin.get("/login-traces?limit=5").await.json;
    assert!(text.trim_end().ends_with(" passed, 0 failed"), "{text}\n{traces:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_tries_the_demo_with_a_real_browser() {
    if !is_installed() || !is_embedded("the demo") {
        return;
    }
    let demo = demo::start(Ports::any()).await.unwrap();

    let text = run("demo.mjs", demo.site.url("/")).await;

    assert!(text.trim_end().ends_with(" passed, 0 failed"), "{text}");
    demo.stop().await;
}

fn is_installed() -> bool {
    let chromium = Path::new("/usr/bin/chromium").exists() || std::env::var_os("CHROME").is_some();
    if !chromium {
        println!("skipped: chromium is not installed");
    }
    chromium && peers::folder("the browser").is_some()
}

/// What a script of `tests/browser` printed.
async fn run(script: &'static str, argument: String) -> String {
    let peers = peers::folder(script).unwrap();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).canonicalize().unwrap();
    let running = tokio::task::spawn_blocking(move || {
        Command::new("node")
            .arg(tests.join("browser").join(script))
            .arg(argument)
            .arg(tests.join("../target/screenshots"))
            .current_dir(peers)
            .output()
    });
    let output = running.await.unwrap().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    println!("{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// A broker with both kinds of connections, two apps, and one address for each page.
async fn scene() -> Option<(Scene, Value, Peer)> {
    let idp = peers::pysaml2().await?;
    let scene = Scene::set().await;
    let admin = &scene.app.admin;
    let op = peers::oidc_provider(&scene.app.url("/callback/acme-oidc"), "plain", "").await?;
    let verified = |name: &str| json!({"name": name, "verified": true});
    let domains = ["customer.example", "oidc.example", "two.example"].map(verified);
    admin.change("/organizations/acme", &json!({"domains": domains})).await;
    let okta = json!({"vendor": "okta"});
    scene.saml_at(idp, "acme-saml", "style=okta", &okta).await;
    scene.oidc("acme-oidc", &op.base, &json!({"domains": ["oidc.example"]})).await;
    let apart = |domain: &str| json!({"vendor": "okta", "domains": [domain]});
    scene
        .saml_at(idp, "acme-post", "style=okta,sso=post", &json!({"vendor": "okta", "domains": []}))
        .await;
    scene
        .saml_at(
            idp,
            "acme-unsigned",
            "style=okta,sign=none",
            &json!({"vendor": "okta", "domains": []}),
        )
        .await;
    // Alice's address is not of this domain: verified, and barred
    scene.saml_at(idp, "acme-elsewhere", "style=okta", &apart("two.example")).await;
    let second = json!({"domains": ["two.example"], "display_name": "A second sign-in with a name that is rather long"});
    scene.saml("acme-second", &idle_metadata("idp.example"), &second).await;
    let desk = json!({"client_id": "desk", "client_name": "Desk", "first_party": true, "redirect_uris": [REGISTERED[0]],
        "client_uri": "https://desk.example/"});
    admin.create("/clients", &desk).await;
    scene.grant("desk", &["read:data"]).await;
    let television = json!({"client_id": "television", "client_name": "Television", "first_party": true,
        "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"], "token_endpoint_auth_method": "none"});
    admin.create("/clients", &television).await;
    scene.grant("television", &["read:data"]).await;
    let site = json!({"client_name": "Acme partner portal", "first_party": false, "organization": "acme",
        "redirect_uris": [REGISTERED[1]], "client_uri": "https://site.acme.example/"});
    let site = admin.create("/clients", &site).await;
    let site = site["client_id"].as_str().unwrap();
    scene.grant(site, &["read:data", "write:data"]).await;
    let app_port = testkit::app::free_port();
    let apps = REGISTERED.map(|uri| uri.replace("127.0.0.1", &format!("127.0.0.1:{app_port}")));
    let authorize = |changes: &[(&str, &str)]| {
        let desk = [("client_id", "desk"), ("redirect_uri", apps[0].as_str())];
        scene.authorize(&[&desk[..], changes].concat())
    };
    let at = |connection: &str| authorize(&[("connection", connection)]);
    let of_site = [("client_id", site), ("redirect_uri", &apps[1]), ("connection", "acme-saml")];
    let steps = json!({
        "issuer": scene.app.issuer,
        "appPort": app_port,
        "apps": apps,
        "authorize": authorize(&[]),
        "post": at("acme-post"),
        "formPost": authorize(&[("connection", "acme-saml"), ("response_mode", "form_post")]),
        "consent": scene.authorize(&of_site),
        "choice": authorize(&[("login_hint", "someone@two.example")]),
        "unknownClient": scene.authorize(&[("client_id", "nobody")]),
        "wrongConnection": at("nothing"),
        "refused": at("acme-unsigned"),
        "barred": at("acme-elsewhere"),
        "selectAccount": authorize(&[("prompt", "select_account")]),
    });
    Some((scene, steps, op))
}
