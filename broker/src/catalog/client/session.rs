//! What a client wants of single sign-on and of logout.

use serde::{Deserialize, Serialize};

/// Single sign-on and logout of one client (OIDC Registration §2, Back-Channel Logout §2.2, Front-Channel Logout §2).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct ClientSession {
    /// Seconds since the user's last authentication, at most, where a request has no `max_age` of its own.
    pub default_max_age: Option<u32>,
    /// Where logout tokens are posted.
    pub backchannel_logout_uri: Option<String>,
    /// Whether they must name the session; ours always do.
    pub backchannel_logout_session_required: bool,
    /// What our logout page opens in a frame.
    pub frontchannel_logout_uri: Option<String>,
    /// Whether it must name issuer and session; ours always does.
    pub frontchannel_logout_session_required: bool,
}
