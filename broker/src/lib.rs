//! Homerealm, a federation broker: SAML and OIDC in, local API tokens out.

pub mod admin;
pub mod app;
pub mod catalog;
pub mod cli;
pub mod clock;
pub mod config;
pub mod counter;
pub mod demo;
pub mod doctor;
pub mod domains;
pub mod http;
pub mod ids;
pub mod keys;
pub mod login;
pub mod metrics;
pub mod oauth;
pub mod passwords;
pub mod reseal;
pub mod seal;
pub mod sessions;
pub mod startup;
pub mod telemetry;
