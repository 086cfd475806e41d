//! From one good answer: one field changed, one exact refusal; both boundary seconds of every time.

use super::*;
use crate::check::Outcome;
use crate::saml::assertion::fixture::{ACS, IDP, REQUEST, SP, at, authn, bearer, envelope, good};
use crate::saml::assertion::{Conditions, Issuer, SamlSubject};

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
fn refuses_another_issuer_on_the_response_even_if_unsigned() {
    for is_signed in [true, false] {
        let received = format!("{IDP}/");
        let response = Envelope { issuer: Some(received.clone()), is_signed, ..envelope() };

        let refused = judge_envelope(&response);

        let expected = IDP.to_owned();
        assert_eq!(
            refused,
            Err(Rejection::IssuerMismatch { element: "Response", expected, received })
        );
    }
}

#[test]
fn the_response_issuer_may_be_absent_only_if_unsigned_and_nothing_is_encrypted() {
    let missing = Err(Rejection::IssuerMissing { element: "Response", expected: IDP.to_owned() });
    for (is_signed, was_encrypted, verdict) in
        [(false, false, Ok(())), (true, false, missing.clone()), (false, true, missing)]
    {
        let response = Envelope { issuer: None, is_signed, ..envelope() };
        let answer = Answer { envelope: &response, assertion: &good(), was_encrypted };

        assert_eq!(check(&answer, &soon(), &mut Checks::default()), verdict);
    }
}

#[test]
fn refuses_another_issuer_of_the_assertion() {
    for received in
        ["https://idp.acme.example/SAML", "https://idp.acme.example/sam", "https://evil.example"]
    {
        let assertion =
            Assertion { issuer: Issuer { value: received.to_owned(), format: None }, ..good() };

        let refused = judge_assertion(&assertion);

        let (expected, received) = (IDP.to_owned(), received.to_owned());
        assert_eq!(
            refused,
            Err(Rejection::IssuerMismatch { element: "Assertion", expected, received })
        );
    }
}

#[test]
fn refuses_an_assertion_with_an_empty_issuer() {
    let assertion = Assertion { issuer: Issuer { value: String::new(), format: None }, ..good() };

    let refused = judge_assertion(&assertion);

    assert_eq!(
        refused,
        Err(Rejection::IssuerMissing { element: "Assertion", expected: IDP.to_owned() })
    );
}

#[test]
fn refuses_invisible_characters_in_the_issuer() {
    let issuer = Issuer { value: format!("{IDP}\u{200b}"), format: None };

    let refused = judge_assertion(&Assertion { issuer, ..good() });

    assert_eq!(refused, Err(Rejection::InvisibleCharacters { field: "Issuer" }));
}

