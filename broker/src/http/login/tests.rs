//! Whole logins over real sockets, against an IdP and an OP in the test.

pub(crate) mod harness;
pub(crate) mod idp;
pub(crate) mod op;

mod backup;
mod flood;
mod newcomers;
mod oauth2;
mod oidc;
mod pages;
mod password;
mod saml;
mod whole;
