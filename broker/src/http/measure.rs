//! How long requests took, by route.

use std::time::Instant;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::web::Data;

use crate::app::App;

/// Middleware: notes method, matched route and status, never the path.
///
/// # Errors
/// As the services below.
pub async fn requests<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let began = Instant::now();
    let app = request.app_data::<Data<App>>().cloned();
    let method = word(request.method());
    let response = next.call(request).await?;
    if let Some(app) = app {
        let pattern = response.request().match_pattern();
        let route = pattern.as_deref().unwrap_or("unmatched");
        app.metrics.request(method, route, response.status().as_u16(), began.elapsed());
    }
    Ok(response)
}

/// Anybody can make up methods.
fn word(method: &Method) -> &'static str {
    match method.as_str() {
        "DELETE" => "DELETE",
        "GET" => "GET",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        "PATCH" => "PATCH",
        "POST" => "POST",
        "PUT" => "PUT",
        _ => "other",
    }
}
