//! The management API over a real socket.

mod access;
mod api_tokens;
mod audit;
mod callbacks;
mod client_id_documents;
mod client_keys;
mod clients_and_apis;
mod connections;
mod documents;
mod domains;
mod home_realm;
mod newcomers;
mod oauth2_connections;
mod objects;
mod password_accounts;
mod registration;
mod users;

use std::path::Path;

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;
use tempfile::TempDir;

use crate::config::Config;
use crate::startup::{Running, Startup, start};

const TOKEN: &str = "an-admin-token-for-these-tests-only-0000";

/// A broker with its management API and a folder that goes with it.
pub(super) struct Api {
    running: Running,
    folder: TempDir,
    http: reqwest::Client,
}

/// An answer, read.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl Api {
    pub(super) async fn start() -> Self {
        Self::start_with("").await
    }

    /// With more settings: tables of their own.
    pub(super) async fn start_with(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let running = start(Startup::new(config(folder.path(), more))).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { running, folder, http }
    }

    pub(super) async fn stop(self) {
        self.running.stop().await;
        drop(self.folder);
    }

    pub(super) fn issuer(&self) -> String {
        self.running.issuer().as_str().to_owned()
    }

    pub(super) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.anonymous(method, &format!("/api/v1{path}")).bearer_auth(TOKEN)
    }

    /// Without the token, anywhere.
    pub(super) fn anonymous(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("http://{}{path}", self.running.address);
        self.http.request(method, url).header("host", self.running.issuer().authority().to_owned())
    }

    pub(super) fn app(&self) -> &crate::app::App {
        &self.running.app
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Answer {
        send(json(self.request(Method::POST, path), &body)).await
    }

    pub(super) async fn patch(&self, path: &str, body: Value) -> Answer {
        send(json(self.request(Method::PATCH, path), &body)).await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub(super) async fn delete(&self, path: &str) -> Answer {
        send(self.request(Method::DELETE, path)).await
    }

    /// Creates, and fails the test with the answer where it was refused.
    pub(super) async fn create(&self, path: &str, body: Value) -> Value {
        let answer = self.post(path, body).await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.body);
        answer.body
    }

    pub(super) async fn acme(&self) -> Value {
        let domains = serde_json::json!([{"name": "acme.example", "verified": true}]);
        self.create(
            "/organizations",
            serde_json::json!({"name": "acme", "display_name": "Acme", "domains": domains}),
        )
        .await
    }
}

pub(super) fn json(request: reqwest::RequestBuilder, body: &Value) -> reqwest::RequestBuilder {
    request.header("content-type", "application/json").body(body.to_string())
}

pub(super) async fn send(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Answer { status, headers, body }
}

impl Answer {
    /// The fields that a 422 or 409 names.
    pub(super) fn fields(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().map(|e| e["field"].as_str().unwrap()).collect()
    }
}

fn config(folder: &Path, more: &str) -> Config {
    let text = format!(
        "listen = \"127.0.0.1:0\"\n[database]\nurl = \"sqlite:{}/hr.db\"\n[admin]\ntoken = \"{TOKEN}\"\n[limits]\nenabled = false\n{more}",
        folder.display()
    );
    Config::from_toml(&text, []).unwrap()
}
