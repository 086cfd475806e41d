//! Client libraries that app developers use, from their own ecosystems, against the whole broker: nothing is told them but the
//! issuer and their registration.

mod node;
mod others;
mod sites;

use serde_json::{Value, json};
use testkit::browser::{Browser, Landing};
use testkit::client_program::{ClientProgram, Library, Said};
use testkit::html::{Form, Page};
use testkit::scene::{API, REDIRECT_URI, Scene, USER, merge};
use url::form_urlencoded::Serializer;

/// What an app asks for that wants to keep its user.
const SCOPE: &str = "openid profile email offline_access read:data";

/// A scene with a login, a client of its own in it, and that client's settings.
struct Registered {
    scene: Scene,
    settings: Value,
}

impl Registered {
    /// Registers a client; `metadata` merges into a confidential web app.
    async fn new(metadata: &Value) -> Option<Self> {
        let scene = Scene::with_login().await?;
        let mut client = json!({"client_name": "App", "first_party": true, "redirect_uris": [REDIRECT_URI],
            "grant_types": ["authorization_code", "refresh_token"]});
        merge(&mut client, metadata);
        let client = scene.app.admin.create("/clients", &client).await;
        let id = client["client_id"].as_str().unwrap();
        scene.grant(id, &["read:data"]).await;
        let settings = json!({"issuer": scene.app.issuer, "client_id": id, "client_secret": client["client_secret"],
            "method": client["token_endpoint_auth_method"], "redirect_uri": REDIRECT_URI, "scope": SCOPE, "api": API,
            "parameters": {"connection": "acme-saml"}});
        Some(Self { scene, settings })
    }

    /// Runs a library's program for this client: what it has at the end.
    async fn run(&self, library: Library, more: &Value) -> Option<Value> {
        let mut settings = self.settings.clone();
        merge(&mut settings, more);
        let mut client = ClientProgram::start(library, &settings)?;
        let mut browser = Browser::new("https://portal.example/");
        loop {
            match client.says() {
                Said::Done(has) => return Some(has),
                Said::Open(url) => client.came_to(&self.visit(&mut browser, &url).await),
            }
        }
    }

    /// Where the browser comes to rest. A person confirms the code that a device shows, names their address, and allows what
    /// is asked.
    async fn visit(&self, browser: &mut Browser, url: &str) -> String {
        let mut landing = browser.open(url).await;
        loop {
            let page = match landing {
                Landing::Client(answer) => {
                    let query = Serializer::new(String::new()).extend_pairs(answer).finish();
                    return format!("{REDIRECT_URI}?{query}");
                }
                Landing::Page(page) => page,
            };
            let Some(form) = filled(&page) else {
                assert_eq!(page.status, 200, "{}", self.scene.explain(&page).await);
                return page.url.to_string();
            };
            landing = browser.submit(form).await;
        }
    }
}

/// The page's form as a person sends it; none where the way ends.
fn filled(page: &Page) -> Option<Form> {
    let form = page.form()?;
    if form.has_button("decision") {
        return Some(form.press("decision", "allow"));
    }
    match (form.field("user_code"), form.field("email")) {
        (Some(code), _) => (!code.is_empty()).then_some(form),
        (None, Some(_)) => Some(form.with("email", USER)),
        (None, None) => None,
    }
}

/// The login that every library sees.
fn assert_is_alice(claims: &Value) {
    assert_eq!(claims["email"], USER, "{claims:#}");
    assert!(claims["sub"].as_str().unwrap().starts_with("usr_"), "{claims:#}");
}
