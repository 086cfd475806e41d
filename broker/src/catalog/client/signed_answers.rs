//! Which of our answers a client wants signed.

use homerealm_certs::JwsAlgorithm;
use serde::{Deserialize, Serialize};

/// Algorithms of signed answers.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct SignedAnswers {
    /// `/userinfo` answers with a JWT (OIDC Registration §2); absent: JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<JwsAlgorithm>,
    /// Of introspection answers that are asked for as JWTs (RFC 9701 §6); absent: RS256.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection_signed_response_alg: Option<JwsAlgorithm>,
}
