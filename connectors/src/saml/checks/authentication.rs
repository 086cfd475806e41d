//! When the user authenticated.

use super::{Answer, Expectation, Seen, compared, is_over, time};
use crate::saml::assertion::{Assertion, AuthnStatement};
use crate::saml::rejection::Rejection;

/// SAML Profiles §4.1.4.2: at least one AuthnStatement; none about the future.
pub(super) fn user_has_authenticated(
    answer: &Answer<'_>,
    expect: &Expectation<'_>,
) -> Result<Seen, Rejection> {
    let Some(latest) = latest_authn(answer.assertion) else {
        return Err(Rejection::AuthnStatementMissing);
    };
    if latest.instant > expect.now + expect.skew {
        return Err(Rejection::AuthnInFuture { at: latest.instant, now: expect.now });
    }
    compared(format!("not later than {}", time(expect.now)), time(latest.instant))
}

/// SAML Core §2.7.2.
pub(super) fn session_is_not_over(
    answer: &Answer<'_>,
    expect: &Expectation<'_>,
) -> Result<Seen, Rejection> {
    let ends =
        answer.assertion.authn.iter().filter_map(|statement| statement.session_not_on_or_after);
    let Some(at) = ends.min() else {
        return Ok(Seen::NotApplicable("no SessionNotOnOrAfter"));
    };
    if is_over(at, expect) {
        return Err(Rejection::SessionOver { at, now: expect.now });
    }
    compared(format!("later than {}", time(expect.now)), time(at))
}

/// OIDC Core §3.1.2.1 (`prompt=login`, `max_age`), asked upstream by ForceAuthn (SAML Core §3.4.1).
pub(super) fn authenticated_lately_enough(
    answer: &Answer<'_>,
    expect: &Expectation<'_>,
) -> Result<Seen, Rejection> {
    let (Some(asked), Some(latest)) = (expect.oldest_authn, latest_authn(answer.assertion)) else {
        return Ok(Seen::NotApplicable("this login asks for no fresh authentication"));
    };
    let oldest = asked.checked_sub_signed(expect.skew).unwrap_or(asked);
    if latest.instant < oldest {
        return Err(Rejection::AuthnTooOld { at: latest.instant, oldest });
    }
    compared(format!("{} or later", time(oldest)), time(latest.instant))
}

/// The statement about the user's last authentication.
pub(in crate::saml) fn latest_authn(assertion: &Assertion) -> Option<&AuthnStatement> {
    assertion.authn.iter().max_by_key(|statement| statement.instant)
}