#[test]
fn the_issuer_has_the_entity_format_or_none() {
    let entity = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity".to_owned();
    let other = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent".to_owned();
    let issuer = |format: &String| Issuer { value: IDP.to_owned(), format: Some(format.clone()) };

    let accepted = judge_assertion(&Assertion { issuer: issuer(&entity), ..good() });
    let refused = judge_assertion(&Assertion { issuer: issuer(&other), ..good() });

    assert_eq!(accepted, Ok(()));
    assert_eq!(refused, Err(Rejection::IssuerFormat { element: "Assertion", received: other }));
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

#[test]
fn refuses_an_answer_to_another_request() {
    let other = "_another".to_owned();
    let response = Envelope { in_response_to: Some(other.clone()), ..envelope() };
    let assertion =
        with_confirmations(vec![Confirmation { in_response_to: Some(other.clone()), ..bearer() }]);

    let refused = judge(&response, &assertion, &soon());

    let expected = REQUEST.to_owned();
    assert_eq!(refused, Err(Rejection::InResponseToMismatch { expected, received: Some(other) }));
}

#[test]
fn refuses_values_of_in_response_to_that_disagree() {
    let response = Envelope { in_response_to: Some("_another".to_owned()), ..envelope() };

    let refused = judge_envelope(&response);

    let received = vec!["_another".to_owned(), REQUEST.to_owned()];
    assert_eq!(refused, Err(Rejection::InResponseToInconsistent { received }));
}

#[test]
fn the_response_may_leave_in_response_to_to_the_assertion() {
    assert_eq!(judge_envelope(&Envelope { in_response_to: None, ..envelope() }), Ok(()));
}

#[test]
fn in_response_to_on_the_response_alone_is_not_enough() {
    for is_signed in [true, false] {
        let assertion = with_confirmations(vec![Confirmation { in_response_to: None, ..bearer() }]);

        let refused = judge(&Envelope { is_signed, ..envelope() }, &assertion, &soon());

        let expected = REQUEST.to_owned();
        assert_eq!(refused, Err(Rejection::InResponseToMismatch { expected, received: None }));
    }
}

#[test]
fn an_unsolicited_response_does_not_answer_a_pending_login() {
    let (response, assertion) = without_in_response_to();

    let refused = judge(&response, &assertion, &Expectation { idp_initiated: true, ..soon() });

    let expected = REQUEST.to_owned();
    assert_eq!(refused, Err(Rejection::InResponseToMismatch { expected, received: None }));
}

#[test]
fn an_unsolicited_response_passes_only_where_the_connection_takes_them() {
    let (response, assertion) = without_in_response_to();

    let on = judge(&response, &assertion, &unsolicited());
    let off = judge(&response, &assertion, &Expectation { idp_initiated: false, ..unsolicited() });

    assert_eq!(on, Ok(()));
    assert_eq!(off, Err(Rejection::Unsolicited));
}

#[test]
fn a_solicited_answer_without_its_pending_login_is_refused_even_where_unsolicited_ones_are_taken() {
    let (bare_response, bare_assertion) = without_in_response_to();
    let holder_of_key = Confirmation {
        method: "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key".to_owned(),
        ..bearer()
    };
    let elsewhere =
        with_confirmations(vec![Confirmation { in_response_to: None, ..bearer() }, holder_of_key]);

    for (response, assertion) in
        [(&envelope(), &bare_assertion), (&bare_response, &good()), (&envelope(), &good())]
    {
        assert_eq!(judge(response, assertion, &unsolicited()), Err(Rejection::PendingLoginMissing));
    }
    assert_eq!(
        judge(&bare_response, &elsewhere, &unsolicited()),
        Err(Rejection::PendingLoginMissing)
    );
}

#[test]
fn refuses_another_destination_even_if_unsigned() {
    for received in
        ["", "https://login.example.com/saml/acme", "https://LOGIN.example.com/saml/acme/acs"]
    {
        let response =
            Envelope { destination: Some(received.to_owned()), is_signed: false, ..envelope() };

        let refused = judge_envelope(&response);

        let (expected, received) = (ACS.to_owned(), received.to_owned());
        assert_eq!(refused, Err(Rejection::DestinationMismatch { expected, received }));
    }
}

#[test]
fn only_a_signed_response_must_have_a_destination() {
    let unsigned = judge_envelope(&Envelope { destination: None, is_signed: false, ..envelope() });
    let signed = judge_envelope(&Envelope { destination: None, ..envelope() });

    assert_eq!(unsigned, Ok(()));
    assert_eq!(signed, Err(Rejection::DestinationMissing { expected: ACS.to_owned() }));
}

#[test]
fn issue_instant_may_be_ahead_by_the_skew_and_no_more() {
    let (now, last, first) = (soon().now, at("2030-01-31T12:01:30Z"), at("2030-01-31T12:01:31Z"));

    assert_eq!(judge_assertion(&Assertion { issue_instant: last, ..good() }), Ok(()));
    assert_eq!(
        judge_assertion(&Assertion { issue_instant: first, ..good() }),
        Err(Rejection::IssuedInFuture { element: "Assertion", at: first, now })
    );
    assert_eq!(
        judge_envelope(&Envelope {
            issue_instant: "2030-01-31T12:01:30Z".to_owned(),
            ..envelope()
        }),
        Ok(())
    );
    assert_eq!(
        judge_envelope(&Envelope {
            issue_instant: "2030-01-31T12:01:31Z".to_owned(),
            ..envelope()
        }),
        Err(Rejection::IssuedInFuture { element: "Response", at: first, now })
    );
}

#[test]
fn issue_instant_may_be_a_day_ago_and_no_longer() {
    let (now, last, first) = (soon().now, at("2030-01-30T12:00:30Z"), at("2030-01-30T12:00:29Z"));

    assert_eq!(judge_assertion(&Assertion { issue_instant: last, ..good() }), Ok(()));
    assert_eq!(
        judge_assertion(&Assertion { issue_instant: first, ..good() }),
        Err(Rejection::IssuedTooLongAgo { element: "Assertion", at: first, now })
    );
    assert_eq!(
        judge_envelope(&Envelope {
            issue_instant: "2030-01-30T12:00:29Z".to_owned(),
            ..envelope()
        }),
        Err(Rejection::IssuedTooLongAgo { element: "Response", at: first, now })
    );
}

#[test]
fn refuses_a_response_whose_issue_instant_cannot_be_read() {
    let refused = judge_envelope(&Envelope { issue_instant: "yesterday".to_owned(), ..envelope() });

    assert_eq!(
        refused,
        Err(Rejection::TimeUnreadable { field: "IssueInstant", received: "yesterday".to_owned() })
    );
}

#[test]
fn without_a_pending_login_an_assertion_from_before_the_store_began_is_refused() {
    let (response, assertion) = without_in_response_to();
    let issued = assertion.issue_instant;
    let since = |epoch: &str| {
        judge(&response, &assertion, &Expectation { epoch: at(epoch), ..unsolicited() })
    };

    assert_eq!(since("2030-01-31T11:59:00Z"), Ok(()));
    let earliest = at("2030-01-31T12:00:01Z");
    assert_eq!(
        since("2030-01-31T11:59:01Z"),
        Err(Rejection::IssuedBeforeEpoch { at: issued, earliest })
    );
}

#[test]
fn a_pending_login_makes_the_age_of_the_store_irrelevant() {
    let expect = Expectation { epoch: at("2030-01-31T12:00:29Z"), ..soon() };

    assert_eq!(judge(&envelope(), &good(), &expect), Ok(()));
}

#[test]
fn refuses_an_assertion_without_a_bearer_confirmation() {
    let holder_of_key = Confirmation {
        method: "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key".to_owned(),
        ..bearer()
    };
    let named = Confirmation { names_a_presenter: true, ..bearer() };

    for assertion in [
        with_confirmations(Vec::new()),
        with_confirmations(vec![holder_of_key]),
        with_confirmations(vec![named]),
        Assertion { subject: None, ..good() },
    ] {
        assert_eq!(judge_assertion(&assertion), Err(Rejection::BearerConfirmationMissing));
    }
}

#[test]
fn refuses_another_recipient() {
    for received in
        [None, Some(String::new()), Some("https://login.example.com/saml/acme".to_owned())]
    {
        let assertion =
            with_confirmations(vec![Confirmation { recipient: received.clone(), ..bearer() }]);

        let refused = judge_assertion(&assertion);

        assert_eq!(
            refused,
            Err(Rejection::RecipientMismatch { expected: ACS.to_owned(), received })
        );
    }
}

#[test]
fn the_confirmation_ends_after_the_skew() {
    let confirmation =
        Confirmation { not_on_or_after: Some(at("2030-01-31T11:59:31Z")), ..bearer() };
    let end = confirmation.not_on_or_after.unwrap();
    let assertion = with_confirmations(vec![confirmation]);

    assert_eq!(judge(&envelope(), &assertion, &expectation("2030-01-31T12:00:30Z")), Ok(()));
    let now = at("2030-01-31T12:00:31Z");
    assert_eq!(
        judge(&envelope(), &assertion, &Expectation { now, ..soon() }),
        Err(Rejection::ConfirmationExpired { at: end, now })
    );
}

#[test]
fn refuses_a_confirmation_without_an_end() {
    let assertion = with_confirmations(vec![Confirmation { not_on_or_after: None, ..bearer() }]);

    assert_eq!(judge_assertion(&assertion), Err(Rejection::ConfirmationNotOnOrAfterMissing));
}

#[test]
fn the_confirmation_begins_before_the_skew() {
    let begins = |text: &str| {
        with_confirmations(vec![Confirmation { not_before: Some(at(text)), ..bearer() }])
    };

    assert_eq!(judge_assertion(&begins("2030-01-31T12:01:30Z")), Ok(()));
    assert_eq!(
        judge_assertion(&begins("2030-01-31T12:01:31Z")),
        Err(Rejection::ConfirmationNotYetValid { at: at("2030-01-31T12:01:31Z"), now: soon().now })
    );
}

#[test]
fn one_good_confirmation_among_several_is_enough() {
    let elsewhere =
        Confirmation { recipient: Some("https://other.example/acs".to_owned()), ..bearer() };
    let late = Confirmation { not_on_or_after: Some(at("2030-01-31T11:00:00Z")), ..bearer() };

    let good =
        judge_assertion(&with_confirmations(vec![elsewhere.clone(), late.clone(), bearer()]));
    let bad = judge_assertion(&with_confirmations(vec![late, elsewhere]));

    assert_eq!(good, Ok(()));
    assert_eq!(
        bad,
        Err(Rejection::ConfirmationExpired { at: at("2030-01-31T11:00:00Z"), now: soon().now })
    );
}

#[test]
fn halves_of_two_confirmations_do_not_make_a_good_one() {
    let elsewhere = Confirmation { recipient: None, ..bearer() };
    let endless = Confirmation { not_on_or_after: None, ..bearer() };

    let refused = judge_assertion(&with_confirmations(vec![endless, elsewhere]));

    assert_eq!(refused, Err(Rejection::ConfirmationNotOnOrAfterMissing));
}

#[test]
fn the_conditions_begin_before_the_skew() {
    let begins = |text: &str| with_conditions(|conditions| conditions.not_before = Some(at(text)));

    assert_eq!(judge_assertion(&begins("2030-01-31T12:01:30Z")), Ok(()));
    assert_eq!(
        judge_assertion(&begins("2030-01-31T12:01:31Z")),
        Err(Rejection::AssertionNotYetValid { at: at("2030-01-31T12:01:31Z"), now: soon().now })
    );
}

#[test]
fn the_conditions_end_after_the_skew() {
    let ends =
        |text: &str| with_conditions(|conditions| conditions.not_on_or_after = Some(at(text)));

    assert_eq!(judge_assertion(&ends("2030-01-31T11:59:31Z")), Ok(()));
    assert_eq!(
        judge_assertion(&ends("2030-01-31T11:59:30Z")),
        Err(Rejection::AssertionExpired { at: at("2030-01-31T11:59:30Z"), now: soon().now })
    );
}

#[test]
fn the_conditions_need_no_window() {
    let endless = with_conditions(|conditions| {
        (conditions.not_before, conditions.not_on_or_after) = (None, None)
    });

    assert_eq!(judge_assertion(&endless), Ok(()));
}

#[test]
fn refuses_an_assertion_without_conditions() {
    let refused = judge_assertion(&Assertion { conditions: None, ..good() });

    assert_eq!(refused, Err(Rejection::ConditionsMissing { expected: SP.to_owned() }));
}

#[test]
fn refuses_a_condition_that_is_not_understood() {
    let assertion = with_conditions(|conditions| conditions.unknown.push("MoonPhase".to_owned()));

    assert_eq!(
        judge_assertion(&assertion),
        Err(Rejection::ConditionUnknown { received: "MoonPhase".to_owned() })
    );
}

#[test]
fn refuses_an_assertion_without_an_audience_restriction() {
    let assertion = with_conditions(|conditions| conditions.audiences.clear());

    assert_eq!(
        judge_assertion(&assertion),
        Err(Rejection::AudienceRestrictionMissing { expected: SP.to_owned() })
    );
}

#[test]
fn every_audience_restriction_must_name_us() {
    let us = SP.to_owned();
    let other = "https://other-sp.example".to_owned();
    for (audiences, received) in [
        (vec![vec![other.clone()]], vec![other.clone()]),
        (vec![vec![us.clone()], vec![other.clone()]], vec![us.clone(), other]),
        (vec![vec![]], vec![]),
        (vec![vec![us.to_uppercase()]], vec![us.to_uppercase()]),
        (vec![vec![format!("{us}/")]], vec![format!("{us}/")]),
    ] {
        let assertion = with_conditions(|conditions| conditions.audiences = audiences);

        assert_eq!(
            judge_assertion(&assertion),
            Err(Rejection::AudienceMismatch { expected: us.clone(), received })
        );
    }
}

#[test]
fn within_one_restriction_one_audience_is_enough() {
    let either = vec!["https://other-sp.example".to_owned(), SP.to_owned()];
    let assertion =
        with_conditions(|conditions| conditions.audiences = vec![either, vec![SP.to_owned()]]);

    assert_eq!(judge_assertion(&assertion), Ok(()));
}

#[test]
fn refuses_invisible_characters_in_any_audience() {
    let audiences = vec![vec![SP.to_owned(), format!("{SP}\u{ad}")]];
    let assertion = with_conditions(|conditions| conditions.audiences = audiences);

    assert_eq!(
        judge_assertion(&assertion),
        Err(Rejection::InvisibleCharacters { field: "Audience" })
    );
}

#[test]
fn refuses_an_assertion_that_says_nothing_about_authentication() {
    assert_eq!(
        judge_assertion(&Assertion { authn: Vec::new(), ..good() }),
        Err(Rejection::AuthnStatementMissing)
    );
}

#[test]
fn authn_instant_may_be_ahead_by_the_skew_and_no_more() {
    let authenticated = |text: &str| Assertion {
        authn: vec![AuthnStatement { instant: at(text), ..authn() }],
        ..good()
    };

    assert_eq!(judge_assertion(&authenticated("2030-01-31T12:01:30Z")), Ok(()));
    assert_eq!(
        judge_assertion(&authenticated("2030-01-31T12:01:31Z")),
        Err(Rejection::AuthnInFuture { at: at("2030-01-31T12:01:31Z"), now: soon().now })
    );
}

#[test]
fn refuses_an_assertion_whose_session_is_over() {
    let ends = |text: &str| {
        let ended = AuthnStatement { session_not_on_or_after: Some(at(text)), ..authn() };
        Assertion { authn: vec![authn(), ended], ..good() }
    };

    assert_eq!(judge_assertion(&ends("2030-01-31T11:59:31Z")), Ok(()));
    assert_eq!(
        judge_assertion(&ends("2030-01-31T11:59:30Z")),
        Err(Rejection::SessionOver { at: at("2030-01-31T11:59:30Z"), now: soon().now })
    );
}

#[test]
fn refuses_an_authentication_older_than_this_login_asked_for() {
    let asked = |text: &str| {
        let assertion =
            Assertion { authn: vec![AuthnStatement { instant: at(text), ..authn() }], ..good() };
        let oldest_authn = Some(at("2030-01-31T11:59:00Z"));
        judge(&envelope(), &assertion, &Expectation { oldest_authn, ..soon() })
    };

    assert_eq!(asked("2030-01-31T11:58:00Z"), Ok(()));
    let (old, oldest) = (at("2030-01-31T11:57:59Z"), at("2030-01-31T11:58:00Z"));
    assert_eq!(asked("2030-01-31T11:57:59Z"), Err(Rejection::AuthnTooOld { at: old, oldest }));
}

#[test]
fn the_latest_of_several_authentications_counts() {
    let early = AuthnStatement { instant: at("2030-01-31T03:00:00Z"), ..authn() };
    let assertion = Assertion { authn: vec![authn(), early], ..good() };
    let oldest_authn = Some(at("2030-01-31T11:59:00Z"));

    assert_eq!(judge(&envelope(), &assertion, &Expectation { oldest_authn, ..soon() }), Ok(()));
    assert_eq!(latest_authn(&assertion).unwrap().instant, at("2030-01-31T11:59:30Z"));
}

#[test]
fn an_assertion_is_remembered_until_its_last_confirmation_ends_plus_skew() {
    let longer = Confirmation { not_on_or_after: Some(at("2030-01-31T12:09:00Z")), ..bearer() };
    let assertion = with_confirmations(vec![bearer(), longer]);

    assert_eq!(admissible_until(&assertion, TimeDelta::seconds(60)), at("2030-01-31T12:10:00Z"));
}

#[test]
fn an_assertion_need_not_be_remembered_beyond_its_greatest_age() {
    let endless = Confirmation { not_on_or_after: Some(at("9999-12-31T23:59:59Z")), ..bearer() };
    let assertion = with_confirmations(vec![endless]);

    assert_eq!(admissible_until(&assertion, TimeDelta::seconds(60)), at("2030-02-01T12:01:00Z"));
}
