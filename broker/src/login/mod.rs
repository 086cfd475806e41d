//! One login, from a validated authorization request to a verified, normalized user.
//!
//! It reads as a straight line. [`begin`]: [`home_realm`] chooses the connection by [`facts`], [`transaction`] remembers the
//! login, the connection's connector ([`connectors`]) asks the IdP. [`receive`]: the answer is verified and parked.
//! [`complete`]: it is bound to its browser, [`standing`] is checked again, [`claims`] puts the statement into our words,
//! [`users`] finds the user. Whatever ends a login is a [`failure`] and leaves a [`trace`].

pub mod access;
mod arrival;
pub mod begin;
pub mod claims;
pub mod complete;
pub mod completed;
pub mod connectors;
pub mod decryptions;
pub mod email;
pub mod ending;
mod epoch;
pub mod error;
pub mod facts;
pub mod failure;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod home_realm;
mod initiated;
pub mod membership;
pub mod password;
pub mod presets;
pub mod receive;
pub mod replay;
pub mod request;
pub mod roles;
pub mod sealed;
pub mod session;
pub mod single_sign_on;
pub mod standing;
pub mod trace;
pub mod transaction;
pub mod urls;
pub mod users;

pub use begin::{Started, Step, start};
pub use completed::CompletedLogin;
pub use error::{ClientError, ErrorPage, LoginError};
pub use request::access::{Access, ApiAccess};
pub use request::{AnswerTo, AuthorizationRequest, Prompt, ResponseMode, WayThere};
pub use transaction::Browser;
