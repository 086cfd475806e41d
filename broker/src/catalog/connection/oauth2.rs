//! Options of a plain OAuth 2.0 connection.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

use super::ForeignDomains;

/// Options of a plain OAuth 2.0 connection; a vendor's presets are written out in them.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct OAuth2Options {
    /// Where the user signs in (RFC 6749 §3.1).
    pub authorization_url: String,
    /// Where we redeem the code (RFC 6749 §3.2).
    pub token_url: String,
    /// Says in JSON whose an access token is.
    pub userinfo_url: String,
    /// GitHub's list of a user's addresses; asked where the scopes allow it.
    pub emails_url: Option<String>,
    /// What `iss` beside the code must be (RFC 9207); `None`: it is not looked at, and the server is known by the origin of
    /// its authorization URL.
    pub issuer: Option<String>,
    /// Our client id at the server.
    pub client_id: String,
    /// Our client secret at the server, sealed; `None`: a public client.
    pub sealed_client_secret: Option<String>,
    /// `client_secret_basic`, `client_secret_post`, `none`; `None`: basic.
    pub token_endpoint_auth_method: Option<String>,
    /// Scopes asked for.
    pub scopes: Vec<String>,
    /// Whether PKCE is sent.
    pub pkce: bool,
    /// The attribute that names the user.
    pub subject_attribute: String,
    /// What makes the server ask the user to sign in anew; empty: it cannot be asked (RULES 18).
    pub forced_login_params: BTreeMap<String, String>,
    /// Fixed extra parameters of the authorization request.
    pub upstream_params: BTreeMap<String, String>,
    /// What to do with an e-mail outside the connection's domains (RULES 20).
    pub foreign_domains: ForeignDomains,
}

impl OAuth2Options {
    /// What the server's users are remembered under; `None` where the authorization URL is none.
    pub fn server(&self) -> Option<String> {
        let origin = || {
            let url = Url::parse(&self.authorization_url).ok()?;
            Some(url.origin().ascii_serialization())
        };
        self.issuer.clone().or_else(origin)
    }
}
