use chrono::{DateTime, TimeZone as _, Utc};
use serde_json::{Map, Value};

use crate::oidc::Rejection;

/// The claims of a verified ID token, read by type: what has another type than its definition gives it is refused.
pub(in crate::oidc) struct Claims(Map<String, Value>);

impl Claims {
    pub(in crate::oidc) const fn new(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    pub(in crate::oidc) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub(in crate::oidc) fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    pub(in crate::oidc) fn text(&self, claim: &'static str) -> Result<Option<&str>, Rejection> {
        match self.0.get(claim) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Rejection::ClaimMalformed { claim, expected: "a string" }),
        }
    }

    pub(in crate::oidc) fn required_text(&self, claim: &'static str) -> Result<&str, Rejection> {
        self.text(claim)?.ok_or(Rejection::ClaimMissing { claim })
    }

    /// What names a user: OIDC Core §2 limits `sub` to 255 ASCII characters. Stricter than the text: visible ones only,
    /// so that two subjects that look alike are alike.
    pub(in crate::oidc) fn identifier(&self, claim: &'static str) -> Result<&str, Rejection> {
        let text = self.required_text(claim)?;
        let is_sound =
            (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if is_sound { Ok(text) } else { Err(Rejection::Subject { claim }) }
    }

    /// RFC 7519 §2, NumericDate: seconds since 1970, a fraction is allowed and cut off.
    pub(in crate::oidc) fn time(
        &self,
        claim: &'static str,
    ) -> Result<Option<DateTime<Utc>>, Rejection> {
        let malformed =
            Rejection::ClaimMalformed { claim, expected: "seconds since 1970 as a number" };
        match self.0.get(claim) {
            None => Ok(None),
            Some(Value::Number(number)) => {
                let seconds = number.as_i64().or_else(|| number.as_f64().and_then(whole_seconds));
                let seconds = seconds.filter(|s| (0..=LAST_SECOND).contains(s));
                seconds.and_then(|s| Utc.timestamp_opt(s, 0).single()).map(Some).ok_or(malformed)
            }
            Some(_) => Err(malformed),
        }
    }

    pub(in crate::oidc) fn required_time(
        &self,
        claim: &'static str,
    ) -> Result<DateTime<Utc>, Rejection> {
        self.time(claim)?.ok_or(Rejection::ClaimMissing { claim })
    }

    /// RFC 7519 §4.1.3: one string, or an array of them.
    pub(in crate::oidc) fn audiences(&self) -> Result<Vec<&str>, Rejection> {
        match self.0.get("aud") {
            None => Err(Rejection::ClaimMissing { claim: "aud" }),
            Some(Value::String(one)) => Ok(vec![one]),
            Some(value) => strings(value).ok_or(Rejection::ClaimMalformed {
                claim: "aud",
                expected: "a string or an array of strings",
            }),
        }
    }

    /// OIDC Core §2: an array of strings. Some providers send one string.
    pub(in crate::oidc) fn amr(&self) -> Result<Vec<&str>, Rejection> {
        match self.0.get("amr") {
            None => Ok(Vec::new()),
            Some(Value::String(one)) => Ok(vec![one]),
            Some(value) => strings(value)
                .ok_or(Rejection::ClaimMalformed { claim: "amr", expected: "an array of strings" }),
        }
    }
}

/// The end of the year 9999.
const LAST_SECOND: i64 = 253_402_300_799;

fn strings(value: &Value) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}

/// The bounds keep the cast exact.
fn whole_seconds(number: f64) -> Option<i64> {
    (0.0..=253_402_300_799.0).contains(&number).then(|| number.trunc() as i64)
}
