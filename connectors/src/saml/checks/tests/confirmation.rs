use super::*;

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
