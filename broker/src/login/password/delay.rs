//! The delay of one account (RULES 38): counted before a password is compared, so that guesses at once gain nothing.
//!
//! An address without an account is delayed like one with an account.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::catalog::{AccountEmail, Connection};
use crate::sessions::StoreError;
use crate::sessions::record::{Record, Records};

/// The attempts at one account since the last that succeeded.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Attempts {
    count: u32,
    not_before: DateTime<Utc>,
}

/// Too soon after the last attempt; try again after so many seconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TooEarly {
    /// 1 or more.
    pub retry_after: i64,
}

/// Attempts that cost nothing: people mistype.
const FREE: u32 = 5;
/// Then one second, two, four and so on; at most a minute, or anybody could shut anybody out.
const LONGEST: i64 = 60;
/// Others that took the place of this attempt meanwhile, before it gives up.
const RACES: u32 = 4;

impl Record for Attempts {
    const KIND: &'static str = "password_attempts";
    const LIFETIME: TimeDelta = TimeDelta::hours(1);
}

impl Attempts {
    /// Counts an attempt, if it may be made now.
    ///
    /// # Errors
    /// [`StoreError`]: then none may be made.
    pub async fn admit(
        records: &Records,
        connection: &Connection,
        email: &AccountEmail,
        now: DateTime<Utc>,
    ) -> Result<Result<(), TooEarly>, StoreError> {
        let handle = handle(connection, email);
        for _ in 0..RACES {
            let Some(stored) = records.get::<Self>(&handle, now).await? else {
                let first = Self { count: 1, not_before: now };
                if records.insert(&handle, &first, now).await? {
                    return Ok(Ok(()));
                }
                continue;
            };
            let wait = stored.record.not_before - now;
            if wait > TimeDelta::zero() {
                return Ok(Err(TooEarly { retry_after: whole_seconds(wait) }));
            }
            let next = stored.record.next(now);
            if records.swap(&handle, &stored, &next, now + Self::LIFETIME, now).await? {
                return Ok(Ok(()));
            }
        }
        Ok(Err(TooEarly { retry_after: 1 }))
    }

    /// Forgets them: the password was right, or is a new one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forgive(
        records: &Records,
        connection: &Connection,
        email: &AccountEmail,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        records.take::<Self>(&handle(connection, email), now).await.map(|_| ())
    }

    fn next(self, now: DateTime<Utc>) -> Self {
        let count = self.count.saturating_add(1);
        let seconds = match count.checked_sub(FREE) {
            None | Some(0) => 0,
            Some(beyond) => (1_i64 << (beyond - 1).min(16)).min(LONGEST),
        };
        Self { count, not_before: now + TimeDelta::seconds(seconds) }
    }
}

fn handle(connection: &Connection, email: &AccountEmail) -> String {
    format!("{}\n{}", connection.id, email.key())
}

fn whole_seconds(wait: TimeDelta) -> i64 {
    wait.num_seconds() + i64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::login::fixtures::{now, oidc, records};

    fn ann() -> AccountEmail {
        AccountEmail::try_from("ann@initech.example".to_owned()).unwrap()
    }

    async fn at(records: &Records, second: i64) -> Result<(), TooEarly> {
        let now = now() + TimeDelta::seconds(second);
        Attempts::admit(records, &oidc(), &ann(), now).await.unwrap()
    }

    #[tokio::test]
    async fn the_sixth_wrong_password_is_the_first_that_makes_the_next_wait() {
        let records = records();
        for _ in 0..6 {
            assert_eq!(at(&records, 0).await, Ok(()));
        }

        assert_eq!(at(&records, 0).await, Err(TooEarly { retry_after: 1 }));
        assert_eq!(at(&records, 1).await, Ok(()));
        assert_eq!(at(&records, 2).await, Err(TooEarly { retry_after: 1 }));
        assert_eq!(at(&records, 3).await, Ok(()));
        assert_eq!(at(&records, 3).await, Err(TooEarly { retry_after: 4 }));
    }

    #[tokio::test]
    async fn nobody_waits_for_more_than_a_minute() {
        let records = records();
        let mut second = 0;
        for _ in 0..40 {
            if let Err(TooEarly { retry_after }) = at(&records, second).await {
                assert!(retry_after <= 60, "{retry_after}");
                second += retry_after;
            }
        }
        assert!(second > 300, "{second}");
    }

    #[tokio::test]
    async fn the_right_password_forgives_the_wrong_ones() {
        let records = records();
        for _ in 0..6 {
            at(&records, 0).await.unwrap();
        }

        Attempts::forgive(&records, &oidc(), &ann(), now()).await.unwrap();

        assert_eq!(at(&records, 0).await, Ok(()));
    }

    #[tokio::test]
    async fn guesses_at_once_count_each() {
        let records = records();
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let records = records.clone();
                tokio::spawn(async move { at(&records, 0).await.is_ok() })
            })
            .collect();

        let mut admitted = 0;
        for task in tasks {
            admitted += u32::from(task.await.unwrap());
        }
        assert!((1..=6).contains(&admitted), "{admitted}");
    }

    #[tokio::test]
    async fn accounts_and_connections_do_not_meet() {
        let records = records();
        for _ in 0..6 {
            at(&records, 0).await.unwrap();
        }

        let bob = AccountEmail::try_from("bob@initech.example".to_owned()).unwrap();
        let other = crate::login::fixtures::saml();
        for (connection, email) in [(&oidc(), &bob), (&other, &ann())] {
            let admitted = Attempts::admit(&records, connection, email, now()).await.unwrap();
            assert_eq!(admitted, Ok(()));
        }
    }
}
