//! The story that the product exists for: one API, our own app, customers with apps of their own on domains that are not ours
//! and with identity providers of their own, and nobody of ours who edits their callback URLs.

use broker::clock::Clock as _;
use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::browser::{Browser, Landing};
use testkit::peers::{self, Peer};
use testkit::scene::{API, CLIENT, REDIRECT_URI, Scene, VERIFIER, claims_of};

const PETER: &str = "peter@initech.example";
const PETERS_PASSWORD: &str = "nine reports and four bosses";
const TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

struct Site {
    id: &'static str,
    callback: &'static str,
    secret: String,
}

/// Acme at Auth0 with two sites, Globex at Entra with one, Initech without an identity provider with one.
struct Story {
    scene: Scene,
    skinned: Site,
    third: Site,
    globex: Site,
    initech: Site,
    _idps: [Peer; 2],
}

async fn story() -> Option<Story> {
    let scene = Scene::set().await;
    let auth0 = peers::auth0_samlp(&scene.app.url("/saml/acme-auth0/acs"), &[]).await?;
    let callback = scene.app.url("/callback/globex-entra");
    let entra = peers::oidc_provider(&callback, "entra", "").await?;
    let metadata = scene.fetch(&auth0.url("/samlp/metadata/portal")).await;
    scene.saml("acme-auth0", &metadata, &json!({"vendor": "auth0"})).await;
    let admin = &scene.app.admin;
    let globex = json!({"name": "globex", "display_name": "Globex",
        "domains": [{"name": "globex.example", "verified": true}]});
    admin.create("/organizations", &globex).await;
    let at_entra = json!({"vendor": "entra", "organization": "globex", "domains": ["globex.example"],
        "options": {"issuer": null, "authority": entra.base, "tenant": TENANT, "foreign_domains": "omit_email"}});
    scene.oidc("globex-entra", &entra.base, &at_entra).await;
    initech_without_idp(&scene).await;
    // one grant for all customers' apps, as users only
    let all =
        json!({"default_for": "third_party_clients", "audience": API, "scopes": ["read:data"]});
    admin.create("/client-grants", &all).await;
    let skinned = site(&scene, "acme", "acme-skinned", "https://shop.customer.example/cb").await;
    let third = site(&scene, "acme", "acme-third", "https://third.customer.example/cb").await;
    let globex = site(&scene, "globex", "globex-site", "https://portal.globex.example/cb").await;
    let initech = site(&scene, "initech", "initech-site", "https://desk.initech.example/cb").await;
    Some(Story { scene, skinned, third, globex, initech, _idps: [auth0, entra] })
}

/// A password connection of Initech's own, and Peter's account there.
async fn initech_without_idp(scene: &Scene) {
    let admin = &scene.app.admin;
    let initech = json!({"name": "initech", "display_name": "Initech",
        "domains": [{"name": "initech.example", "verified": true}]});
    admin.create("/organizations", &initech).await;
    let connection = json!({"name": "initech-passwords", "strategy": "password", "organization": "initech",
        "display_name": "Initech", "domains": ["initech.example"], "options": {}});
    admin.create("/connections", &connection).await;
    let peter =
        json!({"connection": "initech-passwords", "email": PETER, "password": PETERS_PASSWORD});
    admin.create("/password-accounts", &peter).await;
}

async fn site(scene: &Scene, organization: &str, id: &'static str, callback: &'static str) -> Site {
    let client = json!({"client_id": id, "client_name": id, "organization": organization,
        "redirect_uris": [callback]});
    let made = scene.app.admin.create("/clients", &client).await;
    Site { id, callback, secret: made["client_secret"].as_str().unwrap().to_owned() }
}

