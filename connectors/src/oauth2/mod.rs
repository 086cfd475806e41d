//! Plain OAuth 2.0 upstream, for providers that sign nobody in by a standard: the authorization code flow, then an API that
//! says whose the access token is.
//!
//! There is no ID token, so the answer is only as good as the way it came: the code is redeemed by us at the connection's own
//! token endpoint, bound to the login by PKCE and `state`, and each connection has a redirect URI of its own, so that a code
//! of one server never reaches another (RFC 9700 §4.4.2.2). What the userinfo endpoint then says is about the account that
//! the user chose there. `begin` makes the request, `complete` runs the steps, `userinfo` asks, `identity` reads.

mod begin;
mod complete;
mod identity;
mod rejection;
mod settings;
#[cfg(test)]
mod tests;
mod userinfo;

use std::sync::Arc;

use async_trait::async_trait;

use crate::assertion::VerifiedAssertion;
use crate::connector::{BeginRequest, Beginning, Completion, Connector, UpstreamAnswer};
use crate::error::ConnectorError;
use crate::http::Outbound;

pub use rejection::Rejection;
pub use settings::{OAuth2Settings, SubjectRule};

/// One connection to an OAuth 2.0 server.
#[derive(Debug)]
pub struct OAuth2Connector {
    settings: OAuth2Settings,
    outbound: Arc<Outbound>,
}

impl OAuth2Connector {
    #[must_use]
    pub fn new(settings: OAuth2Settings, outbound: Arc<Outbound>) -> Self {
        Self { settings, outbound }
    }
}

#[async_trait]
impl Connector for OAuth2Connector {
    async fn begin(&self, request: BeginRequest<'_>) -> Result<Beginning, ConnectorError> {
        Ok(begin::authorization_request(&self.settings, &request)?)
    }

    async fn complete(
        &self,
        completion: Completion<'_>,
        answer: UpstreamAnswer,
    ) -> Result<VerifiedAssertion, ConnectorError> {
        complete::complete(&self.settings, &self.outbound, completion, answer).await
    }
}
