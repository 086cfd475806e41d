//! `POST /oauth/introspect` (RFC 7662), signed where that is asked for (RFC 9701).

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};

use super::{Came, token};
use crate::app::App;
use crate::http::error;
use crate::oauth::introspection::{Form, Introspection, SIGNED_TYPE, introspect as look_at};

pub(super) async fn introspect(
    app: web::Data<App>,
    request: HttpRequest,
    body: String,
) -> HttpResponse {
    let params = match token::form(&request, &body) {
        Ok(params) => params,
        Err(text) => return error::oauth(StatusCode::BAD_REQUEST, "invalid_request", Some(text)),
    };
    let came = Came::with(&app, &request);
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    match look_at(&app, came.token_request(&params), wanted(&request), app.now()).await {
        Ok(Introspection::Json(answer)) => response.json(answer),
        Ok(Introspection::Signed(answer)) => {
            response.content_type(format!("application/{SIGNED_TYPE}")).body(answer)
        }
        Err(error) => token::refusal(&error),
    }
}

/// RFC 9701 §4: signed for who names that media type.
fn wanted(request: &HttpRequest) -> Form {
    let named = |value: &header::HeaderValue| {
        let value = value.to_str().unwrap_or_default().to_ascii_lowercase();
        value.split([',', ';']).any(|part| part.trim() == format!("application/{SIGNED_TYPE}"))
    };
    if request.headers().get_all(header::ACCEPT).any(named) { Form::Signed } else { Form::Json }
}