impl Story {
    /// Signs in at a site and gives its access token's claims; the user says yes where they are asked.
    async fn signs_in(&self, site: &Site, email: &str) -> Value {
        let mut browser = Browser::new(site.callback);
        let mut landing = browser.open(&self.request(site, &[("login_hint", email)])).await;
        if email == PETER {
            let page = landing.page();
            let form = page.form().unwrap();
            assert_eq!(form.field("email"), Some(PETER), "{}", self.scene.explain(&page).await);
            landing = browser.submit(form.with("password", PETERS_PASSWORD)).await;
        }
        let Landing::Page(page) = landing else {
            panic!("a site of others got in without consent")
        };
        assert!(page.url.path().starts_with("/consent"), "{}", self.scene.explain(&page).await);
        let landing = browser.submit(page.form().unwrap().press("decision", "allow")).await;
        let code = self.scene.code(landing).await;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", site.callback),
            ("code_verifier", VERIFIER),
        ];
        let answer = self.scene.token(Some((site.id, &site.secret)), &form).await;
        assert_eq!(answer.status, StatusCode::OK, "{:#}", answer.json);
        claims_of(answer.json["access_token"].as_str().unwrap())
    }

    fn request(&self, site: &Site, more: &[(&str, &str)]) -> String {
        let own = [("client_id", site.id), ("redirect_uri", site.callback)];
        self.scene.authorize(&[&own, more].concat())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_api_many_customers_and_sites_that_are_not_ours() {
    let Some(story) = story().await else { return };
    let scene = &story.scene;

    // our own app, without a question; where the user belongs the address says
    let alice = [("login_hint", "alice@customer.example")];
    let mut browser = Browser::new(REDIRECT_URI);
    let landing = browser.open(&scene.authorize(&alice)).await;
    let (ours, _) = scene.tokens(landing).await;
    assert_eq!((&ours["connection"], &ours["client_id"]), (&json!("acme-auth0"), &json!(CLIENT)));

    // Acme's skinned site, and its third site: the same identity is the same subject at the API
    let skinned = story.signs_in(&story.skinned, "alice@customer.example").await;
    let third = story.signs_in(&story.third, "alice@customer.example").await;
    for (claims, client) in [(&skinned, "acme-skinned"), (&third, "acme-third")] {
        assert_eq!(claims["sub"], ours["sub"]);
        assert_eq!((&claims["aud"], &claims["scope"]), (&json!(API), &ours["scope"]));
        assert_eq!((&claims["client_id"], &claims["org_name"]), (&json!(client), &json!("acme")));
    }

    // Globex, on Entra
    let globex = story.signs_in(&story.globex, "bob@globex.example").await;
    assert_eq!(globex["org_name"], "globex");
    assert_eq!(globex["connection"], "globex-entra");
    assert_ne!(globex["sub"], ours["sub"]);

    // Initech, with passwords of our own; the address is not proven, so it is not verified
    let initech = story.signs_in(&story.initech, PETER).await;
    assert_eq!(initech["org_name"], "initech");
    assert_eq!(initech["connection"], "initech-passwords");

    // neither customer's site reaches the other's identity provider
    let crossed = story.request(&story.third, &[("connection", "globex-entra")]);
    let landing = Browser::new(story.third.callback).open(&crossed).await;
    scene.refused(landing, 400, "connection_unknown").await;

    // a callback changes, and nobody of ours touches it: Acme's own people do
    let moved = Site { callback: "https://shop.customer.example/new", ..story.skinned };
    let uris = json!({"redirect_uris": [moved.callback]});
    let end = scene.app.clock.now() + TimeDelta::days(30);
    let token = json!({"name": "acme-it", "scope": "organization", "organization": "acme", "expires_at": end});
    let token = scene.app.admin.create("/api-tokens", &token).await;
    let acme = scene.app.admin.with_token(token["token"].as_str().unwrap());
    acme.change("/clients/acme-skinned", &uris).await;
    let mut browser = Browser::new(moved.callback);
    let own = [("client_id", moved.id), ("redirect_uri", moved.callback), alice[0]];
    let landing = browser.open(&scene.authorize(&own)).await;
    scene.code(landing).await;
    let log = scene.app.admin.get("/logs?kind=client&limit=200").await.json;
    let log = log["items"].as_array().unwrap();
    let changed: Vec<&Value> = log.iter().filter(|entry| entry["action"] != "created").collect();
    assert_eq!((log.len(), changed.len()), (6, 1), "{log:#?}");
    assert_eq!(changed[0]["actor"]["name"], "acme-it", "{log:#?}");
}
