//! Signing keys that change by themselves: next, long published, then active, then retiring, then gone.

use chrono::{DateTime, TimeDelta, Utc};
use homerealm_certs::{JwsAlgorithm, KeyState, Random};

use super::{KeyInfo, KeyRing, KeyRingError};
use crate::catalog::{Actor, ActorKind, Author, CatalogError};
use crate::ids;

/// When keys move on.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// How long a key signs.
    pub active_for: TimeDelta,
    /// How long a key that signs no more is published on: longer than anything that it signed is valid.
    pub retiring_for: TimeDelta,
}

/// How long a next key is published before it signs, so that nobody meets a signature of a key unknown to them: much
/// longer than key sets are cached (RFC 7517 sets no time; ours say five minutes).
pub(super) const PUBLISHED_BEFORE: TimeDelta = TimeDelta::days(1);

#[derive(Debug, Eq, PartialEq)]
enum Move {
    Retire(String),
    Rotate(JwsAlgorithm),
}

impl KeyRing {
    /// Makes the moves that are due now. Every node may do this: what another one did in between is left as it is.
    ///
    /// # Errors
    /// [`KeyRingError`]; what is due stays due.
    pub async fn keep(
        &self,
        schedule: Schedule,
        random: &dyn Random,
        now: DateTime<Utc>,
    ) -> Result<(), KeyRingError> {
        for due in due(&self.list().await?, schedule, now) {
            let author = Author {
                id: ids::id("aud", random),
                actor: Actor::new(ActorKind::Schedule, "keys"),
                address: None,
                at: now,
            };
            let moved = match &due {
                Move::Retire(kid) => self.retire(kid, Some(author)).await,
                Move::Rotate(algorithm) => {
                    self.rotate_published(*algorithm, now, Some(author)).await
                }
            };
            match moved {
                Ok(()) => tracing::info!(?due, "signing keys moved on"),
                Err(
                    KeyRingError::Catalog(CatalogError::Stale | CatalogError::NotFound)
                    | KeyRingError::TooNew { .. },
                ) => {
                    tracing::debug!(?due, "another node was faster");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn due(keys: &[KeyInfo], schedule: Schedule, now: DateTime<Utc>) -> Vec<Move> {
    let in_state = |state| keys.iter().filter(move |key| key.state == state);
    let gone = in_state(KeyState::Retiring)
        .filter(|key| key.since + schedule.retiring_for <= now)
        .map(|key| Move::Retire(key.kid.clone()));
    let published = |algorithm| {
        let next = in_state(KeyState::Next).find(|key| key.algorithm == algorithm);
        next.is_some_and(|key| key.since + PUBLISHED_BEFORE <= now)
    };
    let old = in_state(KeyState::Active)
        .filter(|key| key.since + schedule.active_for <= now && published(key.algorithm))
        .map(|key| Move::Rotate(key.algorithm));
    gone.chain(old).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEDULE: Schedule =
        Schedule { active_for: TimeDelta::days(90), retiring_for: TimeDelta::days(31) };

    fn now() -> DateTime<Utc> {
        "2030-01-01T00:00:00Z".parse().unwrap()
    }

    fn key(state: KeyState, age: TimeDelta) -> KeyInfo {
        let (kid, algorithm) = (format!("{state:?}"), JwsAlgorithm::Es256);
        KeyInfo { kid, algorithm, state, since: now() - age }
    }

    fn due_with(keys: &[(KeyState, TimeDelta)]) -> Vec<Move> {
        let keys: Vec<_> = keys.iter().map(|(state, age)| key(*state, *age)).collect();
        due(&keys, SCHEDULE, now())
    }

    #[test]
    fn an_active_key_moves_on_at_its_last_second_and_not_before() {
        let next = (KeyState::Next, TimeDelta::days(90));
        let days = TimeDelta::days(90);
        let rotate = [Move::Rotate(JwsAlgorithm::Es256)];

        assert_eq!(due_with(&[next, (KeyState::Active, days - TimeDelta::seconds(1))]), []);
        assert_eq!(due_with(&[next, (KeyState::Active, days)]), rotate);
    }

    #[test]
    fn a_next_key_does_not_sign_before_it_was_published_for_a_day() {
        let active = (KeyState::Active, TimeDelta::days(200));
        let day = TimeDelta::days(1);
        let rotate = [Move::Rotate(JwsAlgorithm::Es256)];

        assert_eq!(due_with(&[active]), []);
        assert_eq!(due_with(&[active, (KeyState::Next, day - TimeDelta::seconds(1))]), []);
        assert_eq!(due_with(&[active, (KeyState::Next, day)]), rotate);
    }

    #[test]
    fn a_retiring_key_goes_when_nothing_that_it_signed_is_valid() {
        let days = TimeDelta::days(31);
        let retire = [Move::Retire("Retiring".to_owned())];

        assert_eq!(due_with(&[(KeyState::Retiring, days - TimeDelta::seconds(1))]), []);
        assert_eq!(due_with(&[(KeyState::Retiring, days)]), retire);
    }
}
