//! Benchmarks: ratios against a floor in the same run.

pub mod saml_login;
