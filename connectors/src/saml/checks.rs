//! The rules of the browser profile (SAML Profiles §4.1.4, Core §2.5): one rule, one function, one citation.
//!
//! The assertion was read from verified bytes. The envelope may be unsigned: then its values can refuse, never
//! admit. A time is still good while `now` is less than skew past it, and already good from skew before it.

#[cfg(test)]
mod tests;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::assertion::{Assertion, AuthnStatement, Confirmation};
use super::envelope::{Envelope, Status};
use super::rejection::Rejection;
use crate::check::Checks;
use crate::invisible::has_invisible;

/// What a response brought.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    pub(super) envelope: &'a Envelope,
    pub(super) assertion: &'a Assertion,
    pub(super) was_encrypted: bool,
}

/// What it is held against: the connection's settings and the pending login.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expectation<'a> {
    /// Entity ID of the identity provider.
    pub(super) issuer: &'a str,
    /// Our entity ID for this connection.
    pub(super) audience: &'a str,
    pub(super) acs: &'a str,
    /// ID of this login's AuthnRequest; `None` where no login is pending.
    pub(super) request_id: Option<&'a str>,
    /// Whether the connection takes unsolicited responses.
    pub(super) idp_initiated: bool,
    /// `prompt=login` and `max_age`: when the user must have authenticated, at the earliest.
    pub(super) oldest_authn: Option<DateTime<Utc>>,
    pub(super) skew: TimeDelta,
    pub(super) epoch: DateTime<Utc>,
    pub(super) now: DateTime<Utc>,
}

type Rule = fn(&Answer<'_>, &Expectation<'_>) -> Result<Seen, Rejection>;

/// In this order; the first broken rule is the refusal.
const RULES: [(&str, Rule); 15] = [
    ("saml_version", versions_are_2_0),
    ("saml_response_issuer", response_issuer_is_the_idp),
    ("saml_issuer", assertion_issuer_is_the_idp),
    ("saml_status", status_is_success),
    ("saml_in_response_to", answers_our_request),
    ("saml_destination", destination_is_our_acs),
    ("saml_issue_instant", issued_within_a_day),
    ("saml_epoch", issued_since_the_store_began),
    ("saml_bearer_confirmation", one_bearer_confirmation_holds),
    ("saml_conditions_window", conditions_hold_now),
    ("saml_conditions_known", every_condition_is_known),
    ("saml_audience", every_restriction_names_us),
    ("saml_authn_statement", user_has_authenticated),
    ("saml_session", session_is_not_over),
    ("saml_authn_age", authenticated_lately_enough),
];

