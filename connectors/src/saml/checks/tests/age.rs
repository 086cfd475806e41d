use super::*;

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
