//! The operator: the management API over HTTP.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;

/// What the API answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Media type without parameters.
    pub content_type: String,
    /// `ETag`, where there is one.
    pub etag: Option<String>,
    /// The JSON of the answer; null where there is none.
    pub json: Value,
}

/// Calls `/api/v1` with the bootstrap token.
#[derive(Clone, Debug)]
pub struct Admin {
    http: Client,
    base: String,
    token: String,
    nodes: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Admin {
    /// At an issuer.
    #[must_use]
    pub fn new(http: Client, issuer: &str, token: &str) -> Self {
        let base = format!("{issuer}/api/v1");
        Self { http, base, token: token.to_owned(), nodes: Arc::default() }
    }

    /// The nodes behind this address. After a change that is not a creation, the operator waits until all of them know: what
    /// one node wrote the others learn within a second. What was created they have to find at once.
    pub fn nodes_are(&self, addresses: &[SocketAddr]) {
        addresses.clone_into(&mut self.nodes.lock().unwrap());
    }

    /// The same API with another bearer token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// Any call; `headers` beside the token.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Answer {
        let changes = [Method::DELETE, Method::PATCH, Method::PUT].contains(&method);
        let answer = self.send_to(&self.base, method, path, headers, body).await;
        if changes && answer.status.is_success() {
            self.until_all_nodes_say_the_same(path).await;
        }
        answer
    }

    /// About the object that a path belongs to; ten seconds at most.
    async fn until_all_nodes_say_the_same(&self, path: &str) {
        let object: Vec<&str> = path.split('/').take(3).collect();
        let path = &object.join("/");
        let nodes = self.nodes.lock().unwrap().clone();
        if nodes.len() < 2 {
            return;
        }
        let authority = self.base.split('/').nth(2).unwrap_or_default();
        let mut answers = Vec::new();
        for _ in 0..400 {
            answers.clear();
            for node in &nodes {
                let base = format!("http://{node}/api/v1");
                let host = [(HOST.as_str(), authority)];
                answers.push(self.send_to(&base, Method::GET, path, &host, None).await);
            }
            if answers.windows(2).all(|two| two[0] == two[1]) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("after ten seconds the nodes still disagree about {path}: {answers:#?}");
    }

    async fn send_to(
        &self,
        base: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Answer {
        let mut request = self
            .http
            .request(method, format!("{base}{path}"))
            .header(AUTHORIZATION, format!("Bearer {}", self.token));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await.unwrap();
        let header = |name: &str| {
            response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
        };
        let status = response.status();
        let content_type = header("content-type").unwrap_or_default();
        let content_type = content_type.split(';').next().unwrap_or_default().to_owned();
        let etag = header("etag");
        let body = response.bytes().await.unwrap();
        Answer {
            status,
            content_type,
            etag,
            json: serde_json::from_slice(&body).unwrap_or_default(),
        }
    }

    /// `GET`
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    /// `POST` of JSON, whatever the answer is.
    pub async fn post(&self, path: &str, json: &Value) -> Answer {
        self.json(Method::POST, path, json).await
    }

    /// `PATCH` of JSON, whatever the answer is.
    pub async fn patch(&self, path: &str, json: &Value) -> Answer {
        self.json(Method::PATCH, path, json).await
    }

    /// `DELETE`
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], None).await
    }

    /// `POST` that must make an object; gives it.
    pub async fn create(&self, path: &str, json: &Value) -> Value {
        let answer = self.post(path, json).await;
        assert_eq!(
            answer.status,
            StatusCode::CREATED,
            "POST {path} {json:.400}\n{:#}",
            answer.json
        );
        answer.json
    }

    /// `PATCH` that must succeed; gives the object.
    pub async fn change(&self, path: &str, json: &Value) -> Value {
        let answer = self.patch(path, json).await;
        assert_eq!(answer.status, StatusCode::OK, "PATCH {path} {json:.400}\n{:#}", answer.json);
        answer.json
    }

    /// The trace of a login by its id or reference, as a person would read it in a test's output.
    pub async fn trace(&self, reference: &str) -> Value {
        let answer = self.get(&format!("/login-traces/{reference}")).await;
        assert_eq!(answer.status, StatusCode::OK, "no trace {reference}: {:#}", answer.json);
        answer.json
    }

    /// The latest trace.
    pub async fn latest_trace(&self) -> Value {
        self.get("/login-traces?limit=1").await.json["items"][0].clone()
    }

    async fn json(&self, method: Method, path: &str, json: &Value) -> Answer {
        let headers = [(CONTENT_TYPE.as_str(), "application/json")];
        self.send(method, path, &headers, Some(json.to_string().into_bytes())).await
    }
}
