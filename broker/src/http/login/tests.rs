//! Whole logins over real sockets, against an IdP and an OP in the test.

mod harness;
mod idp;
mod op;

mod oidc;
mod pages;
mod saml;
mod whole;
