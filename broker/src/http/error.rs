//! The one place that turns errors into HTTP: JSON (RFC 6749 §5.2), problem document (RFC 9457), or plain text.
//!
//! Redirects (RFC 6749 §4.1.2.1) and pages are made where the client and the page are known.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

/// Seconds that a client waits after a 503 before it asks again.
pub const RETRY_AFTER_SECONDS: u32 = 2;

/// A problem document (RFC 9457).
#[derive(Clone, Debug, Eq, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the status says what kind it is (RFC 9457 §4.2.1).
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The status' reason phrase.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened, for a person.
    pub detail: String,
    /// What is wrong with which field; all at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// One wrong field.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// Dotted path such as `options.metadata_xml`.
    pub field: String,
    /// What is wrong.
    pub message: String,
}

#[derive(Serialize)]
struct OauthError<'a> {
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_description: Option<&'a str>,
}

impl Problem {
    /// Without field errors.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: reason(status).to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
        }
    }

    /// As an answer; a 503 says when to come back.
    pub fn response(&self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(self).unwrap_or_default();
        build(status).content_type("application/problem+json").body(body)
    }
}

/// An error of an OAuth endpoint (RFC 6749 §5.2); the caller adds `WWW-Authenticate` where one belongs.
pub fn oauth(status: StatusCode, error: &str, description: Option<&str>) -> HttpResponse {
    let body = OauthError { error, error_description: description };
    build(status).insert_header((header::CACHE_CONTROL, "no-store")).json(body)
}

/// An error of the edge itself, in the shape that the callers of this path read.
pub fn answer(path: &str, status: StatusCode, text: &str) -> HttpResponse {
    if path.starts_with("/api/") {
        return Problem::new(status, text).response();
    }
    let oauth_paths = ["/oauth/", "/oidc/register"];
    if oauth_paths.iter().any(|known| path.starts_with(known)) || path == "/userinfo" {
        let error = match status {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                "temporarily_unavailable"
            }
            StatusCode::INTERNAL_SERVER_ERROR => "server_error",
            _ => "invalid_request",
        };
        return oauth(status, error, Some(text));
    }
    build(status).content_type("text/plain; charset=utf-8").body(format!("{text}\n"))
}

/// What there is no route for.
pub async fn not_found(request: HttpRequest) -> HttpResponse {
    nothing_at(request.path())
}

/// 404 for a path that there is no route for.
pub(super) fn nothing_at(path: &str) -> HttpResponse {
    answer(path, StatusCode::NOT_FOUND, "There is nothing at this address.")
}

fn build(status: StatusCode) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.insert_header((header::RETRY_AFTER, RETRY_AFTER_SECONDS.to_string()));
    }
    response
}

fn reason(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Error")
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;

    use super::*;

    async fn read(response: HttpResponse) -> (u16, String, String) {
        let kind =
            response.headers().get(header::CONTENT_TYPE).unwrap().to_str().unwrap().to_owned();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body()).await.unwrap();
        (status, kind, String::from_utf8(body.to_vec()).unwrap())
    }

    #[actix_web::test]
    async fn each_path_gets_the_shape_that_its_callers_read() {
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        let (code, kind, body) = read(answer("/api/v1/clients", status, "Too much.")).await;
        assert_eq!((code, kind.as_str()), (413, "application/problem+json"));
        assert!(
            body.contains(r#""title":"Payload Too Large","status":413,"detail":"Too much.""#),
            "{body}"
        );

        let (code, kind, body) = read(answer("/oauth/token", status, "Too much.")).await;
        assert_eq!((code, kind.as_str()), (413, "application/json"));
        assert_eq!(body, r#"{"error":"invalid_request","error_description":"Too much."}"#);

        let (code, kind, body) = read(answer("/login", status, "Too much.")).await;
        assert_eq!(
            (code, kind.as_str(), body.as_str()),
            (413, "text/plain; charset=utf-8", "Too much.\n")
        );
    }

    #[test]
    fn unavailable_says_when_to_come_back() {
        let response = oauth(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", None);
        assert_eq!(response.headers().get(header::RETRY_AFTER).unwrap(), "2");
        assert_eq!(response.headers().get(header::CACHE_CONTROL).unwrap(), "no-store");
    }
}
