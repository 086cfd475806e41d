//! The smallest HTTP server that can be an OpenID Provider: fixed answers by path, requests counted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(body: &Value) -> Self {
        Self {
            status: 200,
            headers: "Content-Type: application/json\r\n".to_owned(),
            body: body.to_string(),
        }
    }

    pub(crate) fn text(content_type: &str, body: &str) -> Self {
        Self {
            status: 200,
            headers: format!("Content-Type: {content_type}\r\n"),
            body: body.to_owned(),
        }
    }

    pub(crate) fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn header(mut self, header: &str) -> Self {
        self.headers.push_str(header);
        self.headers.push_str("\r\n");
        self
    }
}

#[derive(Default)]
struct Shared {
    answers: HashMap<String, Answer>,
    requests: Vec<(String, String)>,
}

pub(crate) struct Op {
    issuer: String,
    shared: Arc<Mutex<Shared>>,
}

impl Op {
    /// A provider with a discovery document and this key.
    pub(crate) async fn start(jwk: &Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Mutex::new(Shared::default()));
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&serving)));
            }
        });
        let op = Self { issuer, shared };
        op.discovery(&json!({}));
        op.keys(std::slice::from_ref(jwk));
        op
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(crate) fn answer(&self, path: &str, answer: Answer) {
        self.shared.lock().unwrap().answers.insert(path.to_owned(), answer);
    }

    pub(crate) fn keys(&self, keys: &[Value]) {
        self.answer("/jwks", Answer::json(&json!({ "keys": keys })));
    }

    /// The discovery document with these members replaced.
    pub(crate) fn discovery(&self, changes: &Value) {
        let at = |path: &str| format!("{}{path}", self.issuer);
        let mut document = json!({
            "issuer": self.issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
            "jwks_uri": at("/jwks"), "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["ES256", "RS256"]
        });
        for (name, value) in changes.as_object().unwrap() {
            document.as_object_mut().unwrap().insert(name.clone(), value.clone());
        }
        self.answer("/.well-known/openid-configuration", Answer::json(&document));
    }

    pub(crate) fn requests(&self, path: &str) -> Vec<String> {
        let shared = self.shared.lock().unwrap();
        shared.requests.iter().filter(|(to, _)| to == path).map(|(_, text)| text.clone()).collect()
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Mutex<Shared>>) {
    while let Some(request) = read(&mut stream).await {
        let target = request.split(' ').nth(1).unwrap_or_default();
        let path = target.split('?').next().unwrap_or_default().to_owned();
        let answer = {
            let mut shared = shared.lock().unwrap();
            shared.requests.push((path.clone(), request));
            let missing = Answer::json(&json!({ "error": "not_found" })).status(404);
            shared.answers.get(&path).cloned().unwrap_or(missing)
        };
        let Answer { status, headers, body } = answer;
        let text =
            format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// One request with its body, or nothing where the connection is closed.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let length = stream.read(&mut chunk).await.ok().filter(|length| *length > 0)?;
        bytes.extend_from_slice(&chunk[..length]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let announced = head.lines().find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok()
        });
        if body.len() >= announced.unwrap_or(0) {
            return Some(text);
        }
    }
}