/// What a rule that held has looked at.
#[derive(Debug)]
enum Seen {
    Compared { expected: String, received: String },
    NotApplicable(&'static str),
}

fn compared(expected: impl Into<String>, received: impl Into<String>) -> Result<Seen, Rejection> {
    Ok(Seen::Compared { expected: expected.into(), received: received.into() })
}

/// Holds the answer against every rule, and records each that held.
pub(super) fn check(
    answer: &Answer<'_>,
    expect: &Expectation<'_>,
    checks: &mut Checks,
) -> Result<(), Rejection> {
    for (code, rule) in RULES {
        match rule(answer, expect)? {
            Seen::Compared { expected, received } => {
                checks.passed(code, Some(expected), Some(received))
            }
            Seen::NotApplicable(why) => checks.skipped(code, why),
        }
    }
    Ok(())
}

/// SAML Core §2.3.3, §3.2.2.
fn versions_are_2_0(answer: &Answer<'_>, _: &Expectation<'_>) -> Result<Seen, Rejection> {
    for (element, version) in
        [("Response", &answer.envelope.version), ("Assertion", &answer.assertion.version)]
    {
        if version != "2.0" {
            return Err(Rejection::Version { element, received: version.clone() });
        }
    }
    compared("2.0", "2.0")
}

/// SAML Profiles §4.1.4.2: may be left out only where the Response is unsigned and nothing is encrypted.
fn response_issuer_is_the_idp(
    answer: &Answer<'_>,
    expect: &Expectation<'_>,
) -> Result<Seen, Rejection> {
    let envelope = answer.envelope;
    match &envelope.issuer {
        Some(issuer) => {
            issuer_is_the_idp("Response", issuer, envelope.issuer_format.as_deref(), expect)
        }
        None if envelope.is_signed || answer.was_encrypted => Err(Rejection::IssuerMissing {
            element: "Response",
            expected: expect.issuer.to_owned(),
        }),
        None => Ok(Seen::NotApplicable("an unsigned Response may leave Issuer out")),
    }
}

/// SAML Core §2.2.5.
fn assertion_issuer_is_the_idp(
    answer: &Answer<'_>,
    expect: &Expectation<'_>,
) -> Result<Seen, Rejection> {
    let issuer = &answer.assertion.issuer;
    if issuer.value.is_empty() {
        return Err(Rejection::IssuerMissing {
            element: "Assertion",
            expected: expect.issuer.to_owned(),
        });
    }
    issuer_is_the_idp("Assertion", &issuer.value, issuer.format.as_deref(), expect)
}

/// SAML Profiles §4.1.4.2: the exact entity ID, with the entity format or none.
fn issuer_is_the_idp(
    element: &'static str,
    issuer: &str,
    format: Option<&str>,
    expect: &Expectation<'_>,
) -> Result<Seen, Rejection> {
    if let Some(format) = format
        && format != "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
    {
        return Err(Rejection::IssuerFormat { element, received: format.to_owned() });
    }
    if has_invisible(issuer) {
        return Err(Rejection::InvisibleCharacters { field: "Issuer" });
    }
    if issuer != expect.issuer {
        let expected = expect.issuer.to_owned();
        return Err(Rejection::IssuerMismatch { element, expected, received: issuer.to_owned() });
    }
    compared(expect.issuer, issuer)
}

/// SAML Core §3.2.2.2. An assertion beside another status is refused all the same.
fn status_is_success(answer: &Answer<'_>, _: &Expectation<'_>) -> Result<Seen, Rejection> {
    let status = &answer.envelope.status;
    if !status.is_success() {
        return Err(Rejection::IdpError {
            codes: status.codes.clone(),
            message: status.message.clone(),
        });
    }
    compared(Status::SUCCESS, status.codes.join(" / "))
}

/// SAML Profiles §4.1.4.3, §4.1.5: all values agree, and the one that counts stands in the signed assertion.
///
/// Without a pending login there may be none anywhere, whether or not the connection takes unsolicited responses.
fn answers_our_request(answer: &Answer<'_>, expect: &Expectation<'_>) -> Result<Seen, Rejection> {
    let values = in_response_to_values(answer);
    let received = values.first().copied();
    if values.iter().any(|value| Some(*value) != received) {
        let received = values.into_iter().map(str::to_owned).collect();
        return Err(Rejection::InResponseToInconsistent { received });
    }
    match (expect.request_id, received) {
        (None, Some(_)) => Err(Rejection::PendingLoginMissing),
        (None, None) if expect.idp_initiated => {
            compared("an unsolicited response", "no InResponseTo")
        }
        (None, None) => Err(Rejection::Unsolicited),
        (Some(expected), Some(received)) if expected == received => compared(expected, received),
        (Some(expected), received) => Err(Rejection::InResponseToMismatch {
            expected: expected.to_owned(),
            received: received.map(str::to_owned),
        }),
    }
}

fn in_response_to_values<'a>(answer: &Answer<'a>) -> Vec<&'a str> {
    let of_confirmations =
        confirmations(answer.assertion).iter().filter_map(|c| c.in_response_to.as_deref());
    answer.envelope.in_response_to.as_deref().into_iter().chain(of_confirmations).collect()
}

/// SAML Bindings §3.5.5.2: required where the Response is signed. Exact where present.
fn destination_is_our_acs(
    answer: &Answer<'_>,
    expect: &Expectation<'_>,
) -> Result<Seen, Rejection> {
    match &answer.envelope.destination {
        Some(received) if received == expect.acs => compared(expect.acs, received),
        Some(received) => Err(Rejection::DestinationMismatch {
            expected: expect.acs.to_owned(),
            received: received.clone(),
        }),
        None if answer.envelope.is_signed => {
            Err(Rejection::DestinationMissing { expected: expect.acs.to_owned() })
        }
        None => Ok(Seen::NotApplicable("an unsigned Response may leave Destination out")),
    }
}

/// How old a Response or an assertion may be; stricter than the profile, which names no limit.
const MAX_AGE: TimeDelta = TimeDelta::days(1);

