//! The authorization server: codes, tokens and what the clients need to know about them.

pub mod answer;
pub mod claims;
pub mod discovery;
pub mod origins;
pub mod params;
pub mod pkce;
pub mod redirect_uri;
pub mod scope;
