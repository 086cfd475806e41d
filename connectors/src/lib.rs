#![doc = include_str!("../README.md")]

pub mod assertion;
pub mod check;
pub mod connector;
pub mod error;
pub mod http;
pub mod invisible;
pub mod oidc;
pub mod saml;
