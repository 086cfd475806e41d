//! `id_token_hint`: an ID token of ours, given back to say whom a request is about (OIDC Core §3.1.2.1, RP-Initiated
//! Logout §2).

use serde::Deserialize;

use super::own_token::verified;
use super::token_issuer::ID_TOKEN_TYPE;
use crate::app::App;

/// What such a token says.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct IdTokenHint {
    iss: String,
    /// The user.
    pub sub: String,
    /// The client that it was given to.
    #[serde(rename = "aud")]
    pub client_id: String,
    /// The session that it was given in.
    pub sid: Option<String>,
}

/// Reads a hint. An expired one says as much as a fresh one; one that a retired key signed says nothing.
pub fn read(app: &App, token: &str) -> Option<IdTokenHint> {
    let hint: IdTokenHint = verified(app, token, ID_TOKEN_TYPE)?;
    (hint.iss == app.config.issuer.as_str()).then_some(hint)
}
