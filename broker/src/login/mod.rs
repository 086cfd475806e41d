//! One login, from a validated authorization request to a verified, normalized user.
//!
//! It reads as a straight line: [`home_realm`] chooses the connection, [`transaction`] remembers the login, the connection's
//! connector asks the IdP and verifies its answer, [`claims`] puts it into our words.

pub mod claims;
pub mod email;
#[cfg(test)]
mod fixtures;
pub mod home_realm;
pub mod presets;
pub mod request;
pub mod sealed;
pub mod transaction;

pub use request::{AuthorizationRequest, Prompt, ResponseMode};
