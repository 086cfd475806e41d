//! What a client's requests must be like.

use serde::{Deserialize, Serialize};

/// Sender constraint and pushed requests (RFC 9449 §5.2, RFC 8705 §3.4, RFC 9126 §6).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct ClientRequests {
    /// Every token request brings a DPoP proof.
    pub dpop_bound_access_tokens: bool,
    /// Access tokens are bound to the certificate of the token request.
    pub tls_client_certificate_bound_access_tokens: bool,
    /// `/authorize` takes pushed requests only.
    pub require_pushed_authorization_requests: bool,
}
