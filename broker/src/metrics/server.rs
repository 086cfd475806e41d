//! `/metrics` on an address of its own, where no user comes.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::web::Data;
use actix_web::{App as ActixApp, HttpResponse, HttpServer, web};

use super::scrape;
use crate::app::App;

/// Serves on an already bound socket.
///
/// # Errors
/// As the operating system says.
pub fn serve(app: Arc<App>, listener: TcpListener) -> std::io::Result<Server> {
    let data = Data::from(app);
    let server = HttpServer::new(move || {
        ActixApp::new().app_data(data.clone()).route("/metrics", web::get().to(metrics))
    })
    .workers(1)
    .max_connections(64)
    .client_request_timeout(Duration::from_secs(5))
    .shutdown_timeout(1)
    .disable_signals();
    Ok(server.listen(listener)?.run())
}

async fn metrics(app: Data<App>) -> HttpResponse {
    let text = scrape::text(&app).await;
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text)
}
