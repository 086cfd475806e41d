//! Outside-in tests: one binary, one file a subject.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on ends here"
)]

mod login_oidc;
mod login_saml;
mod login_saml_auth0;
mod login_saml_samael;
mod login_saml_simplesamlphp;
mod store;
