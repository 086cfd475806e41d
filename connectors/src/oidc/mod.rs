//! OpenID Connect upstream: the authorization code flow with PKCE and nonce, always.
//!
//! A login reads as one line: `begin` makes the authorization request; `complete` checks `iss` beside the code
//! (RFC 9207), redeems the code (`token_request`), verifies the ID token (`id_token`) with keys from the cache
//! (`provider`), asks userinfo for what is missing (`userinfo`) and hands on a `VerifiedAssertion` (`identity`).
//! What Microsoft Entra does differently is in `entra`.

mod begin;
mod complete;
mod entra;
mod id_token;
mod identity;
mod provider;
mod rejection;
mod settings;
mod token_request;
mod userinfo;

use std::sync::Arc;

use async_trait::async_trait;

use crate::assertion::VerifiedAssertion;
use crate::connector::{BeginRequest, Beginning, Completion, Connector, UpstreamAnswer};
use crate::error::ConnectorError;

pub use crate::code_flow::is_protocol_parameter;
pub use id_token::VerifiedIdToken;
pub use provider::{ClientKeySets, Providers};
pub use rejection::Rejection;
pub use settings::{IssuerRule, OidcSettings};

/// One connection to an OpenID Provider.
#[derive(Debug)]
pub struct OidcConnector {
    settings: OidcSettings,
    providers: Arc<Providers>,
}

impl OidcConnector {
    #[must_use]
    pub fn new(settings: OidcSettings, providers: Arc<Providers>) -> Self {
        Self { settings, providers }
    }
}

#[async_trait]
impl Connector for OidcConnector {
    async fn begin(&self, request: BeginRequest<'_>) -> Result<Beginning, ConnectorError> {
        let provider = self.providers.metadata(&self.settings, request.now).await?;
        Ok(begin::authorization_request(&self.settings, &provider, &request))
    }

    async fn complete(
        &self,
        completion: Completion<'_>,
        answer: UpstreamAnswer,
    ) -> Result<VerifiedAssertion, ConnectorError> {
        complete::complete(&self.settings, &self.providers, completion, answer).await
    }
}

#[cfg(test)]
pub(crate) mod tests;
