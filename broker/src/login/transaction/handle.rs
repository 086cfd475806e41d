//! The transaction's name upstream: RelayState, `state`, and the request's ID.

use std::fmt;

use super::MOST_ATTEMPTS;

/// What RelayState, `state` or InResponseTo name: a transaction and its attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UpstreamHandle {
    /// The transaction.
    pub handle: String,
    /// 1 for the first.
    pub attempt: u16,
}

impl UpstreamHandle {
    /// Reads RelayState or `state`. Anything but what we made is nothing (THREATS W1).
    pub fn parse(text: &str) -> Option<Self> {
        let (handle, attempt) = match text.split_once('-') {
            None => (text, 1),
            Some((handle, digits)) => (handle, repeated(digits)?),
        };
        let hexadecimal = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        (handle.len() == 40 && handle.bytes().all(hexadecimal))
            .then(|| Self { handle: handle.to_owned(), attempt })
    }

    /// Reads InResponseTo: `_` and the handle.
    pub fn from_request_id(id: &str) -> Option<Self> {
        Self::parse(id.strip_prefix('_')?)
    }
}

/// The handle itself for the first attempt, `handle-2` for the second: request IDs are used once.
impl fmt::Display for UpstreamHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.attempt {
            1 => f.write_str(&self.handle),
            n => write!(f, "{}-{n}", self.handle),
        }
    }
}

fn repeated(digits: &str) -> Option<u16> {
    let attempt: u16 = digits.parse().ok()?;
    ((2..=MOST_ATTEMPTS).contains(&attempt) && attempt.to_string() == digits).then_some(attempt)
}
