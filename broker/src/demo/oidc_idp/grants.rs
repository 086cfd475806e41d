//! Codes that wait to be redeemed.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::fault::OidcFault;
use crate::oauth::pkce::CodeChallenge;

/// What a code stands for.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) nonce: Option<String>,
    pub(super) challenge: CodeChallenge,
    pub(super) fault: Option<OidcFault>,
    pub(super) at: DateTime<Utc>,
}

/// Each is taken once, within a minute.
#[derive(Debug, Default)]
pub(super) struct Grants(BTreeMap<String, Grant>);

const LIFETIME: TimeDelta = TimeDelta::minutes(1);

impl Grants {
    /// Also forgets what was never redeemed.
    pub(super) fn put(&mut self, code: String, grant: Grant) {
        let now = grant.at;
        self.0.retain(|_, waiting| now < waiting.at + LIFETIME);
        self.0.insert(code, grant);
    }

    pub(super) fn take(&mut self, code: &str, now: DateTime<Utc>) -> Option<Grant> {
        self.0.remove(code).filter(|grant| now < grant.at + LIFETIME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(at: DateTime<Utc>) -> Grant {
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned();
        Grant {
            client_id: "c".to_owned(),
            redirect_uri: "https://c.example/cb".to_owned(),
            nonce: None,
            challenge: CodeChallenge::try_from(challenge).unwrap(),
            fault: None,
            at,
        }
    }

    #[test]
    fn a_code_is_taken_once_and_within_a_minute() {
        let at = DateTime::<Utc>::UNIX_EPOCH;
        let mut grants = Grants::default();
        grants.put("a".to_owned(), grant(at));
        grants.put("b".to_owned(), grant(at));

        assert!(grants.take("a", at + TimeDelta::seconds(59)).is_some());
        assert!(grants.take("a", at).is_none());
        assert!(grants.take("b", at + TimeDelta::seconds(60)).is_none());
    }
}
