//! What the tokens of a request will be bound to: the key of its DPoP proof or the certificate of its connection.

use chrono::{DateTime, Utc};
use homerealm_certs::ClientCertificate;

use super::confirmation::Confirmation;
use super::dpop::{self, DpopError, ProofHeader, Request};
use crate::app::App;
use crate::catalog::Client;

/// What a request brings to bind tokens to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sender<'a> {
    /// The `DPoP` header.
    pub proof: ProofHeader<'a>,
    /// The certificate of the TLS connection, if one was shown.
    pub certificate: Option<&'a ClientCertificate>,
}

/// Why nothing can be bound.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    /// The client's tokens are bound to its certificate (RFC 8705 §3.4), and there is none.
    #[error("the client's tokens are bound to its certificate: connect with one")]
    CertificateMissing,
    /// The proof.
    #[error(transparent)]
    Dpop(#[from] DpopError),
}

/// Checks what a POST to `path` brings, and what its client must bring.
///
/// # Errors
/// [`SenderError`].
pub async fn proven(
    app: &App,
    client: &Client,
    sender: Sender<'_>,
    path: &str,
    now: DateTime<Utc>,
) -> Result<Option<Confirmation>, SenderError> {
    let wants = client.requests;
    if wants.tls_client_certificate_bound_access_tokens {
        if sender.proof.came() {
            let why = "the client's tokens are bound to its certificate, not to a key";
            return Err(DpopError::Invalid(why).into());
        }
        let shown = sender.certificate.ok_or(SenderError::CertificateMissing)?;
        return Ok(Some(Confirmation::Certificate(shown.thumbprint().to_owned())));
    }
    let request = Request { method: "POST", path, access_token: None };
    match dpop::check(app, sender.proof, request, now).await? {
        Some(thumbprint) => Ok(Some(Confirmation::Key(thumbprint))),
        // RFC 9449 §5.2
        None if wants.dpop_bound_access_tokens => {
            Err(DpopError::Invalid("the client has registered to send one, always").into())
        }
        None => Ok(None),
    }
}
