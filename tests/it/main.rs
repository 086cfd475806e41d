//! Outside-in tests: one binary, one file a subject.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on ends here, and says what it skips"
)]

/// The program itself.
const BINARY: &str = env!("CARGO_BIN_EXE_homerealm-under-test");

mod bad_input;
mod bad_start;
mod browser;
mod clients;
mod compose;
mod cross_tenant;
mod demo;
mod device;
mod discovery;
mod emitted_xml;
mod home_realm;
mod keep_alive;
mod login_oidc;
mod login_saml;
mod login_saml_auth0;
mod login_saml_samael;
mod login_saml_simplesamlphp;
mod management;
mod metadata_corpus;
mod nodes;
mod redis_contract;
mod redis_round_trips;
mod refresh;
mod restart;
mod single_sign_on;
mod store;
mod story;
mod tenant_matrix;
mod third_party;
mod token;
