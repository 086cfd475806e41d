use super::*;

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
