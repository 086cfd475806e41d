//! `POST /oauth/introspect` (RFC 7662), signed where that is asked for (RFC 9701).

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};

use super::Came;
use super::token::{form, refusal, uncached, unreadable};
use crate::app::App;
use crate::oauth::introspection::{Form, Introspection, SIGNED_TYPE, introspect as look_at};

pub(super) async fn introspect(
    app: web::Data<App>,
    request: HttpRequest,
    body: String,
) -> HttpResponse {
    let params = match form(&request, &body) {
        Ok(params) => params,
        Err(why) => return unreadable(why),
    };
    let came = Came::with(&app, &request);
    match look_at(&app, came.token_request(&params), wanted(&request), app.now()).await {
        Ok(Introspection::Json(answer)) => uncached(StatusCode::OK).json(answer),
        Ok(Introspection::Signed(answer)) => {
            let kind = format!("application/{SIGNED_TYPE}");
            uncached(StatusCode::OK).content_type(kind).body(answer)
        }
        Err(error) => refusal(&error),
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
