//! Refusals of `/oidc/register` (RFC 7591 §3.2.2, RFC 7592 §2, RFC 6750 §3).

use std::fmt;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};

use crate::admin::failure::Failure;
use crate::catalog::CatalogError;
use crate::http::error;

/// Why nothing is registered, shown or changed.
#[derive(Debug)]
pub(super) enum Refusal {
    /// A store did not answer.
    Away(String),
    /// The body is not one.
    Body { status: u16, text: String },
    /// The token is none of ours, expired, used up, or of something that is switched off.
    InvalidToken,
    /// `invalid_client_metadata`
    Metadata(String),
    /// No bearer token came.
    NoToken,
    /// Registration is off.
    NotServed,
    /// `invalid_redirect_uri`
    RedirectUri(String),
    /// `unapproved_software_statement`
    SoftwareStatement,
}

impl Refusal {
    pub(super) fn metadata(text: impl Into<String>) -> Self {
        Self::Metadata(text.into())
    }

    /// The body could not be read.
    pub(super) fn of_body(failure: &Failure) -> Self {
        let problem = failure.problem();
        Self::Body { status: problem.status, text: problem.detail.clone() }
    }

    fn response(&self) -> HttpResponse {
        let bad = |code, text: &str| error::oauth(StatusCode::BAD_REQUEST, code, Some(text));
        match self {
            Self::Away(cause) => {
                tracing::error!(cause, "a registration could not be served");
                error::oauth(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", None)
            }
            Self::Body { status, text } => {
                let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_REQUEST);
                error::oauth(status, "invalid_request", Some(text))
            }
            Self::InvalidToken => {
                let text = "The token is not one that registers or manages this.";
                let value = r#"Bearer realm="homerealm", error="invalid_token""#;
                unauthorized(
                    error::oauth(StatusCode::UNAUTHORIZED, "invalid_token", Some(text)),
                    value,
                )
            }
            Self::Metadata(text) => bad("invalid_client_metadata", text),
            Self::NoToken => {
                unauthorized(HttpResponse::Unauthorized().finish(), r#"Bearer realm="homerealm""#)
            }
            Self::NotServed => {
                let text = "Registration is switched off.";
                error::oauth(StatusCode::NOT_FOUND, "invalid_request", Some(text))
            }
            Self::RedirectUri(text) => bad("invalid_redirect_uri", text),
            Self::SoftwareStatement => {
                bad("unapproved_software_statement", "Software statements are not taken here.")
            }
        }
    }
}

fn unauthorized(mut response: HttpResponse, challenge: &'static str) -> HttpResponse {
    let value = header::HeaderValue::from_static(challenge);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    response
}

/// What the rules of `/api/v1/clients` refuse, in this endpoint's words.
impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let problem = failure.problem();
        if problem.status >= 500 {
            return Self::Away(problem.detail.clone());
        }
        let told = problem.errors.iter().map(|e| format!("{}: {}", e.field, e.message));
        let text = told.collect::<Vec<_>>().join("; ");
        let is_uri = |field: &str| field.split('.').next() == Some("redirect_uris");
        if problem.errors.iter().any(|e| is_uri(&e.field)) {
            Self::RedirectUri(text)
        } else {
            Self::Metadata(text)
        }
    }
}

impl From<CatalogError> for Refusal {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Stale => Self::Body {
                status: 409,
                text: "The registration was changed in the meantime; read it again.".to_owned(),
            },
            CatalogError::NotFound => Self::InvalidToken,
            CatalogError::Conflict { .. }
            | CatalogError::Cursor
            | CatalogError::Missing { .. }
            | CatalogError::Referenced { .. }
            | CatalogError::Tombstoned { .. }
            | CatalogError::Unavailable(_) => Self::Away(error.to_string()),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        self.response().status()
    }

    fn error_response(&self) -> HttpResponse {
        self.response()
    }
}
