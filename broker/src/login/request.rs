//! What a client asked for at `/authorize`, after every parameter was checked.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A validated authorization request: the client exists, the redirect URI is one of its own, PKCE is there.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct AuthorizationRequest {
    /// The client.
    pub client_id: String,
    /// Matched exactly against the client's.
    pub redirect_uri: String,
    /// How the answer goes back.
    pub response_mode: ResponseMode,
    /// Given back as it came (RFC 6749 §4.1.1).
    pub state: Option<String>,
    /// For the ID token (OIDC Core §3.1.2.1).
    pub nonce: Option<String>,
    /// S256 (RFC 7636 §4.3).
    pub code_challenge: String,
    /// What may be granted of what was asked for.
    pub scopes: Vec<String>,
    /// Identifier of the API; `None`: a token for `/userinfo` only.
    pub audience: Option<String>,
    /// Name or id of the connection to use.
    pub connection: Option<String>,
    /// Name or id of the organization to sign in to.
    pub organization: Option<String>,
    /// Whom the client expects, often an e-mail address.
    pub login_hint: Option<String>,
    /// OIDC Core §3.1.2.1.
    pub prompt: Vec<Prompt>,
    /// Seconds since the user's last authentication upstream, at most.
    pub max_age: Option<i64>,
    /// Wanted authentication context classes.
    pub acr_values: Vec<String>,
    /// Wanted languages, handed upstream.
    pub ui_locales: Option<String>,
    /// Which page to show first.
    pub screen_hint: Option<String>,
}

/// How the answer goes back to the client.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the redirect URI's query.
    Query,
    /// By a form that the browser posts (OAuth 2.0 Form Post Response Mode).
    FormPost,
}

/// What the client wants shown (OIDC Core §3.1.2.1).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// Consent again.
    Consent,
    /// Authenticate again.
    Login,
    /// Show nothing: answer from a session or not at all.
    None,
    /// Let the user choose the account.
    SelectAccount,
}

impl AuthorizationRequest {
    /// Whether no page may be shown.
    pub fn is_silent(&self) -> bool {
        self.prompt.contains(&Prompt::None)
    }

    /// Whether the user must authenticate anew upstream (RULES 18).
    pub fn forces_login(&self) -> bool {
        self.prompt.contains(&Prompt::Login) || self.max_age.is_some()
    }
}

/// Shows what was asked for, not by whom: no hint, state or nonce.
impl fmt::Debug for AuthorizationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationRequest")
            .field("client_id", &self.client_id)
            .field("response_mode", &self.response_mode)
            .field("scopes", &self.scopes)
            .field("audience", &self.audience)
            .field("connection", &self.connection)
            .field("organization", &self.organization)
            .field("prompt", &self.prompt)
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}
