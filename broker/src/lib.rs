//! Homerealm, a federation broker: SAML and OIDC in, local API tokens out.

pub mod catalog;
pub mod clock;
pub mod config;
pub mod ids;
pub mod login;
pub mod seal;
pub mod sessions;
