use super::*;

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
