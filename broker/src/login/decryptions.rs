//! How many encrypted assertions are decrypted for one login. Each first leaves a marker for a day (RULES 12), written before
//! anything is verified, so that what one request to an IdP can bring about has to have an end.
//!
//! Counted in this process: one node more is one share more, which costs an attacker nothing to know and helps them little,
//! while a shared count would cost every encrypted login a round trip (RULES 40).

use std::net::IpAddr;

use chrono::{DateTime, Utc};

use crate::config::Rate;
use crate::counter::{Counter, sender};

/// The counts of this process.
#[derive(Debug)]
pub struct Decryptions {
    requests: Counter<String>,
    unsolicited: Counter<(String, Option<IpAddr>)>,
}

/// Twice the lifetime of a step of a login, in minutes: so a login sees one end of a window, or none.
const SECONDS: u32 = 20 * 60;

impl Default for Decryptions {
    fn default() -> Self {
        Self {
            requests: Counter::strict(Rate { count: 3, seconds: SECONDS }),
            unsolicited: Counter::strict(Rate { count: 600, seconds: SECONDS }),
        }
    }
}

impl Decryptions {
    /// Whether an answer to this request of ours is decrypted; an IdP has reason to answer it once.
    pub(super) fn allow_answer(&self, request_id: &str, now: DateTime<Utc>) -> bool {
        self.requests.count(request_id.to_owned(), now).is_ok()
    }

    /// Whether a response that nobody asked for is decrypted, of a connection that takes those.
    pub(super) fn allow_unsolicited(
        &self,
        connection: &str,
        address: Option<IpAddr>,
        now: DateTime<Utc>,
    ) -> bool {
        self.unsolicited.count((connection.to_owned(), address.map(sender)), now).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_has_three_decryptions_and_each_address_its_share_without_one() {
        let (decryptions, now) = (Decryptions::default(), DateTime::UNIX_EPOCH);
        let answers = |id| (0..9).filter(|_| decryptions.allow_answer(id, now)).count();
        let unsolicited = |connection, address: &str| {
            let address = Some(address.parse().unwrap());
            let allowed = |_: &usize| decryptions.allow_unsolicited(connection, address, now);
            (0..1000).filter(allowed).count()
        };

        assert_eq!((answers("_a-1"), answers("_a-1"), answers("_a-2")), (3, 0, 3));
        assert_eq!(unsolicited("con_1", "192.0.2.1"), 600);
        assert_eq!(unsolicited("con_1", "192.0.2.1"), 0);
        assert_eq!(unsolicited("con_2", "192.0.2.1"), 600);
        assert_eq!(unsolicited("con_1", "192.0.2.2"), 600);
    }
}
