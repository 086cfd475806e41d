use super::*;

fn accepts(claims: &Value) -> bool {
    login().check(claims).is_ok()
}

#[test]
fn exp_holds_until_the_last_second_of_the_skew() {
    assert!(accepts(&with(json!({ "exp": NOW - 59 }))));
    assert_eq!(
        refusal(&with(json!({ "exp": NOW - 60 }))),
        Rejection::Expired { at: at(NOW - 60), now: at(NOW) }
    );
}

#[test]
fn iat_may_be_ahead_by_the_skew() {
    assert!(accepts(&with(json!({ "iat": NOW + 60 }))));
    assert_eq!(
        refusal(&with(json!({ "iat": NOW + 61 }))),
        Rejection::IssuedInFuture { at: at(NOW + 61), now: at(NOW) }
    );
}

#[test]
fn iat_may_be_a_day_old() {
    assert!(accepts(&with(json!({ "iat": NOW - 86_400 }))));
    assert_eq!(
        refusal(&with(json!({ "iat": NOW - 86_401 }))),
        Rejection::IssuedTooLongAgo { at: at(NOW - 86_401), now: at(NOW) }
    );
}

#[test]
fn nbf_may_be_ahead_by_the_skew() {
    assert!(accepts(&with(json!({ "nbf": NOW + 60 }))));
    assert_eq!(
        refusal(&with(json!({ "nbf": NOW + 61 }))),
        Rejection::NotYetValid { at: at(NOW + 61), now: at(NOW) }
    );
}

#[test]
fn times_that_are_no_numbers_in_range_are_refused() {
    let expected = "seconds since 1970 as a number";
    for claim in ["exp", "iat", "nbf", "auth_time"] {
        for value in [
            json!("1900000100"),
            json!(1e300),
            json!(u64::MAX),
            json!(-1),
            json!(253_402_300_800_i64),
            json!([1]),
            json!(true),
        ] {
            assert_eq!(
                refusal(&with(json!({ claim: value }))),
                Rejection::ClaimMalformed { claim, expected },
                "{claim} {value}"
            );
        }
    }
    assert!(accepts(&with(json!({ "exp": NOW as f64 + 0.5 }))));
}

#[test]
fn a_maximum_age_is_measured_from_auth_time() {
    let aged = |max_age| Login {
        freshness: Freshness { max_age: Some(TimeDelta::seconds(max_age)), ..login().freshness },
        ..login()
    };
    let auth_time = |seconds: i64| with(json!({ "auth_time": seconds }));

    assert!(aged(100).check(&auth_time(NOW - 160)).is_ok());
    let too_old = aged(100).check(&auth_time(NOW - 161)).unwrap_err();
    assert_eq!(too_old, Rejection::AuthnTooOld { at: at(NOW - 161), oldest: at(NOW - 160) });
    assert_eq!(aged(100).check(&good()).unwrap_err(), Rejection::AuthTimeMissing);
}

#[test]
fn an_authentication_for_this_very_request_is_young_enough_for_every_age() {
    let waited = |force_login| Login {
        freshness: Freshness {
            force_login,
            sent_at: at(NOW - 200),
            max_age: Some(TimeDelta::zero()),
        },
        ..login()
    };
    let auth_time = |seconds: i64| with(json!({ "auth_time": seconds }));

    for force_login in [false, true] {
        assert!(waited(force_login).check(&auth_time(NOW - 260)).is_ok());
        let too_old = waited(force_login).check(&auth_time(NOW - 261)).unwrap_err();
        assert_eq!(too_old, Rejection::AuthnTooOld { at: at(NOW - 261), oldest: at(NOW - 260) });
    }
}

#[test]
fn a_forced_login_must_come_after_its_request() {
    let forced =
        Login { freshness: Freshness { force_login: true, ..login().freshness }, ..login() };
    let auth_time = |seconds: i64| with(json!({ "auth_time": seconds }));

    assert!(forced.check(&auth_time(NOW - 90)).is_ok());
    let too_old = forced.check(&auth_time(NOW - 91)).unwrap_err();
    assert_eq!(too_old, Rejection::AuthnTooOld { at: at(NOW - 91), oldest: at(NOW - 90) });
}

#[test]
fn a_forced_login_without_auth_time_counts_from_its_request() {
    let freshness = Freshness {
        force_login: true,
        max_age: Some(TimeDelta::seconds(0)),
        sent_at: at(NOW - 30),
    };
    let forced = Login { freshness, ..login() };

    assert_eq!(forced.check(&good()).unwrap().auth_time, Some(at(NOW - 30)));
    assert_eq!(login().check(&good()).unwrap().auth_time, None);
}

#[test]
fn auth_time_may_be_ahead_by_the_skew() {
    assert!(accepts(&with(json!({ "auth_time": NOW + 60 }))));
    assert_eq!(
        refusal(&with(json!({ "auth_time": NOW + 61 }))),
        Rejection::AuthnInFuture { at: at(NOW + 61), now: at(NOW) }
    );
}
