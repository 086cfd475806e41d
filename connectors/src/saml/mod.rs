//! SAML 2.0 web browser SSO upstream (SAML Profiles §4.1).

mod envelope;
mod rejection;

pub use envelope::{Envelope, Status};
pub use rejection::Rejection;
