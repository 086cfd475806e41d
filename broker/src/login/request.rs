//! What a client asked for, at `/authorize` or for a device, after every parameter was checked.

pub mod access;

use std::fmt;

use serde::{Deserialize, Serialize};

use self::access::Access;

/// A validated authorization request: the client exists, and the answer has a way to it that is the client's own.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct AuthorizationRequest {
    /// The client.
    pub client_id: String,
    /// Where the answer goes.
    #[serde(flatten)]
    pub answer: AnswerTo,
    /// For the ID token (OIDC Core §3.1.2.1).
    pub nonce: Option<String>,
    /// What may be granted of what was asked for.
    pub access: Access,
    /// Name or id of the connection to use.
    pub connection: Option<String>,
    /// Name or id of the organization to sign in to.
    pub organization: Option<String>,
    /// Whom the client expects, often an e-mail address.
    pub login_hint: Option<String>,
    /// The user that `id_token_hint` names, by our `sub`.
    #[serde(default)]
    pub hinted_user: Option<String>,
    /// OIDC Core §3.1.2.1.
    pub prompt: Vec<Prompt>,
    /// Seconds since the user's last authentication upstream, at most; the request's, else the client's own.
    pub max_age: Option<i64>,
    /// Wanted authentication context classes.
    pub acr_values: Vec<String>,
    /// Wanted languages, handed upstream.
    pub ui_locales: Option<String>,
    /// Which page to show first.
    pub screen_hint: Option<String>,
    /// The key that the code will be bound to (RFC 9449 §10).
    #[serde(default)]
    pub dpop_jkt: Option<String>,
    /// Names of parameters that nobody here knows, for the trace: some, cut short (RFC 6749 §3.1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<String>,
}

/// Where the answer goes.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum AnswerTo {
    /// To the client, through the browser (RFC 6749 §4.1.2).
    Client(WayThere),
    /// To a device that asks the token endpoint; the browser stays on our page (RFC 8628 §3.3).
    Device {
        /// Handle of the device's request.
        device: String,
        /// What the device shows, for the user to compare.
        user_code: String,
    },
}

/// The way to a client's redirect URI.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct WayThere {
    /// Matched exactly against the client's.
    pub redirect_uri: String,
    /// How the answer goes there.
    pub response_mode: ResponseMode,
    /// Given back as it came (RFC 6749 §4.1.1).
    pub state: Option<String>,
    /// S256 (RFC 7636 §4.3): PKCE is always there.
    pub code_challenge: String,
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
    /// Of a client that asks for nothing but the answer.
    pub const fn new(client_id: String, answer: AnswerTo) -> Self {
        Self {
            client_id,
            answer,
            nonce: None,
            access: Access { oidc_scopes: Vec::new(), apis: Vec::new() },
            connection: None,
            organization: None,
            login_hint: None,
            hinted_user: None,
            prompt: Vec::new(),
            max_age: None,
            acr_values: Vec::new(),
            ui_locales: None,
            screen_hint: None,
            dpop_jkt: None,
            ignored: Vec::new(),
        }
    }

    /// The client's address that the browser ends at, if it ends at one.
    pub fn redirect_uri(&self) -> Option<&str> {
        match &self.answer {
            AnswerTo::Client(way) => Some(&way.redirect_uri),
            AnswerTo::Device { .. } => None,
        }
    }

    /// Whether no page may be shown.
    pub fn is_silent(&self) -> bool {
        self.prompt.contains(&Prompt::None)
    }

    /// Whether the user is to choose an account upstream.
    pub fn selects_account(&self) -> bool {
        self.prompt.contains(&Prompt::SelectAccount)
    }

    /// Whether what the browser did last is not to be offered: the user is to choose anew, or is new here.
    pub fn wants_another(&self) -> bool {
        self.selects_account() || self.screen_hint.as_deref() == Some("signup")
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
            .field("answer", &self.answer)
            .field("access", &self.access)
            .field("connection", &self.connection)
            .field("organization", &self.organization)
            .field("prompt", &self.prompt)
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}

/// Without what finds a device's request.
impl fmt::Debug for AnswerTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(way) => write!(f, "Client({way:?})"),
            Self::Device { .. } => f.write_str("Device(..)"),
        }
    }
}

/// Without `state`, which is the client's.
impl fmt::Debug for WayThere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WayThere({:?})", self.response_mode)
    }
}
