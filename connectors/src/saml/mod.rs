//! SAML 2.0 web browser SSO upstream (SAML Profiles §4.1).

pub mod c14n;
mod decode;
mod envelope;
mod names;
mod rejection;
mod tree;

pub use envelope::{Envelope, Status};
pub use rejection::Rejection;
