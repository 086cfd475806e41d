//! Clients whose `client_id` is the address of their metadata.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::web::{Data, Path};
use actix_web::{App, HttpResponse, HttpServer, web};
use serde_json::{Value, json};

use super::{Api, send};
use crate::catalog::Client;
use crate::oauth::fixtures::{CHALLENGE, form};

/// Serves `/{name}`: what the test put there, else 404; `/moved` redirects.
struct Site {
    origin: String,
    state: Data<State>,
}

#[derive(Default)]
struct State {
    body: Mutex<String>,
    asked: AtomicUsize,
}

async fn document(state: Data<State>, name: Path<String>) -> HttpResponse {
    state.asked.fetch_add(1, Ordering::SeqCst);
    match name.as_str() {
        "missing" => HttpResponse::NotFound().json(json!({})),
        "moved" => HttpResponse::Found().insert_header(("location", "/app")).finish(),
        "html" => HttpResponse::Ok().content_type("text/html").body("<p>"),
        _ => {
            let body = state.body.lock().unwrap().clone();
            HttpResponse::Ok().content_type("application/json").body(body)
        }
    }
}

impl Site {
    fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let state: Data<State> = Data::default();
        let data = state.clone();
        let server = HttpServer::new(move || {
            App::new().app_data(data.clone()).route("/{name}", web::get().to(document))
        });
        let server = server.workers(1).disable_signals().listen(listener).unwrap().run();
        actix_web::rt::spawn(server);
        Self { origin, state }
    }

    fn put(&self, document: &Value) {
        *self.state.body.lock().unwrap() = document.to_string();
    }

    fn asked(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }

    fn callback(&self) -> String {
        self.origin.replace("http:", "https:") + "/cb"
    }

    fn good(&self, name: &str) -> Value {
        json!({"client_id": format!("{}/{name}", self.origin), "client_name": "An app",
            "redirect_uris": [self.callback()], "logo_uri": "https://a.example/logo"})
    }
}

async fn api() -> Api {
    let settings = "[upstream]\nallow_http = true\nallow_private_addresses = true\n\
        [client_id_documents]\norganization = \"acme\"\nhosts = [\"127.0.0.1\"]\n";
    let api = Api::start_with(settings).await;
    api.acme().await;
    api
}

