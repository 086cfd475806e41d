//! Clients: applications registered with us (RFC 7591 names).

mod home_realm;
mod keys;
mod refresh_tokens;
mod registration;
mod requests;
mod session;
mod signed_answers;

use chrono::{DateTime, Utc};
use homerealm_certs::JwsAlgorithm;
use serde::{Deserialize, Serialize};

use super::{Name, redirect_uri};
pub use home_realm::ClientHomeRealm;
pub use keys::{ClientKeys, ClientSigningAlgorithm, TlsNames};
pub use refresh_tokens::RefreshTokens;
pub use registration::ClientRegistration;
pub use requests::ClientRequests;
pub use session::ClientSession;
pub use signed_answers::SignedAnswers;

/// An application registered with us.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Client {
    /// Unique, immutable, never reused.
    pub client_id: String,
    /// For people, shown at consent.
    pub client_name: String,
    /// First-party, or third-party of one organization; never changes.
    #[serde(flatten)]
    pub kind: ClientKind,
    /// Exact callback URLs (RULES 29).
    pub redirect_uris: Vec<String>,
    /// Exact addresses after logout.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<String>,
    /// Origins that may call `/home-realm` and `/userinfo` from a browser; from registered redirect URIs if empty.
    #[serde(default)]
    pub web_origins: Vec<String>,
    /// Grants that this client may use.
    pub grant_types: Vec<GrantType>,
    /// One method a client.
    pub token_endpoint_auth_method: ClientAuthMethod,
    /// SHA-256 of live secrets, two at most.
    #[serde(default)]
    pub secrets: Vec<ClientSecret>,
    /// Names of connections that it may use; `None`: all that it is allowed to.
    pub connections: Option<Vec<Name>>,
    /// ID token algorithm, RS256 by default (OIDC Registration §2).
    pub id_token_signed_response_alg: JwsAlgorithm,
    /// Which other answers are signed.
    #[serde(flatten, default)]
    pub signed_answers: SignedAnswers,
    /// How long its refresh tokens live.
    #[serde(flatten, default)]
    pub refresh_tokens: RefreshTokens,
    /// Home page, shown at consent.
    pub client_uri: Option<String>,
    /// Where a login can be started (OIDC Core §4).
    pub initiate_login_uri: Option<String>,
    /// Single sign-on and logout.
    #[serde(flatten)]
    pub session: ClientSession,
    /// How it registered itself, if it did.
    #[serde(flatten)]
    pub registration: ClientRegistration,
    /// Where its users of unknown domains go.
    #[serde(flatten, default)]
    pub home_realm: ClientHomeRealm,
    /// Its public keys and certificates.
    #[serde(flatten)]
    pub keys: ClientKeys,
    /// What its requests must be like.
    #[serde(flatten)]
    pub requests: ClientRequests,
    /// A disabled client is refused everywhere.
    pub enabled: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

/// Whose application it is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ClientKind {
    /// The operator's own.
    FirstParty {
        /// Fixes the organization of its logins, if set.
        #[serde(default)]
        organization: Option<Name>,
    },
    /// A customer's: limited connections, consent, exact callbacks.
    ThirdParty {
        /// The customer.
        organization: Name,
    },
}

/// How a client authenticates at the token endpoint (RFC 7591 §2).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthMethod {
    /// HTTP Basic (RFC 6749 §2.3.1).
    ClientSecretBasic,
    /// Form parameters.
    ClientSecretPost,
    /// Public client: PKCE only.
    None,
    /// A JWT that the client signs (RFC 7523 §2.2, OIDC Core §9).
    PrivateKeyJwt,
    /// A certificate that the client registered (RFC 8705 §2.2).
    SelfSignedTlsClientAuth,
    /// A certificate of a CA that the operator trusts (RFC 8705 §2.1).
    TlsClientAuth,
}

/// Grants served by the token endpoint.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// RFC 6749 §4.1.
    AuthorizationCode,
    /// RFC 6749 §4.4.
    ClientCredentials,
    /// RFC 8628 §3.4.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode,
    /// RFC 6749 §6.
    RefreshToken,
}

/// A machine-made secret at rest.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ClientSecret {
    /// Hex SHA-256 of the secret.
    pub sha256: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl GrantType {
    /// As `grant_type` and registrations name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::ClientCredentials => "client_credentials",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::RefreshToken => "refresh_token",
        }
    }
}

impl ClientAuthMethod {
    /// Whether a shared secret is what the client shows.
    pub const fn is_by_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost)
    }
}

impl ClientSecret {
    /// Its name for people: it says nothing about the secret, which has 256 random bits.
    pub fn id(&self) -> String {
        format!("sec_{}", self.sha256.get(..16).unwrap_or_default())
    }
}

impl Client {
    /// The organization whose users this client is for, if it is tied to one.
    pub const fn organization(&self) -> Option<&Name> {
        self.kind.organization()
    }

    /// Whether it is a customer's application.
    pub const fn is_third_party(&self) -> bool {
        self.kind.is_third_party()
    }

    /// Whether its answers may go there (RFC 9700 §4.1.3).
    pub fn has_redirect_uri(&self, uri: &str) -> bool {
        self.redirect_uris.iter().any(|registered| redirect_uri::matches(registered, uri))
    }
}

impl ClientKind {
    /// The organization that it is tied to.
    pub const fn organization(&self) -> Option<&Name> {
        match self {
            Self::FirstParty { organization } => organization.as_ref(),
            Self::ThirdParty { organization } => Some(organization),
        }
    }

    /// Whether it is a customer's application.
    pub const fn is_third_party(&self) -> bool {
        matches!(self, Self::ThirdParty { .. })
    }
}
