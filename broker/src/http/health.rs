//! `/healthz`: the process is alive. `/readyz`: it can serve.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::error;
use crate::app::App;

pub(super) fn routes(routes: &mut web::ServiceConfig) {
    routes.route("/healthz", web::get().to(alive)).route("/readyz", web::get().to(ready));
}

async fn alive() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("alive\n")
}

/// Database and session store answer, and no stop is under way.
async fn ready(app: web::Data<App>) -> HttpResponse {
    let not_ready =
        if app.is_stopping() { Some("stopping".to_owned()) } else { app.not_ready().await };
    match not_ready {
        None => HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ready\n"),
        Some(what) => error::answer(
            "/readyz",
            StatusCode::SERVICE_UNAVAILABLE,
            &format!("Not ready: {what}."),
        ),
    }
}
