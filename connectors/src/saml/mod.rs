//! SAML 2.0 web browser SSO upstream (SAML Profiles §4.1).

mod algorithms;
mod assertion;
mod attributes;
mod begin;
mod bindings;
pub mod c14n;
mod checks;
mod connector;
mod decode;
mod decrypt;
mod envelope;
mod instant;
mod lookup;
mod names;
mod rejection;
mod response;
mod shape;
mod signature;
#[cfg(test)]
mod testing;
mod tree;
mod verify;
mod walk;

pub use connector::{SamlConnector, SamlSettings};
pub use envelope::{Envelope, Status};
pub use lookup::SamlResponse;
pub use rejection::Rejection;
pub use verify::{Received, VerifiedSaml, VerifyPolicy};
