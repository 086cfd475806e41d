#![doc = include_str!("../README.md")]

pub mod assertion;
pub mod check;
mod code_flow;
pub mod connector;
pub mod error;
mod facts;
pub mod http;
pub mod invisible;
pub mod oauth2;
pub mod oidc;
pub mod saml;
