//! The table held against the server, over a real socket.

use std::collections::BTreeMap;

use actix_web::middleware::from_fn;
use actix_web::{App as ActixApp, HttpResponse, test, web};
use reqwest::header::{HOST, HeaderMap};
use serde_json::Value;

use super::*;
use crate::config::Config;
use crate::http::edge::CONTENT_SECURITY_POLICY;
use crate::startup::{Running, Startup, start};

const TOKEN: &str = "an-admin-token-for-these-tests-only-0000";
const PAGE: &str = "https://page.example";
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];

struct Walk {
    running: Running,
    http: reqwest::Client,
    _folder: tempfile::TempDir,
}

struct Got {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Walk {
    async fn start(issuer: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "listen = \"127.0.0.1:0\"\n{issuer}\n[database]\nurl = \"sqlite:{}/hr.db\"\n[admin]\ntoken = \"{TOKEN}\"\n[limits]\nenabled = false\n",
            folder.path().display()
        );
        let config = Config::from_toml(&text, []).unwrap();
        let running = start(Startup::new(config)).await.unwrap();
        let none = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder().no_proxy().redirect(none).build().unwrap();
        Self { running, http, _folder: folder }
    }

    async fn send(&self, method: &str, path: &str) -> Got {
        let url = format!("http://{}{path}", self.running.address);
        let host = self.running.issuer().authority().to_owned();
        let request = self.http.request(method.parse().unwrap(), url).header(HOST, host);
        let request = if path.starts_with("/api/") { request.bearer_auth(TOKEN) } else { request };
        let response = request.header("origin", PAGE).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Got { status, headers, body: response.text().await.unwrap() }
    }
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

/// An address of this pattern.
fn sample(pattern: &str) -> String {
    let named = pattern.replace("{name}", "style.css");
    let pieces = named.split('/').map(|piece| if piece.starts_with('{') { "x" } else { piece });
    pieces.collect::<Vec<_>>().join("/")
}

#[actix_web::test]
async fn every_route_takes_its_methods_and_names_them_to_the_others() {
    let walk = Walk::start("").await;
    for (pattern, methods) in ROUTES {
        for method in METHODS {
            let got = walk.send(method, &sample(pattern)).await;
            let at = format!("{method} {pattern}: {} {}", got.status, got.body);
            if methods.iter().any(|known| known.as_str() == method) {
                assert_ne!(got.status, 405, "{at}");
                assert!(!got.body.contains("There is nothing at this address."), "{at}");
            } else {
                assert_eq!((got.status, got.header("allow")), (405, &*listed(methods)), "{at}");
            }
        }
    }
    walk.running.stop().await;
}

#[actix_web::test]
async fn every_answer_of_every_route_carries_the_protective_headers() {
    for (issuer, transport) in
        [("", ""), ("issuer = \"https://login.example.com\"", "max-age=31536000")]
    {
        let walk = Walk::start(issuer).await;
        for (pattern, _) in ROUTES {
            for method in METHODS {
                let got = walk.send(method, &sample(pattern)).await;
                let at = format!("{method} {pattern}: {} {:?}", got.status, got.headers);
                assert_eq!(got.header("x-content-type-options"), "nosniff", "{at}");
                assert_eq!(got.header("x-frame-options"), "DENY", "{at}");
                assert_eq!(got.header("referrer-policy"), "no-referrer", "{at}");
                assert_eq!(got.header("cross-origin-opener-policy"), "same-origin", "{at}");
                let policy = got.header("content-security-policy");
                // the page of this form may end at any identity provider (RULES 30)
                let is_page = got.header("content-type").starts_with("text/html");
                let leads_on = *pattern == "/device" && is_page;
                let own = "form-action 'self'";
                let form = if leads_on { "form-action 'self' https:" } else { own };
                assert_eq!(policy, CONTENT_SECURITY_POLICY.replace(own, form), "{at}");
                assert_eq!(got.header("strict-transport-security"), transport, "{at}");
                let cached = got.status == 200
                    && (pattern.starts_with("/.well-known/") || pattern.starts_with("/assets/"));
                let caching = got.header("cache-control");
                assert_eq!(caching.starts_with("public, max-age="), cached, "{at}");
                assert_eq!(caching == "no-store", !cached, "{at}");
            }
        }
        walk.running.stop().await;
    }
}

#[actix_web::test]
async fn head_says_what_get_says_without_the_body() {
    let walk = Walk::start("").await;
    for (pattern, _) in ROUTES.iter().filter(|(_, methods)| methods.contains(&Method::HEAD)) {
        let path = sample(pattern);
        let (get, head) = (walk.send("GET", &path).await, walk.send("HEAD", &path).await);

        assert_eq!(head.status, get.status, "{path}");
        for name in ["content-type", "content-length", "cache-control", "etag"] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
        assert!(head.body.is_empty() && !get.body.is_empty(), "{path}");
    }
    walk.running.stop().await;
}

#[actix_web::test]
async fn a_preflight_is_answered_where_pages_of_clients_call_and_nowhere_else() {
    let walk = Walk::start("").await;
    for (pattern, methods) in ROUTES {
        let got = walk.send("OPTIONS", &sample(pattern)).await;
        let served = methods.contains(&Method::OPTIONS);

        assert_eq!(got.status, if served { 204 } else { 405 }, "{pattern}");
        let allowed = got.header("access-control-allow-origin");
        assert_eq!(allowed, if served { PAGE } else { "" }, "{pattern}");
        assert_eq!(got.header("access-control-allow-credentials"), "", "{pattern}");
    }
    walk.running.stop().await;
}

#[actix_web::test]
async fn the_management_api_is_documented_as_it_is_routed() {
    let walk = Walk::start("").await;
    let document: Value =
        serde_json::from_str(&walk.send("GET", "/api/v1/openapi.json").await.body).unwrap();
    walk.running.stop().await;

    let documented: BTreeMap<String, Vec<String>> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(path, item)| {
            let keys = item.as_object().unwrap().keys().map(|key| key.to_uppercase());
            let mut methods: Vec<_> = keys.filter(|key| METHODS.contains(&key.as_str())).collect();
            methods.sort();
            (path.clone(), methods)
        })
        .collect();
    let routed: BTreeMap<String, Vec<String>> = ROUTES
        .iter()
        .filter_map(|(pattern, methods)| Some((pattern.strip_prefix("/api/v1")?, methods)))
        .filter(|(path, _)| *path != "/openapi.json")
        .map(|(path, methods)| {
            let mut methods: Vec<_> = methods.iter().map(|m| m.as_str().to_owned()).collect();
            methods.sort();
            (path.to_owned(), methods)
        })
        .collect();
    assert_eq!(documented, routed);
}

#[actix_web::test]
async fn what_is_not_in_the_table_is_not_reachable() {
    let answers = || async { HttpResponse::Ok().finish() };
    let app = ActixApp::new()
        .wrap(from_fn(gate))
        .route("/forgotten", web::get().to(answers))
        .route("/healthz", web::get().to(answers));
    let app = test::init_service(app).await;

    for (path, status) in
        [("/forgotten", 404), ("/healthz/", 404), ("/healthz", 200), ("/%68ealthz", 200)]
    {
        let request = test::TestRequest::get().uri(path).to_request();
        assert_eq!(test::call_service(&app, request).await.status(), status, "{path}");
    }
}

#[actix_web::test]
async fn each_pattern_stands_once() {
    for (place, (pattern, _)) in ROUTES.iter().enumerate() {
        let path = sample(pattern);
        let first = KNOWN.iter().position(|(known, _)| known.is_match(&path));
        assert_eq!(first, Some(place), "{pattern}");
    }
}
