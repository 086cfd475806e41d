use super::*;

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
