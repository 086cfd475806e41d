//! From the login transaction to our own page.

use async_trait::async_trait;
use homerealm_connectors::assertion::VerifiedAssertion;
use homerealm_connectors::connector::{
    BeginRequest, Beginning, Begun, Completion, Connector, Expected, UpstreamAnswer,
};
use homerealm_connectors::error::{ConnectorError, Rejection};

/// Leads to the page that asks for the password.
#[derive(Clone, Copy, Debug)]
pub struct PasswordPage;

#[async_trait]
impl Connector for PasswordPage {
    async fn begin(&self, request: BeginRequest<'_>) -> Result<Beginning, ConnectorError> {
        let mut url = request.callback.clone();
        url.query_pairs_mut().append_pair("transaction", request.transaction);
        let expected = Expected::Password { sent_at: request.now };
        Ok(Beginning { begun: Begun::Redirect { url }, expected })
    }

    /// Nobody else's answer is one.
    async fn complete(
        &self,
        _completion: Completion<'_>,
        _answer: UpstreamAnswer,
    ) -> Result<VerifiedAssertion, ConnectorError> {
        Err(Rejection::ProtocolMismatch.into())
    }
}
