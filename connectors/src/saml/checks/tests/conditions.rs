use super::*;

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
