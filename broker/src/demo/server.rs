//! A small HTTP server for each part of the demo: loopback, one worker, its own Host only.

use std::net::TcpListener;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServerHandle, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App, Error, HttpResponse, HttpServer};

use super::pages;

/// A part of the demo that answers.
#[derive(Clone, Debug)]
pub struct Served {
    origin: String,
    handle: ServerHandle,
}

/// `127.0.0.1:PORT`.
struct Authority(String);

/// Seconds that running requests get to finish after a stop.
const DRAIN_SECONDS: u64 = 2;

/// The forms of the sample IdPs lead to the broker and from there to the site: all of them on loopback.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     form-action 'self' http://localhost:* http://127.0.0.1:*; base-uri 'none'; frame-ancestors 'none'";

const ALWAYS: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

impl Served {
    /// `http://127.0.0.1:PORT`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// An address of it; `path` starts with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Running requests finish, then it is gone.
    pub async fn stop(&self) {
        self.handle.stop(true).await;
    }
}

/// How a bound socket is reached.
///
/// # Errors
/// As the operating system says.
pub(super) fn origin(listener: &TcpListener) -> std::io::Result<String> {
    Ok(format!("http://{}", listener.local_addr()?))
}

/// Serves these routes on a bound socket.
///
/// # Errors
/// As the operating system says.
pub(super) fn serve(
    listener: TcpListener,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> std::io::Result<Served> {
    let origin = origin(&listener)?;
    let authority = Data::new(Authority(listener.local_addr()?.to_string()));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(authority.clone())
            .wrap(from_fn(guard))
            .configure(pages::assets)
            .configure(routes.clone())
            .default_service(web::to(nothing))
    })
    .workers(1)
    .shutdown_timeout(DRAIN_SECONDS)
    .disable_signals()
    .listen(listener)?
    .run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok(Served { origin, handle })
}

/// Any web site can point a name at loopback: only our own is answered (RULES 37).
async fn guard<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let own = request.app_data::<Data<Authority>>().cloned();
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let meant = own.is_some_and(|own| host.is_some_and(|host| host == own.0));
    let mut response = if meant {
        next.call(request).await?.map_into_left_body()
    } else {
        let refusal = HttpResponse::build(StatusCode::MISDIRECTED_REQUEST)
            .body("This sample answers at its own address on 127.0.0.1 only.");
        request.into_response(refusal).map_into_right_body()
    };
    for (name, value) in ALWAYS {
        if !response.headers().contains_key(&name) {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    }
    Ok(response)
}

async fn nothing() -> HttpResponse {
    pages::problem(
        StatusCode::NOT_FOUND,
        "There is no such page",
        "Go back, or start at the sample app.",
    )
}
