//! How much of a body is read, and how long it may take.

use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::{InternalError, PayloadError, UrlencodedError};
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, FormConfig, JsonConfig, PayloadConfig, ServiceConfig};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use futures_util::{Stream, stream};
use tokio::time::{Instant, timeout_at};

use super::error;

/// Forms and everything that sets no other limit.
pub const FORM_BYTES: usize = 64 * 1024;
/// A SAML response in a form post: base64 of the largest response that a connection may take, and its RelayState.
pub const SAML_FORM_BYTES: usize = 512 * 1024;
/// A management API body; the largest is an IdP's metadata.
pub const METADATA_BYTES: usize = 2 * 1024 * 1024;

/// From the head to the last byte of the body.
const READ_TIME: Duration = Duration::from_secs(10);

/// The limits of every route that sets none of its own.
pub fn configure(routes: &mut ServiceConfig) {
    routes
        .app_data(PayloadConfig::new(FORM_BYTES))
        .app_data(form(FORM_BYTES))
        .app_data(json(FORM_BYTES));
}

/// A form of at most so many bytes; put it on the resource as `app_data`.
pub fn form(bytes: usize) -> FormConfig {
    FormConfig::default().limit(bytes).error_handler(|fault, request| {
        let status = if let UrlencodedError::Payload(fault) = &fault {
            status(fault)
        } else if matches!(fault, UrlencodedError::Overflow { .. }) {
            StatusCode::PAYLOAD_TOO_LARGE
        } else {
            StatusCode::BAD_REQUEST
        };
        refused(fault, request, status)
    })
}

/// A JSON document of at most so many bytes; put it on the scope as `app_data`.
pub fn json(bytes: usize) -> JsonConfig {
    JsonConfig::default().limit(bytes).error_handler(|fault, request| {
        use actix_web::error::JsonPayloadError as Fault;
        let status = if let Fault::Payload(fault) = &fault {
            status(fault)
        } else if matches!(fault, Fault::Overflow { .. } | Fault::OverflowKnownLength { .. }) {
            StatusCode::PAYLOAD_TOO_LARGE
        } else {
            StatusCode::BAD_REQUEST
        };
        refused(fault, request, status)
    })
}

/// Gives the rest of the body a deadline: the server itself waits for ever.
pub(super) fn with_deadline(request: &mut ServiceRequest) {
    let payload = request.take_payload();
    if matches!(payload, Payload::None) {
        return;
    }
    request.set_payload(Payload::Stream { payload: deadline(payload, Instant::now() + READ_TIME) });
}

type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>;

fn deadline(payload: Payload, end: Instant) -> Chunks {
    Box::pin(stream::unfold(Some(payload), move |payload| async move {
        use futures_util::StreamExt as _;
        let mut payload = payload?;
        match timeout_at(end, payload.next()).await {
            Ok(None) => None,
            Ok(Some(chunk)) => {
                let rest = chunk.is_ok().then_some(payload);
                Some((chunk, rest))
            }
            Err(_) => Some((Err(PayloadError::Io(std::io::ErrorKind::TimedOut.into())), None)),
        }
    }))
}

/// The refusal of a body that a handler without a form or JSON document was to get: the server's own text has not the shape
/// that the callers of the path read.
pub(super) fn unread<B>(response: &ServiceResponse<B>) -> Option<HttpResponse> {
    let fault = response.response().error()?;
    let status = match fault.as_error::<PayloadError>() {
        Some(fault) => status(fault),
        // not text
        None if fault.as_error::<InternalError<&'static str>>().is_some() => response.status(),
        None => return None,
    };
    Some(error::answer(response.request().path(), status, text(status)))
}

fn status(fault: &PayloadError) -> StatusCode {
    let late = |fault: &std::io::Error| fault.kind() == std::io::ErrorKind::TimedOut;
    if matches!(fault, PayloadError::Overflow) {
        StatusCode::PAYLOAD_TOO_LARGE
    } else if matches!(fault, PayloadError::Io(fault) if late(fault)) {
        StatusCode::REQUEST_TIMEOUT
    } else {
        StatusCode::BAD_REQUEST
    }
}

fn refused(
    fault: impl std::fmt::Display + std::fmt::Debug + 'static,
    request: &HttpRequest,
    status: StatusCode,
) -> actix_web::Error {
    let response = error::answer(request.path(), status, text(status));
    InternalError::from_response(fault, response).into()
}

const fn text(status: StatusCode) -> &'static str {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => "The body is too large.",
        StatusCode::REQUEST_TIMEOUT => "The body did not arrive in time.",
        _ => "The body cannot be read.",
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;

    use super::*;

    #[tokio::test]
    async fn a_stalled_body_ends_at_the_deadline() {
        let stalled =
            stream::iter([Ok(Bytes::from_static(b"ten bytes!"))]).chain(stream::pending());
        let payload = Payload::Stream { payload: Box::pin(stalled) as Chunks };

        let mut chunks = deadline(payload, Instant::now());

        assert_eq!(chunks.next().await.unwrap().unwrap(), "ten bytes!");
        let fault = chunks.next().await.unwrap().unwrap_err();
        assert_eq!(status(&fault), StatusCode::REQUEST_TIMEOUT);
        assert!(chunks.next().await.is_none());
    }
}
