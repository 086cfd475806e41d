//! `GET|POST /userinfo` (OIDC Core §5.3.1, RFC 6750).

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};

use super::{cors, reply, token};
use crate::app::App;
use crate::http::error;
use crate::oauth::client_authentication::registered;
use crate::oauth::userinfo::{UserInfoError, userinfo};

/// No token at all: RFC 6750 §3.1 wants no error code then.
const NO_TOKEN: &str = r#"Bearer realm="homerealm""#;

pub(super) async fn by_header(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    serve(&app, &request, bearer(&request)).await
}

/// RFC 6750 §2.2; two ways at once are refused (§2).
pub(super) async fn by_header_or_form(
    app: web::Data<App>,
    request: HttpRequest,
    body: String,
) -> HttpResponse {
    let form = if body.is_empty() { None } else { token::form(&request, &body).ok() };
    let in_body = form.as_ref().filter(|form| form.has("access_token"));
    let has_header = request.headers().contains_key(header::AUTHORIZATION);
    match (in_body, has_header) {
        (Some(_), true) => {
            refusal(StatusCode::BAD_REQUEST, "invalid_request", "The token came twice.")
        }
        (Some(form), false) => match form.get("access_token") {
            Some(token) => serve(&app, &request, Some(token)).await,
            None => refusal(StatusCode::BAD_REQUEST, "invalid_request", "The token came twice."),
        },
        (None, _) => serve(&app, &request, bearer(&request)).await,
    }
}

async fn serve(app: &App, request: &HttpRequest, token: Option<&str>) -> HttpResponse {
    let Some(token) = token else { return challenge(StatusCode::UNAUTHORIZED, NO_TOKEN) };
    match userinfo(app, token, app.now()).await {
        Ok(info) => {
            let client = registered(&app.catalog, &info.client_id).await.ok().flatten();
            let mut response = HttpResponse::Ok().json(&info);
            cors::allow(request, client.as_deref(), &mut response);
            response
        }
        Err(UserInfoError::InsufficientScope) => {
            let text = "The access token was not granted the scope openid.";
            refusal(StatusCode::FORBIDDEN, "insufficient_scope", text)
        }
        Err(UserInfoError::InvalidToken) => {
            let text = "The access token is not ours, or expired, or revoked.";
            refusal(StatusCode::UNAUTHORIZED, "invalid_token", text)
        }
        Err(UserInfoError::Trouble(trouble)) => reply::trouble(&trouble),
    }
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    let (scheme, token) = super::authorization(request)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim_matches(' '))
}

/// RFC 6750 §3: the error stands in the challenge; the body repeats it for people.
fn refusal(status: StatusCode, error: &'static str, text: &'static str) -> HttpResponse {
    let value = format!(r#"Bearer realm="homerealm", error="{error}", error_description="{text}""#);
    let mut response = error::oauth(status, error, Some(text));
    if let Ok(value) = header::HeaderValue::from_str(&value) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    response
}

fn challenge(status: StatusCode, value: &'static str) -> HttpResponse {
    HttpResponse::build(status).insert_header((header::WWW_AUTHENTICATE, value)).finish()
}
