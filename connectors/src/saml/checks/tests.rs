//! From one good answer: one field changed, one exact refusal; both boundary seconds of every time.

mod age;
mod authentication;
mod conditions;
mod confirmation;
mod issuer;
mod request;

use super::*;
use crate::check::Outcome;
use crate::saml::assertion::fixture::{ACS, IDP, REQUEST, SP, at, authn, bearer, envelope, good};
use crate::saml::assertion::{AuthnStatement, Conditions, Issuer, SamlSubject};

fn expectation(now: &str) -> Expectation<'static> {
    Expectation {
        issuer: IDP,
        audience: SP,
        acs: ACS,
        request_id: Some(REQUEST),
        idp_initiated: false,
        oldest_authn: None,
        skew: TimeDelta::seconds(60),
        epoch: at("2030-01-01T00:00:00Z"),
        now: at(now),
    }
}

fn soon() -> Expectation<'static> {
    expectation("2030-01-31T12:00:30Z")
}

fn unsolicited() -> Expectation<'static> {
    Expectation { request_id: None, idp_initiated: true, ..soon() }
}

fn judge(
    envelope: &Envelope,
    assertion: &Assertion,
    expect: &Expectation<'_>,
) -> Result<(), Rejection> {
    check(&Answer { envelope, assertion, was_encrypted: false }, expect, &mut Checks::default())
}

fn judge_assertion(assertion: &Assertion) -> Result<(), Rejection> {
    judge(&envelope(), assertion, &soon())
}

fn judge_envelope(envelope: &Envelope) -> Result<(), Rejection> {
    judge(envelope, &good(), &soon())
}

fn with_confirmations(confirmations: Vec<Confirmation>) -> Assertion {
    Assertion { subject: Some(SamlSubject { confirmations, ..good().subject.unwrap() }), ..good() }
}

fn with_conditions(change: impl FnOnce(&mut Conditions)) -> Assertion {
    let mut assertion = good();
    change(assertion.conditions.as_mut().unwrap());
    assertion
}

fn without_in_response_to() -> (Envelope, Assertion) {
    let envelope = Envelope { in_response_to: None, ..envelope() };
    (envelope, with_confirmations(vec![Confirmation { in_response_to: None, ..bearer() }]))
}

#[test]
fn the_good_answer_passes_and_every_rule_leaves_a_check() {
    let mut checks = Checks::default();

    let outcome = check(
        &Answer { envelope: &envelope(), assertion: &good(), was_encrypted: false },
        &soon(),
        &mut checks,
    );

    assert_eq!(outcome, Ok(()));
    let codes: Vec<_> = checks.as_slice().iter().map(|check| check.code.as_str()).collect();
    assert_eq!(codes, RULES.map(|(code, _)| code));
    assert!(checks.as_slice().iter().all(|check| check.outcome != Outcome::Failed));
}

#[test]
fn the_trace_names_nobody() {
    let mut checks = Checks::default();

    check(
        &Answer { envelope: &envelope(), assertion: &good(), was_encrypted: false },
        &soon(),
        &mut checks,
    )
    .unwrap();

    let trace = serde_json::to_string(checks.as_slice()).unwrap();
    assert!(!trace.contains("G-4711") && !trace.contains("alice"), "{trace}");
}

#[test]
fn refuses_another_version() {
    let response = Envelope { version: "1.1".to_owned(), ..envelope() };
    let assertion = Assertion { version: "2.1".to_owned(), ..good() };

    let (one, two) = (judge_envelope(&response), judge_assertion(&assertion));

    assert_eq!(one, Err(Rejection::Version { element: "Response", received: "1.1".to_owned() }));
    assert_eq!(two, Err(Rejection::Version { element: "Assertion", received: "2.1".to_owned() }));
}

#[test]
fn refuses_an_assertion_beside_a_status_that_is_not_success() {
    let codes =
        vec!["urn:oasis:names:tc:SAML:2.0:status:Responder".to_owned(), Status::SUCCESS.to_owned()];
    let status = Status { codes: codes.clone(), message: None };

    let refused = judge_envelope(&Envelope { status, ..envelope() });

    assert_eq!(refused, Err(Rejection::IdpError { codes, message: None }));
}

#[test]
fn refuses_a_response_without_a_status_code() {
    let status = Status { codes: Vec::new(), message: None };

    let refused = judge_envelope(&Envelope { status, ..envelope() });

    assert_eq!(refused, Err(Rejection::IdpError { codes: Vec::new(), message: None }));
}
