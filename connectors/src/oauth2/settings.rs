use std::collections::BTreeMap;

use url::Url;

use crate::http::Secret;

/// What an administrator configured for one connection to an OAuth 2.0 server.
#[derive(Clone, Debug)]
pub struct OAuth2Settings {
    /// The connection's id; part of every replay key.
    pub connection: String,
    /// Names the server where its users are remembered.
    pub issuer: String,
    /// What `iss` beside the code must be where the server sends it (RFC 9207); `None`: it is not looked at.
    pub response_issuer: Option<String>,
    pub authorization_endpoint: Url,
    pub token_endpoint: Url,
    /// Says whose the access token is, in JSON.
    pub userinfo_endpoint: Url,
    /// GitHub's list of a user's addresses; the one that is primary and verified is the only one that counts.
    pub emails_endpoint: Option<Url>,
    pub client_id: String,
    /// `None`: a public client.
    pub client_secret: Option<Secret>,
    /// `client_secret_basic`, `client_secret_post` or `none`; `None`: basic, which every server must take (RFC 6749 §2.3.1).
    pub token_endpoint_auth_method: Option<String>,
    pub scopes: Vec<String>,
    /// Off only for servers that refuse requests with parameters that they do not know.
    pub pkce: bool,
    pub subject: SubjectRule,
    /// What makes this server ask the user to sign in anew; empty: it cannot be asked.
    pub forced_login_params: BTreeMap<String, String>,
    /// Further parameters of the authorization request; those of the protocol cannot be set here.
    pub upstream_params: BTreeMap<String, String>,
}

/// Which attribute names the user: one that is never given to somebody else.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SubjectRule {
    /// A number or a text of visible ASCII.
    Attribute(String),
    /// A number, such as GitHub's `id`.
    Number(String),
}
