//! The authorization server: codes, tokens and what the clients need to know about them.
//!
//! [`authorize`] checks a request, the login below establishes the user, [`answer`] gives the client its code (through
//! [`consent`] where needed), [`token`] redeems it, [`token_issuer`] mints.

pub mod answer;
pub mod authorize;
pub mod claims;
pub mod client_authentication;
pub mod code;
pub mod consent;
pub mod device;
pub mod discovery;
pub mod error;
pub mod origins;
pub mod params;
pub mod pkce;
pub mod scope;
pub mod target;
pub mod token;
pub mod token_issuer;
pub mod userinfo;

pub use crate::catalog::redirect_uri;

#[cfg(test)]
pub(crate) mod fixtures;
