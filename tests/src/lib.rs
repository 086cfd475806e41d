//! What the outside-in tests share: a broker, a browser, an operator, upstream IdPs that we did not write, and a reader of
//! tokens that is not ours.
//!
//! A helper that cannot go on panics with what it saw: the test ends there.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a helper that cannot go on ends the test, and tests say what they skip"
)]

pub mod admin;
pub mod app;
pub mod balancer;
pub mod browser;
pub mod client_program;
pub mod clock;
pub mod cluster;
pub mod html;
pub mod jose;
pub mod login_load;
pub mod peers;
pub mod postgres;
pub mod proxy;
pub mod redis;
pub mod sample_idps;
pub mod sample_oidc;
pub mod scene;
pub mod site;
pub mod state;
pub mod store_contract;
pub mod store_load;
