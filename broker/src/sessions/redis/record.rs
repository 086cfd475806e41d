//! How a record stands in Redis, and the scripts that judge it there.

use chrono::{DateTime, TimeDelta, Utc};
use redis::{Cmd, cmd};

use crate::sessions::{Key, StoreError};

/// How long Redis keeps a record beyond its end: as much as the clocks of two nodes may differ, or a replay marker that one
/// node wrote could be gone while another still accepts the assertion.
const MARGIN: TimeDelta = TimeDelta::minutes(5);
/// Longest lifetime that Redis is told; it refuses times that overflow.
const LONGEST: TimeDelta = TimeDelta::days(3650);
/// Eight bytes, big endian: microseconds since 1970 at which the record ends.
const HEAD: usize = 8;

/// When a value ends. Exact: microseconds of the next 250 years fit into the mantissa of a double.
macro_rules! with_expiry {
    ($script:literal) => {
        concat!(
            "local function ends(v) local n = 0 for i = 1, 8 do n = n * 256 + string.byte(v, i) end return n end ",
            "local v = redis.call('GET', KEYS[1]) ",
            $script
        )
    };
}

/// Keys: 1 the record. Arguments: now, the new value, its lifetime in milliseconds.
const INSERT_ONCE: &str = with_expiry!(
    "if v and ends(v) > tonumber(ARGV[1]) then return 0 end \
     redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1"
);

/// Keys: 1 the record. Arguments: now, the new value, its lifetime in milliseconds, the payload that must be there.
const COMPARE_AND_SWAP: &str = with_expiry!(
    "if not v or ends(v) <= tonumber(ARGV[1]) or string.sub(v, 9) ~= ARGV[4] then return 0 end \
     redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1"
);

/// One hash tag an object, so that Cluster keeps it in one place whatever the prefix is.
pub(super) fn key(prefix: &str, key: &Key) -> String {
    format!("{prefix}{{{key}}}")
}

/// A value with its end, and how long Redis keeps it, by our clock.
#[derive(Debug)]
pub(super) struct Written {
    value: Vec<u8>,
    milliseconds: i64,
}

impl Written {
    pub(super) fn new(payload: &[u8], expires_at: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        let mut value = Vec::with_capacity(HEAD + payload.len());
        value.extend_from_slice(&micros(expires_at).to_be_bytes());
        value.extend_from_slice(payload);
        let remaining = (expires_at - now).clamp(TimeDelta::zero(), LONGEST) + MARGIN;
        Self { value, milliseconds: remaining.num_milliseconds() }
    }
}

pub(super) fn get(key: &str) -> Cmd {
    let mut command = cmd("GET");
    command.arg(key);
    command
}

/// Also takes away what has ended: nobody may see that any more.
pub(super) fn take(key: &str) -> Cmd {
    let mut command = cmd("GETDEL");
    command.arg(key);
    command
}

pub(super) fn put(key: &str, new: &Written) -> Cmd {
    let mut command = cmd("SET");
    command.arg(key).arg(&new.value).arg("PX").arg(new.milliseconds);
    command
}

pub(super) fn insert_once(key: &str, new: &Written, now: DateTime<Utc>) -> Cmd {
    script(INSERT_ONCE, key, new, now)
}

pub(super) fn compare_and_swap(
    key: &str,
    expected: &[u8],
    new: &Written,
    now: DateTime<Utc>,
) -> Cmd {
    let mut command = script(COMPARE_AND_SWAP, key, new, now);
    command.arg(expected);
    command
}

/// With its text each time: EVALSHA would take a second round trip after every restart and failover.
fn script(text: &str, key: &str, new: &Written, now: DateTime<Utc>) -> Cmd {
    let mut command = cmd("EVAL");
    command.arg(text).arg(1).arg(key).arg(micros(now)).arg(&new.value).arg(new.milliseconds);
    command
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
fn micros(at: DateTime<Utc>) -> i64 {
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
