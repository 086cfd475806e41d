//! Refusals of the management API as problem documents (RFC 9457).

use std::fmt;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};

use crate::catalog::CatalogError;
use crate::http::error::{FieldError, Problem};

/// A refusal.
#[derive(Debug)]
pub(super) struct Failure(Problem);

impl Failure {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self(Problem::new(status, detail))
    }

    /// 422 with every problem.
    pub(super) fn fields(errors: Vec<FieldError>) -> Self {
        let mut problem = Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "The object is not as it must be; `errors` names each field.",
        );
        problem.errors = errors;
        Self(problem)
    }

    /// The problem, for who answers in another shape.
    pub(super) const fn problem(&self) -> &Problem {
        &self.0
    }

    /// 409 with what stands in the way.
    pub(super) fn conflict(errors: Vec<FieldError>) -> Self {
        let text = "It cannot be done as things are; `errors` says why.";
        let mut problem = Problem::new(StatusCode::CONFLICT, text);
        problem.errors = errors;
        Self(problem)
    }

    /// 403 with every field that is out of reach.
    pub(super) fn forbidden(errors: Vec<FieldError>) -> Self {
        let mut problem = Problem::new(StatusCode::FORBIDDEN, "This token is not good for that.");
        problem.errors = errors;
        Self(problem)
    }

    /// 422 with one problem.
    pub(super) fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::fields(vec![FieldError { field: field.into(), message: message.into() }])
    }

    pub(super) fn not_found(kind: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("There is no such {kind}."))
    }

    /// Our own fault; the cause goes to the log.
    pub(super) fn internal(what: &'static str, cause: &dyn fmt::Display) -> Self {
        tracing::error!(what, %cause, "management API");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, format!("{what} failed; the log says why."))
    }
}

impl From<CatalogError> for Failure {
    fn from(error: CatalogError) -> Self {
        let message = error.to_string();
        match error {
            CatalogError::Conflict { field } => {
                let mut problem =
                    Problem::new(StatusCode::CONFLICT, format!("`{field}` is taken."));
                problem.errors =
                    vec![FieldError { field: field.to_owned(), message: "is taken".to_owned() }];
                Self(problem)
            }
            CatalogError::Tombstoned { field } => {
                let mut problem = Problem::new(StatusCode::CONFLICT, message);
                problem.errors = vec![FieldError {
                    field: field.to_owned(),
                    message: "was used before".to_owned(),
                }];
                Self(problem)
            }
            CatalogError::Missing { field } => {
                Self::field(field, "names something that does not exist")
            }
            CatalogError::Cursor => Self::field("cursor", "is not a cursor of this list"),
            CatalogError::NotFound => Self::new(StatusCode::NOT_FOUND, "There is no such object."),
            CatalogError::Referenced { by } => Self::new(
                StatusCode::CONFLICT,
                format!("It cannot be deleted while {by} refers to it."),
            ),
            CatalogError::Stale => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "The object was changed since you read it; read it again.",
            ),
            CatalogError::Unavailable(cause) => {
                tracing::error!(%cause, "management API: the database is unavailable");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The database is unavailable; try again.",
                )
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.detail)
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.0.response();
        if self.0.status == 401 {
            response.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                header::HeaderValue::from_static("Bearer realm=\"homerealm management API\""),
            );
        }
        response
    }
}
