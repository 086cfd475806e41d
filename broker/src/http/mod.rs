//! The edge: the server, its limits, and what every answer carries.

pub mod assets;
pub mod body;
pub mod client_address;
pub mod client_certificate;
pub mod edge;
pub mod error;
pub mod health;
pub mod limits;
pub mod login;
pub mod measure;
pub mod oauth;
pub mod pages;
pub mod routes;
#[cfg(test)]
mod tests;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{App as ActixApp, HttpServer, web};

use crate::app::App;

/// Seconds that running requests get to finish after a stop.
const DRAIN_SECONDS: u64 = 7;

/// How long a connection may be idle. Longer than balancers and proxies keep theirs (most 60 s): who closes first must be the one
/// that would use it again, else a request meets a closing connection and becomes a 502.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Connections that one worker holds at once; more wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 8192;

/// All routes: one line a part. [`routes::gate`] lets through what stands in its table.
pub fn routes(routes: &mut web::ServiceConfig) {
    body::configure(routes);
    health::routes(routes);
    assets::routes(routes);
    login::routes(routes);
    oauth::routes(routes);
    crate::admin::routes(routes);
    routes.default_service(web::to(error::not_found));
}

/// Serves `app` on an already bound socket, with TLS where a configuration is given.
///
/// # Errors
/// As the operating system says.
pub fn server(
    app: Arc<App>,
    listener: TcpListener,
    tls: Option<rustls::ServerConfig>,
) -> std::io::Result<Server> {
    let data = web::Data::from(app);
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(data.clone())
            .wrap(from_fn(routes::gate))
            .wrap(from_fn(limits::enforce))
            .wrap(from_fn(edge::guard))
            .wrap(from_fn(measure::requests))
            .configure(routes)
    })
    .on_connect(client_certificate::keep)
    .max_connections(MAX_CONNECTIONS)
    .keep_alive(KEEP_ALIVE)
    .client_request_timeout(Duration::from_secs(5))
    .shutdown_timeout(DRAIN_SECONDS)
    .disable_signals();
    let server = match tls {
        Some(tls) => server.listen_rustls_0_23(listener, tls)?,
        None => server.listen(listener)?,
    };
    Ok(server.run())
}