/// Status, and the code of the trace where there is one.
async fn authorize(api: &Api, site: &Site, client_id: &str) -> (u16, String) {
    let callback = site.callback();
    let query = form(&[
        ("client_id", client_id),
        ("redirect_uri", &callback),
        ("response_type", "code"),
        ("scope", "openid"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    let url = format!("http://{}/authorize?{query}", api.running.address);
    let host = api.running.issuer().authority().to_owned();
    let response = http.build().unwrap().get(url).header("host", host).send().await.unwrap();
    let status = response.status().as_u16();
    let page = response.text().await.unwrap();
    let code = page.split_once("data-code=\"").map_or("", |(_, rest)| rest);
    (status, code.split('"').next().unwrap_or_default().to_owned())
}

#[actix_web::test]
async fn a_document_makes_a_third_party_client_and_is_kept() {
    let (api, site) = (api().await, Site::start());
    site.put(&site.good("app"));
    let id = format!("{}/app", site.origin);

    assert_eq!(authorize(&api, &site, &id).await, (303, String::new()));
    assert_eq!(authorize(&api, &site, &id).await.0, 303);

    assert_eq!(site.asked(), 1);
    let client = api.app().catalog.get::<Client>(&id).await.unwrap().unwrap();
    assert!(client.is_third_party() && client.secrets.is_empty());
    assert_eq!(client.organization().unwrap().as_str(), "acme");
    let fresh = client.registration.document_until.unwrap() - client.updated_at;
    assert_eq!(fresh, chrono::TimeDelta::hours(1));
    assert_eq!(crate::oauth::origins::host(&client).as_deref(), Some("127.0.0.1"));

    // after its time it is read again; what the operator decided stays
    let mut old = client.object.as_ref().clone();
    old.client_id = format!("{}/old", site.origin);
    old.registration.document_until = Some(client.updated_at - chrono::TimeDelta::hours(2));
    old.web_origins = vec!["https://a.example".to_owned()];
    api.app().catalog.insert(&old).await.unwrap();
    let mut renamed = site.good("old");
    renamed["client_name"] = json!("Renamed");
    site.put(&renamed);
    assert_eq!(authorize(&api, &site, &old.client_id).await.0, 303);
    let client = api.app().catalog.get::<Client>(&old.client_id).await.unwrap().unwrap();
    assert_eq!((client.client_name.as_str(), client.web_origins.len()), ("Renamed", 1));
    assert_eq!(site.asked(), 2);
    api.stop().await;
}

#[actix_web::test]
async fn what_a_document_must_not_say_is_refused_and_not_kept() {
    let (api, site) = (api().await, Site::start());
    let changed = |member: &str, value: Value| {
        let mut document = site.good(&member.replace('_', "-"));
        document[member] = value;
        (member.replace('_', "-"), document)
    };
    let https = site.callback();
    for (name, document) in [
        changed("client_id", json!("https://other.example/app")),
        changed("client_secret", json!("s")),
        changed("client_secret_expires_at", json!(0)),
        changed("token_endpoint_auth_method", json!("client_secret_basic")),
        changed("grant_types", json!(["client_credentials"])),
        changed("redirect_uris", json!([https, "https://elsewhere.example/cb"])),
        changed("post_logout_redirect_uris", json!(["http://127.0.0.1/"])),
        changed("software_statement", json!("x")),
    ] {
        site.put(&document);
        let id = format!("{}/{name}", site.origin);
        let refused = authorize(&api, &site, &id).await;
        assert_eq!(refused, (400, "client_document_refused".to_owned()), "{name}");
        assert!(api.app().catalog.get::<Client>(&id).await.unwrap().is_none(), "{name}");
    }
    site.put(&json!("a text"));
    for name in ["text", "missing", "moved", "html"] {
        let refused = authorize(&api, &site, &format!("{}/{name}", site.origin)).await;
        assert_eq!(refused, (400, "client_document_refused".to_owned()), "{name}");
    }
    let mut large = site.good("large");
    large["client_uri"] = json!("x".repeat(6000));
    site.put(&large);
    assert_eq!(authorize(&api, &site, &format!("{}/large", site.origin)).await.0, 400);
    api.stop().await;
}

#[actix_web::test]
async fn only_plain_addresses_at_named_hosts_are_called() {
    let (api, site) = (api().await, Site::start());
    site.put(&site.good("app"));
    let port = site.origin.rsplit(':').next().unwrap().to_owned();
    for id in [
        site.origin.clone(),
        format!("{}/", site.origin),
        format!("{}/app?x=1", site.origin),
        format!("{}/app#x", site.origin),
        format!("{}/a/../app", site.origin),
        format!("http://user@127.0.0.1:{port}/app"),
        format!("http://localhost:{port}/app"),
        format!("http://127.1:{port}/app"),
        format!("{}/{}", site.origin, "a".repeat(255)),
        "ftp://127.0.0.1/app".to_owned(),
    ] {
        let refused = authorize(&api, &site, &id).await;
        assert_eq!(refused, (400, "client_document_refused".to_owned()), "{id}");
    }
    assert_eq!(site.asked(), 0);
    api.stop().await;
}

#[actix_web::test]
async fn switched_off_no_address_is_a_client_and_discovery_is_silent() {
    let site = Site::start();
    let off = Api::start().await;
    let id = format!("{}/app", site.origin);
    let refused = authorize(&off, &site, &id).await;
    assert_eq!((refused, site.asked()), ((400, "client_document_refused".to_owned()), 0));
    let on = api().await;
    for (api, supported) in [(&off, Value::Null), (&on, json!(true))] {
        let path = "/.well-known/openid-configuration";
        let document = send(api.anonymous(reqwest::Method::GET, path)).await.body;
        assert_eq!(document["client_id_metadata_document_supported"], supported);
    }
    off.stop().await;
    on.stop().await;
}
