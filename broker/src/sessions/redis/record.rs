//! How a record stands in Redis.

use chrono::{DateTime, TimeDelta, Utc};

use crate::sessions::{Key, StoreError};

/// How long Redis keeps a record beyond its end: as much as the clocks of two nodes may differ, or a replay marker that one
/// node wrote could be gone while another still accepts the assertion.
pub(super) const MARGIN: TimeDelta = TimeDelta::minutes(5);
/// Longest lifetime that Redis is told; it refuses times that overflow.
pub(super) const LONGEST: TimeDelta = TimeDelta::days(3650);
/// Eight bytes, big endian: microseconds since 1970 at which the record ends.
const HEAD: usize = 8;

/// One hash tag an object, so that Cluster keeps it in one place whatever the prefix is.
pub(super) fn key(prefix: &str, key: &Key) -> String {
    format!("{prefix}{{{key}}}")
}

/// A value with its end, and how long Redis keeps it, by our clock.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) value: Vec<u8>,
    pub(super) milliseconds: i64,
}

impl Written {
    pub(super) fn new(payload: &[u8], expires_at: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        let mut value = Vec::with_capacity(HEAD + payload.len());
        value.extend_from_slice(&micros(expires_at).to_be_bytes());
        value.extend_from_slice(payload);
        Self { value, milliseconds: lifetime(expires_at, now) }
    }
}

/// How long Redis keeps what ends then, in milliseconds.
pub(super) fn lifetime(expires_at: DateTime<Utc>, now: DateTime<Utc>) -> i64 {
    let remaining = (expires_at - now).clamp(TimeDelta::zero(), LONGEST);
    (remaining + MARGIN).num_milliseconds()
}

/// The payload of a stored value; nothing where it has ended.
///
/// # Errors
/// [`StoreError::Unavailable`] for a value that is not ours.
pub(super) fn payload(
    mut stored: Vec<u8>,
    now: DateTime<Utc>,
) -> Result<Option<Vec<u8>>, StoreError> {
    let head = stored.first_chunk::<HEAD>().ok_or_else(not_ours)?;
    if i64::from_be_bytes(*head) <= micros(now) {
        return Ok(None);
    }
    stored.drain(..HEAD);
    Ok(Some(stored))
}

fn not_ours() -> StoreError {
    StoreError::Unavailable("a value in Redis is not one of ours".to_owned())
}

/// Never negative: the scripts read the bytes as a plain number.
pub(super) fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros().max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(n: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_900_000_000 + n, 0).unwrap()
    }

    #[test]
    fn a_value_ends_at_its_exact_second() {
        let written = Written::new(b"x", second(60), second(0));

        assert_eq!(
            payload(written.value.clone(), second(59)).unwrap().as_deref(),
            Some(b"x".as_slice())
        );
        assert_eq!(payload(written.value, second(60)).unwrap(), None);
        assert!(payload(vec![0; 7], second(0)).is_err());
    }

    #[test]
    fn redis_keeps_a_record_somewhat_longer_than_it_lives() {
        assert_eq!(Written::new(b"", second(60), second(0)).milliseconds, 360_000);
        assert_eq!(Written::new(b"", second(0), second(60)).milliseconds, 300_000);
        let ever = Written::new(b"", DateTime::<Utc>::MAX_UTC, second(0)).milliseconds;
        assert_eq!(ever, (LONGEST + MARGIN).num_milliseconds());
    }

    #[test]
    fn a_key_has_one_hash_tag() {
        let k = Key { kind: "login", digest: [0xab; 32] };
        assert_eq!(key("hr:", &k), format!("hr:{{login:{}}}", "ab".repeat(32)));
    }
}
