use super::*;

#[tokio::test]
async fn the_users_own_no_is_not_a_fault() {
    let mut login = login();

    let outcome = login.complete(settings(), &status_only(RESPONDER, REQUEST_DENIED)).await;

    let (error, description) = (REQUEST_DENIED.to_owned(), Some("said no".to_owned()));
    assert_eq!(outcome, Err(ConnectorError::Denied { error, description }));
    assert_eq!(login.last_check().code, "saml_idp_error");
}

#[tokio::test]
async fn other_errors_of_the_idp_are_refusals_with_its_codes() {
    for second in [AUTHN_FAILED, ""] {
        let refused = rejected(login().complete(settings(), &status_only(RESPONDER, second)).await);

        let codes =
            [RESPONDER, second].iter().filter(|c| !c.is_empty()).map(|c| (*c).to_owned()).collect();
        assert_eq!(refused, Rejection::IdpError { codes, message: Some("said no".to_owned()) });
    }
}

#[tokio::test]
async fn a_denial_beside_an_assertion_is_a_fault_and_not_a_no() {
    let outer = format!(
        r#"<samlp:StatusCode Value="{RESPONDER}"><samlp:StatusCode Value="{REQUEST_DENIED}"/></samlp:StatusCode>"#
    );
    let document = edited(
        &good(),
        r#"<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>"#,
        &outer,
    );

    let refused = rejected(login().complete(settings(), &document).await);

    assert_eq!(refused.code(), "saml_idp_error");
}

#[tokio::test]
async fn success_without_an_assertion_is_refused() {
    let refused = rejected(login().complete(settings(), &response("", "")).await);

    assert_eq!(refused, Rejection::AssertionMissing);
}
