//! Each assertion is used once (SAML Profiles §4.1.4.5, THREATS S56; RULES 31), whichever way it came.
//!
//! An unsolicited response is marked as used at the ACS, before it leads anywhere. A solicited one is parked first and marked
//! at `/login/continue`: until then it is bound to its own request, which the login transaction lets be answered once, and
//! nothing is issued for it. So a marker has to outlive the parking too: what was verified in its last second may wait as
//! long, and an earlier use elsewhere must still be seen then.

use chrono::{DateTime, Utc};
use homerealm_connectors::assertion::ReplayKey;

use super::failure::Failure;
use super::presets::Protocol;
use super::transaction::PARKED_LIFETIME;
use crate::catalog::Connection;
use crate::sessions::record::{Batch, Ticket};

/// The marker of one assertion.
#[derive(Clone, Debug)]
pub struct Marker {
    key: String,
    until: DateTime<Utc>,
    protocol: Protocol,
}

/// Kind of the markers; shared by every way in which an assertion can arrive.
const KIND: &str = "replay";

impl Marker {
    /// Of an assertion of this connection.
    pub fn of(connection: &Connection, replay: &ReplayKey) -> Self {
        Self {
            key: format!("{}\n{}", connection.id, replay.value),
            until: replay.until + PARKED_LIFETIME,
            protocol: Protocol::of(connection),
        }
    }

    /// Sets it within a batch; `false` where the assertion was used before.
    pub fn set(&self, batch: &mut Batch<'_>) -> Ticket<bool> {
        batch.first_use(KIND, &self.key, self.until)
    }

    /// The failure of an assertion that was used before.
    pub const fn replayed(&self) -> Failure {
        Failure::Replayed(self.protocol)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::login::fixtures::{now, oidc, records, saml};

    fn used_until(second: i64) -> ReplayKey {
        ReplayKey { value: "_a1".to_owned(), until: now() + TimeDelta::seconds(second) }
    }

    async fn is_first(
        records: &crate::sessions::record::Records,
        marker: &Marker,
        second: i64,
    ) -> bool {
        let mut batch = records.batch(now() + TimeDelta::seconds(second));
        let first = marker.set(&mut batch);
        batch.run().await.unwrap().of(first).unwrap()
    }

    #[tokio::test]
    async fn a_use_is_seen_as_long_as_an_answer_that_was_verified_in_time_may_wait() {
        let (records, marker) = (records(), Marker::of(&saml(), &used_until(60)));

        assert!(is_first(&records, &marker, 0).await);

        assert!(!is_first(&records, &marker, 59).await, "verified now");
        assert!(!is_first(&records, &marker, 179).await, "verified at 59, parked for 120 seconds");
        assert!(is_first(&records, &marker, 180).await, "nothing can come any more");
    }

    #[tokio::test]
    async fn connections_do_not_meet() {
        let records = records();

        assert!(is_first(&records, &Marker::of(&saml(), &used_until(60)), 0).await);
        assert!(is_first(&records, &Marker::of(&oidc(), &used_until(60)), 0).await);
        let replayed = Marker::of(&saml(), &used_until(60)).replayed();
        assert_eq!(replayed.code(), "saml_replayed");
    }
}
