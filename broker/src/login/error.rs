//! How a login that does not succeed is answered.

use super::failure::{ALREADY_RECEIVED, Failure, Words};
use super::request::AuthorizationRequest;

/// Not a completed login.
#[derive(Debug)]
pub enum LoginError {
    /// A page of ours, with a reference.
    Page(Box<ErrorPage>),
    /// An error for the client, through the browser (RFC 6749 §4.1.2.1).
    ToClient(Box<ClientError>),
}

/// What the page shows, and with which status.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorPage {
    /// HTTP status.
    pub status: u16,
    /// Stable code, for machines.
    pub code: &'static str,
    /// Heading and paragraph.
    pub words: Words,
    /// Names the trace.
    pub reference: String,
    /// Whose login it was; the page links to it where it has a registered home page.
    pub client_id: Option<String>,
    /// Continuing helps: the answer is here, and this login waits for its browser.
    pub continue_with: Option<String>,
}

/// An error for the client.
#[derive(Debug)]
pub struct ClientError {
    /// The request that it answers.
    pub request: AuthorizationRequest,
    /// OAuth error code.
    pub error: &'static str,
    /// One sentence for the client's developers.
    pub description: &'static str,
}

impl ErrorPage {
    /// For a failure under its reference.
    pub fn new(failure: &Failure, reference: String, client_id: Option<String>) -> Self {
        Self {
            status: failure.status(),
            code: failure.code(),
            words: failure.words(),
            reference,
            client_id,
            continue_with: None,
        }
    }

    /// Adds "continue" to a page that says that the answer is here already.
    pub(super) fn continuing(mut self: Box<Self>, handle: &str) -> Box<Self> {
        if self.code == ALREADY_RECEIVED {
            self.continue_with = Some(handle.to_owned());
        }
        self
    }
}

impl LoginError {
    /// The user's own "no" (DESIGN §3.4).
    pub fn access_denied(request: AuthorizationRequest) -> Self {
        let description = "The user declined at the identity provider.";
        Self::ToClient(Box::new(ClientError { request, error: "access_denied", description }))
    }

    /// OIDC Core §3.1.2.2.
    pub fn other_user(request: AuthorizationRequest) -> Self {
        let description = "Another user signed in than id_token_hint names.";
        Self::ToClient(Box::new(ClientError { request, error: "login_required", description }))
    }

    /// OIDC Core §3.1.2.6.
    pub fn login_required(request: AuthorizationRequest) -> Self {
        let description = "The user is not signed in, and prompt=none allows no page.";
        Self::ToClient(Box::new(ClientError { request, error: "login_required", description }))
    }
}

impl From<Box<ErrorPage>> for LoginError {
    fn from(page: Box<ErrorPage>) -> Self {
        Self::Page(page)
    }
}