/// SAML Core §2.3.3, §3.2.2.
fn issued_within_a_day(answer: &Answer<'_>, expect: &Expectation<'_>) -> Result<Seen, Rejection> {
    let now = expect.now;
    let response = super::instant::parse_instant("IssueInstant", &answer.envelope.issue_instant)?;
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
fn issued_since_the_store_began(
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

/// SAML Profiles §4.1.4.2, §4.1.4.3: among several bearer confirmations one that holds in full is enough.
fn one_bearer_confirmation_holds(
    answer: &Answer<'_>,
    expect: &Expectation<'_>,
) -> Result<Seen, Rejection> {
    let mut refusal = Rejection::BearerConfirmationMissing;
    for confirmation in confirmations(answer.assertion).iter().filter(|c| c.is_bearer()) {
        match confirmation_holds(confirmation, expect) {
            Ok(seen) => return Ok(seen),
            Err(first) if refusal == Rejection::BearerConfirmationMissing => refusal = first,
            Err(_) => {}
        }
    }
    Err(refusal)
}

fn confirmation_holds(
    confirmation: &Confirmation,
    expect: &Expectation<'_>,
) -> Result<Seen, Rejection> {
    if confirmation.recipient.as_deref() != Some(expect.acs) {
        let expected = expect.acs.to_owned();
        return Err(Rejection::RecipientMismatch {
            expected,
            received: confirmation.recipient.clone(),
        });
    }
    if confirmation.in_response_to.as_deref() != expect.request_id {
        let expected = expect.request_id.unwrap_or("no InResponseTo").to_owned();
        return Err(Rejection::InResponseToMismatch {
            expected,
            received: confirmation.in_response_to.clone(),
        });
    }
    let Some(end) = confirmation.not_on_or_after else {
        return Err(Rejection::ConfirmationNotOnOrAfterMissing);
    };
    if is_over(end, expect) {
        return Err(Rejection::ConfirmationExpired { at: end, now: expect.now });
    }
    if let Some(at) = confirmation.not_before.filter(|at| is_to_come(*at, expect)) {
        return Err(Rejection::ConfirmationNotYetValid { at, now: expect.now });
    }
    compared(expect.acs, format!("{}, until {}", expect.acs, time(end)))
}

/// SAML Core §2.5.1.2.
fn conditions_hold_now(answer: &Answer<'_>, expect: &Expectation<'_>) -> Result<Seen, Rejection> {
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
fn every_condition_is_known(answer: &Answer<'_>, _: &Expectation<'_>) -> Result<Seen, Rejection> {
    match answer.assertion.conditions.iter().flat_map(|conditions| &conditions.unknown).next() {
        Some(received) => Err(Rejection::ConditionUnknown { received: received.clone() }),
        None => compared("known conditions", "known conditions"),
    }
}

/// SAML Core §2.5.1.4: restrictions are ANDed, audiences within one are ORed.
///
/// Core lets the element be absent; the browser profile (Profiles §4.1.4.2) does not, nor do we.
fn every_restriction_names_us(
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

/// SAML Profiles §4.1.4.2: at least one AuthnStatement; none about the future.
fn user_has_authenticated(
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
fn session_is_not_over(answer: &Answer<'_>, expect: &Expectation<'_>) -> Result<Seen, Rejection> {
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
fn authenticated_lately_enough(
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
pub(super) fn latest_authn(assertion: &Assertion) -> Option<&AuthnStatement> {
    assertion.authn.iter().max_by_key(|statement| statement.instant)
}

/// Until when this assertion could pass the rules again: the latest end of a bearer confirmation, but not longer
/// than its greatest age, plus skew. Without that a second use could come between its end and our forgetting it.
pub(super) fn admissible_until(assertion: &Assertion, skew: TimeDelta) -> DateTime<Utc> {
    let ends =
        confirmations(assertion).iter().filter(|c| c.is_bearer()).filter_map(|c| c.not_on_or_after);
    let greatest_age = assertion.issue_instant + MAX_AGE;
    ends.max().map_or(greatest_age, |end| end.min(greatest_age)) + skew
}

fn confirmations(assertion: &Assertion) -> &[Confirmation] {
    assertion.subject.as_ref().map_or(&[], |subject| &subject.confirmations)
}

/// NotOnOrAfter names the first instant that is too late.
fn is_over(not_on_or_after: DateTime<Utc>, expect: &Expectation<'_>) -> bool {
    expect.now >= not_on_or_after + expect.skew
}

fn is_to_come(not_before: DateTime<Utc>, expect: &Expectation<'_>) -> bool {
    expect.now + expect.skew < not_before
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
