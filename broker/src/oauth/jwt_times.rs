//! Times in JWTs that clients sign (RFC 7519 §4.1).

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

/// How far a client's clock may be off.
pub(super) const SKEW: TimeDelta = TimeDelta::seconds(60);

/// The times of one JWT.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// When it ends, without skew.
    pub(super) exp: DateTime<Utc>,
}

impl Times {
    /// `exp` is required, lies ahead, and not further than `longest`; `nbf` and `iat`, where they came, do not lie ahead.
    pub(super) fn read(
        claims: &Map<String, Value>,
        longest: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<Self, &'static str> {
        let exp = numeric_date(claims, "exp")?.ok_or("exp is missing")?;
        if exp + SKEW <= now {
            return Err("it has expired");
        }
        if exp > now + longest + SKEW {
            return Err("exp lies too far ahead");
        }
        for name in ["nbf", "iat"] {
            if numeric_date(claims, name)?.is_some_and(|time| time > now + SKEW) {
                return Err("it is not valid yet");
            }
        }
        Ok(Self { exp })
    }
}

/// RFC 7519 §2: seconds since 1970, also with a fraction; what is no such number is a refusal.
pub(super) fn numeric_date(
    claims: &Map<String, Value>,
    name: &str,
) -> Result<Option<DateTime<Utc>>, &'static str> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_i64().or_else(|| value.as_f64().and_then(whole_seconds));
    let time = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    time.map(Some).ok_or("a time is not a number of seconds")
}

/// The text of a number, cut at its point: no cast can overflow.
fn whole_seconds(number: f64) -> Option<i64> {
    format!("{:.0}", number.trunc()).parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(claims: &Value) -> Result<i64, &'static str> {
        let now = DateTime::from_timestamp(1_000_000, 0).unwrap();
        let times = Times::read(claims.as_object().unwrap(), TimeDelta::minutes(10), now)?;
        Ok(times.exp.timestamp() - 1_000_000)
    }

    #[test]
    fn each_time_has_its_first_and_last_second() {
        assert_eq!(read(&json!({"exp": 999_941})), Ok(-59));
        assert_eq!(read(&json!({"exp": 999_940})), Err("it has expired"));
        assert_eq!(read(&json!({"exp": 1_000_660})), Ok(660));
        assert_eq!(read(&json!({"exp": 1_000_661})), Err("exp lies too far ahead"));
        for name in ["nbf", "iat"] {
            assert_eq!(read(&json!({"exp": 1_000_060, name: 1_000_060})), Ok(60));
            let early = read(&json!({"exp": 1_000_060, name: 1_000_061}));
            assert_eq!(early, Err("it is not valid yet"));
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        assert_eq!(read(&json!({})), Err("exp is missing"));
        assert_eq!(read(&json!({"exp": 1_000_060.5})), Ok(60));
        for bad in [json!("1000060"), json!(null), json!(1e300), json!([1]), json!(true)] {
            assert_eq!(read(&json!({ "exp": bad })), Err("a time is not a number of seconds"));
        }
    }
}
