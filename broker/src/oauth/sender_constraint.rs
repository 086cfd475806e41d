//! What the tokens of a request will be bound to: the key of its DPoP proof or the certificate of its connection.

use chrono::{DateTime, Utc};
use homerealm_certs::ClientCertificate;

use super::confirmation::Confirmation;
use super::dpop::{self, DpopError, Proof, ProofHeader, Request};
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

/// What tokens will be bound to, verified and not spent.
#[derive(Debug)]
pub struct Proven {
    confirmation: Option<Confirmation>,
    proof: Option<Proof>,
}

impl Proven {
    /// What they will be bound to, if to anything.
    pub const fn confirmation(&self) -> Option<&Confirmation> {
        self.confirmation.as_ref()
    }

    /// Uses up the proof, if one came: directly before the grant is spent or the token minted, not before.
    ///
    /// # Errors
    /// [`SenderError`]; nothing may be issued then.
    pub async fn spend(&self, app: &App, now: DateTime<Utc>) -> Result<(), SenderError> {
        match &self.proof {
            Some(proof) => Ok(proof.spend(app, now).await?),
            None => Ok(()),
        }
    }
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
pub fn proven(
    app: &App,
    client: &Client,
    sender: Sender<'_>,
    path: &str,
    now: DateTime<Utc>,
) -> Result<Proven, SenderError> {
    let wants = client.requests;
    if wants.tls_client_certificate_bound_access_tokens {
        if sender.proof.came() {
            let why = "the client's tokens are bound to its certificate, not to a key";
            return Err(DpopError::Invalid(why).into());
        }
        let shown = sender.certificate.ok_or(SenderError::CertificateMissing)?;
        let shown = Confirmation::Certificate(shown.thumbprint().to_owned());
        return Ok(Proven { confirmation: Some(shown), proof: None });
    }
    let request = Request { method: "POST", path, access_token: None };
    match dpop::check(app, sender.proof, request, now)? {
        Some(proof) => {
            let key = Confirmation::Key(proof.thumbprint.clone());
            Ok(Proven { confirmation: Some(key), proof: Some(proof) })
        }
        // RFC 9449 §5.2
        None if wants.dpop_bound_access_tokens => {
            Err(DpopError::Invalid("the client has registered to send one, always").into())
        }
        None => Ok(Proven { confirmation: None, proof: None }),
    }
}
