//! SAML 2.0 web browser SSO upstream (SAML Profiles §4.1).

mod assertion;
mod attributes;
pub mod c14n;
mod checks;
mod decode;
mod envelope;
mod instant;
mod names;
mod rejection;
mod tree;
mod walk;

pub use envelope::{Envelope, Status};
pub use rejection::Rejection;
