//! How old it may be, and for how long it must be remembered.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Answer, Expectation, Seen, compared, confirmations, time};
use crate::saml::assertion::Assertion;
use crate::saml::instant::parse_instant;
use crate::saml::rejection::Rejection;

/// How old a Response or an assertion may be; stricter than the profile, which names no limit.
const MAX_AGE: TimeDelta = TimeDelta::days(1);

/// SAML Core §2.3.3, §3.2.2.
pub(super) fn issued_within_a_day(
    answer: &Answer<'_>,
    expect: &Expectation<'_>,
) -> Result<Seen, Rejection> {
    let now = expect.now;
    let response = parse_instant("IssueInstant", &answer.envelope.issue_instant)?;
    for (element, at) in [("Response", response), ("Assertion", answer.assertion.issue_instant)] {
        if at > now + expect.skew {
            return Err(Rejection::IssuedInFuture { element, at, now });
        }
        if at < now - MAX_AGE {
            return Err(Rejection::IssuedTooLongAgo { element, at, now });
        }
    }
    compared(format!("at most a day before {}", time(now)), time(answer.assertion.issue_instant))
}

/// Without a pending login only the replay marker tells a second use from the first, and markers older than the
/// session store are gone. Stricter than the profile.
pub(super) fn issued_since_the_store_began(
    answer: &Answer<'_>,
    expect: &Expectation<'_>,
) -> Result<Seen, Rejection> {
    if expect.request_id.is_some() {
        return Ok(Seen::NotApplicable("the pending login is younger than the session store"));
    }
    let (at, earliest) = (answer.assertion.issue_instant, expect.epoch + expect.skew);
    if at < earliest {
        return Err(Rejection::IssuedBeforeEpoch { at, earliest });
    }
    compared(format!("{} or later", time(earliest)), time(at))
}

/// Until when this assertion could pass the rules again: the latest end of a bearer confirmation, but not longer
/// than its greatest age, plus skew. Without that a second use could come between its end and our forgetting it.
pub(in crate::saml) fn admissible_until(assertion: &Assertion, skew: TimeDelta) -> DateTime<Utc> {
    let ends =
        confirmations(assertion).iter().filter(|c| c.is_bearer()).filter_map(|c| c.not_on_or_after);
    let greatest_age = assertion.issue_instant + MAX_AGE;
    ends.max().map_or(greatest_age, |end| end.min(greatest_age)) + skew
}
