#![doc = include_str!("../README.md")]

pub mod assertion;
pub mod check;
pub mod error;
pub mod http;
pub mod oidc;
pub mod saml;
