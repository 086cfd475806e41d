//! How a login at an upstream IdP can fail.

use crate::{oauth2, oidc, saml};

/// Why [`Connector::begin`](crate::connector::Connector::begin) or `complete` gave no assertion.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ConnectorError {
    /// The user's own "no" at the IdP; goes back to the client as `access_denied`.
    #[error("the user declined at the identity provider: {error}")]
    Denied { error: String, description: Option<String> },
    /// A rule is broken; the login ends with a page and a trace.
    #[error("refused: {0}")]
    Rejected(#[from] Rejection),
    /// The replay store did not answer: fail closed, the browser may try again.
    #[error("the session store does not answer")]
    StoreUnavailable,
    /// The IdP could not be reached; `what` names the document or endpoint.
    #[error("{what} cannot be reached: {reason}")]
    Unreachable { what: &'static str, reason: String },
    /// The IdP answered with an error that is not the user's doing; `code` is the IdP's word for it.
    #[error("the identity provider answered with the error {code}")]
    UpstreamError { code: String, description: Option<String> },
}

impl From<StoreUnavailable> for ConnectorError {
    fn from(_: StoreUnavailable) -> Self {
        Self::StoreUnavailable
    }
}

impl From<oauth2::Rejection> for ConnectorError {
    fn from(rejection: oauth2::Rejection) -> Self {
        Self::Rejected(Rejection::OAuth2(rejection))
    }
}

impl From<oidc::Rejection> for ConnectorError {
    fn from(rejection: oidc::Rejection) -> Self {
        Self::Rejected(Rejection::Oidc(rejection))
    }
}

impl From<saml::Rejection> for ConnectorError {
    fn from(rejection: saml::Rejection) -> Self {
        Self::Rejected(Rejection::Saml(rejection))
    }
}

/// A broken rule of a protocol.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Rejection {
    #[error("{0}")]
    OAuth2(#[from] oauth2::Rejection),
    #[error("{0}")]
    Oidc(#[from] oidc::Rejection),
    /// The answer, or what was remembered, belongs to another protocol.
    #[error("the answer is not of the connection's protocol")]
    ProtocolMismatch,
    #[error("{0}")]
    Saml(#[from] saml::Rejection),
}

impl Rejection {
    /// Stable code: `saml_…`, `oidc_…`, `oauth2_…` or `protocol_mismatch`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OAuth2(rejection) => rejection.code(),
            Self::Oidc(rejection) => rejection.code(),
            Self::ProtocolMismatch => "protocol_mismatch",
            Self::Saml(rejection) => rejection.code(),
        }
    }

    /// What a correct answer would have had.
    pub fn expected(&self) -> Option<String> {
        match self {
            Self::OAuth2(rejection) => rejection.expected(),
            Self::Oidc(rejection) => rejection.expected(),
            Self::ProtocolMismatch => None,
            Self::Saml(rejection) => rejection.expected(),
        }
    }

    /// What this answer had. Never a value that identifies the user.
    pub fn received(&self) -> Option<String> {
        match self {
            Self::OAuth2(rejection) => rejection.received(),
            Self::Oidc(rejection) => rejection.received(),
            Self::ProtocolMismatch => None,
            Self::Saml(rejection) => rejection.received(),
        }
    }

    /// What the IT admin can do.
    pub fn fix(&self) -> Option<String> {
        match self {
            Self::OAuth2(rejection) => rejection.fix(),
            Self::Oidc(rejection) => rejection.fix(),
            Self::ProtocolMismatch => {
                Some("Start the login again from the application.".to_owned())
            }
            Self::Saml(rejection) => rejection.fix(),
        }
    }
}

/// The store behind a [`OnceGuard`](crate::connector::OnceGuard) gave no answer, so nothing may be believed to be new.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the session store does not answer")]
pub struct StoreUnavailable;
