//! When and for whom it holds.

use chrono::{DateTime, Utc};

use super::{Answer, Expectation, Seen, compared, is_over, is_to_come, time};
use crate::invisible::has_invisible;
use crate::saml::rejection::Rejection;

/// SAML Core §2.5.1.2.
pub(super) fn conditions_hold_now(
    answer: &Answer<'_>,
    expect: &Expectation<'_>,
) -> Result<Seen, Rejection> {
    let Some(conditions) = &answer.assertion.conditions else {
        return Err(Rejection::ConditionsMissing { expected: expect.audience.to_owned() });
    };
    if let Some(at) = conditions.not_before.filter(|at| is_to_come(*at, expect)) {
        return Err(Rejection::AssertionNotYetValid { at, now: expect.now });
    }
    if let Some(at) = conditions.not_on_or_after.filter(|at| is_over(*at, expect)) {
        return Err(Rejection::AssertionExpired { at, now: expect.now });
    }
    let limit = |at: Option<DateTime<Utc>>| at.map_or_else(|| "any time".to_owned(), time);
    compared(
        time(expect.now),
        format!("{} to {}", limit(conditions.not_before), limit(conditions.not_on_or_after)),
    )
}

/// SAML Core §2.5.1.1: a condition that is not understood makes the assertion indeterminate.
pub(super) fn every_condition_is_known(
    answer: &Answer<'_>,
    _: &Expectation<'_>,
) -> Result<Seen, Rejection> {
    match answer.assertion.conditions.iter().flat_map(|conditions| &conditions.unknown).next() {
        Some(received) => Err(Rejection::ConditionUnknown { received: received.clone() }),
        None => compared("known conditions", "known conditions"),
    }
}

/// SAML Core §2.5.1.4: restrictions are ANDed, audiences within one are ORed.
///
/// Core lets the element be absent; the browser profile (Profiles §4.1.4.2) does not, nor do we.
pub(super) fn every_restriction_names_us(
    answer: &Answer<'_>,
    expect: &Expectation<'_>,
) -> Result<Seen, Rejection> {
    let restrictions = answer.assertion.conditions.as_ref().map_or(&[][..], |c| &c.audiences);
    let mut all = restrictions.iter().flatten();
    if all.clone().any(|audience| has_invisible(audience)) {
        return Err(Rejection::InvisibleCharacters { field: "Audience" });
    }
    let expected = expect.audience.to_owned();
    if restrictions.is_empty() {
        return Err(Rejection::AudienceRestrictionMissing { expected });
    }
    if !restrictions.iter().all(|one| one.iter().any(|audience| audience == expect.audience)) {
        return Err(Rejection::AudienceMismatch { expected, received: all.cloned().collect() });
    }
    compared(expected, all.next().map_or("", String::as_str))
}
