//! OpenID Connect upstream.

mod rejection;

pub use rejection::Rejection;
