use std::error::Error;

use super::addresses::AddressRefused;

/// Why an outbound request got no answer. Never holds a body, a query or a credential.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    #[error(transparent)]
    Address(AddressRefused),
    #[error("the URL carries a user name or password")]
    Credentials,
    #[error("no complete answer in time")]
    Deadline,
    #[error("a value cannot stand in an HTTP header")]
    Header,
    #[error("the URL names no host and port")]
    Host,
    #[error("answered with a redirect ({status}), which is not followed")]
    Redirected { status: u16 },
    #[error("`{scheme}` URLs are not allowed here")]
    Scheme { scheme: String },
    #[error("the answer is larger than {max_bytes} bytes")]
    TooLarge { max_bytes: usize },
    #[error("{reason}")]
    Transport { reason: String },
}

impl OutboundError {
    /// The innermost cause says what happened (refused, unknown name, bad certificate) and repeats no URL.
    pub(super) fn from_transport(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::Deadline;
        }
        let error = error.without_url();
        let mut cause: &(dyn Error + 'static) = &error;
        loop {
            if let Some(refused) = cause.downcast_ref::<AddressRefused>() {
                return Self::Address(refused.clone());
            }
            match cause.source() {
                Some(inner) => cause = inner,
                None => return Self::Transport { reason: cause.to_string() },
            }
        }
    }
}
