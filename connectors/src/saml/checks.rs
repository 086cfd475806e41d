//! The rules of the browser profile (SAML Profiles §4.1.4, Core §2.5): one rule, one function, one citation.
//!
//! The assertion was read from verified bytes. The envelope may be unsigned: then its values can refuse, never
//! admit. A time is still good while `now` is less than skew past it, and already good from skew before it.

mod age;
mod authentication;
mod conditions;
mod confirmation;
mod issuer;
mod request;
#[cfg(test)]
mod tests;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use self::age::{issued_since_the_store_began, issued_within_a_day};
use self::authentication::{
    authenticated_lately_enough, session_is_not_over, user_has_authenticated,
};
use self::conditions::{conditions_hold_now, every_condition_is_known, every_restriction_names_us};
use self::confirmation::one_bearer_confirmation_holds;
use self::issuer::{assertion_issuer_is_the_idp, response_issuer_is_the_idp};
use self::request::{answers_our_request, destination_is_our_acs};
use super::assertion::{Assertion, Confirmation};
use super::envelope::{Envelope, Status};
use super::rejection::Rejection;
use crate::check::Checks;

pub(super) use self::age::admissible_until;
pub(super) use self::authentication::latest_authn;

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
