//! A load balancer in front of several brokers, as dumb as they come: each request goes to the next one that says it is ready,
//! to any where none does.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use reqwest::Client;
use reqwest::header::{
    CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING,
};
use tokio::task::JoinHandle;

use crate::app;

/// Runs until it is dropped.
#[derive(Debug)]
pub struct Balancer {
    /// On 127.0.0.1.
    pub port: u16,
    inner: Arc<Inner>,
    checks: JoinHandle<()>,
    serving: JoinHandle<std::io::Result<()>>,
}

#[derive(Debug)]
struct Inner {
    http: Client,
    nodes: Mutex<Vec<Node>>,
    turn: AtomicUsize,
}

#[derive(Clone, Debug)]
struct Node {
    address: SocketAddr,
    ready: bool,
    served: usize,
}

/// Marks the balancer's own 502: a node went away, or none was there.
pub const NO_ANSWER: &str = "x-no-answer-of-a-node";
/// Between two questions for readiness; a draining node answers for longer than that.
const CHECK: Duration = Duration::from_millis(100);

impl Balancer {
    /// On a free port, in front of nobody yet.
    #[must_use]
    pub fn start() -> Self {
        let inner = Arc::new(Inner {
            http: app::client(),
            nodes: Mutex::default(),
            turn: AtomicUsize::new(0),
        });
        let data = web::Data::from(Arc::clone(&inner));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .app_data(web::PayloadConfig::new(4 << 20))
                .default_service(web::to(forward))
        })
        .workers(2)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap();
        let port = server.addrs()[0].port();
        let checks = tokio::spawn(check(Arc::clone(&inner)));
        Self { port, inner, checks, serving: tokio::spawn(server.run()) }
    }

    /// The nodes from now on, in this order; each takes requests once it is ready.
    pub fn set(&self, addresses: &[SocketAddr]) {
        let mut nodes = self.inner.nodes.lock().unwrap();
        let known = nodes.clone();
        let old = |address| known.iter().find(|node| node.address == address).cloned();
        let new = |address| Node { address, ready: false, served: 0 };
        *nodes = addresses.iter().map(|a| old(*a).unwrap_or_else(|| new(*a))).collect();
    }

    /// Which nodes are ready, and how many requests each has answered.
    #[must_use]
    pub fn nodes(&self) -> Vec<(bool, usize)> {
        self.inner.nodes.lock().unwrap().iter().map(|node| (node.ready, node.served)).collect()
    }

    /// Waits until this many nodes are ready; half a minute at most.
    pub async fn until_ready(&self, wanted: usize) {
        for _ in 0..1200 {
            if self.nodes().iter().filter(|(ready, _)| *ready).count() == wanted {
                return;
            }
            tokio::time::sleep(CHECK / 4).await;
        }
        panic!("not {wanted} nodes are ready: {:?}", self.nodes());
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.checks.abort();
        self.serving.abort();
    }
}

async fn check(inner: Arc<Inner>) {
    loop {
        let nodes = inner.nodes.lock().unwrap().clone();
        for node in nodes {
            let probe = inner.http.get(format!("http://{}/readyz", node.address));
            let ready = probe.send().await.is_ok_and(|answer| answer.status().is_success());
            for known in inner.nodes.lock().unwrap().iter_mut() {
                if known.address == node.address {
                    known.ready = ready;
                }
            }
        }
        tokio::time::sleep(CHECK).await;
    }
}

/// The next node in turn; one that cannot be connected to was sent nothing, so the next one is tried.
async fn forward(inner: web::Data<Inner>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let nodes = inner.nodes.lock().unwrap().clone();
    let ready: Vec<_> = nodes.iter().filter(|node| node.ready).collect();
    let able = if ready.is_empty() { nodes.iter().collect() } else { ready };
    for _ in 0..able.len() {
        let turn = inner.turn.fetch_add(1, Ordering::Relaxed);
        let address = able[turn % able.len()].address;
        match pass_on(&inner.http, address, &request, &body).await {
            Ok(answer) => {
                let mut nodes = inner.nodes.lock().unwrap();
                if let Some(node) = nodes.iter_mut().find(|node| node.address == address) {
                    node.served += 1;
                }
                return answer;
            }
            Err(error) if error.is_connect() => {}
            Err(error) => return no_answer(&format!("{error:?}")),
        }
    }
    no_answer("no node")
}

/// What the balancer says itself.
fn no_answer(why: &str) -> HttpResponse {
    HttpResponse::BadGateway().insert_header((NO_ANSWER, "1")).body(why.to_owned())
}

async fn pass_on(
    http: &Client,
    address: SocketAddr,
    request: &HttpRequest,
    body: &web::Bytes,
) -> reqwest::Result<HttpResponse> {
    let method = request.method().as_str().parse::<reqwest::Method>().unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in request.headers() {
        let name = HeaderName::from_bytes(name.as_str().as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers.remove(CONNECTION);
    headers.remove(CONTENT_LENGTH);
    let url = format!("http://{address}{}", request.uri());
    let sent = http.request(method, url).headers(headers).body(body.to_vec()).send().await?;
    let status = StatusCode::from_u16(sent.status().as_u16()).unwrap();
    let mut answer = HttpResponse::build(status);
    for (name, value) in sent.headers() {
        if ![CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].contains(name) {
            answer.append_header((name.as_str(), value.as_bytes()));
        }
    }
    Ok(answer.body(sent.bytes().await?))
}
