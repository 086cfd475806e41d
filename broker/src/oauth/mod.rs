//! The authorization server: codes, tokens and what the clients need to know about them.
//!
//! [`authorize`] checks a request, the login below establishes the user, [`answer`] gives the client its code (through
//! [`consent`] where needed), [`token`] redeems it, [`token_issuer`] mints.

pub mod access_token;
pub mod answer;
pub mod authorize;
mod barred;
pub mod claims;
pub mod client_assertion;
pub mod client_authentication;
pub mod client_certificate;
pub mod client_keys;
pub mod code;
pub mod confirmation;
pub mod consent;
pub mod device;
pub mod discovery;
pub mod dpop;
pub mod error;
pub mod id_token_hint;
pub mod introspection;
mod jwt_times;
pub mod logout;
pub mod origins;
mod own_token;
pub mod par;
pub mod params;
pub mod pkce;
pub mod refresh;
mod request_object;
pub mod revocation;
pub mod scope;
pub mod sender_constraint;
pub mod silent;
pub mod target;
pub mod token;
pub mod token_issuer;
pub mod userinfo;

pub use crate::catalog::redirect_uri;

#[cfg(test)]
pub(crate) mod fixtures;
