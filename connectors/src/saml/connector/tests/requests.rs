use super::*;

async fn begun(settings: SamlSettings) -> Result<Begun, ConnectorError> {
    let request = BeginRequest {
        callback: &Url::parse("https://broker.example.net/saml/acs").unwrap(),
        transaction: "AAECAwQFBgcICQoLDA0ODw",
        login_hint: Some("alice@acme.example"),
        force_login: false,
        select_account: false,
        acr_values: &[],
        ui_locales: None,
        random: &SequenceRandom::new(1),
        now: now(),
    };
    SamlConnector::new(settings).begin(request).await.map(|beginning| beginning.begun)
}

async fn redirected(settings: SamlSettings) -> String {
    match begun(settings).await {
        Ok(Begun::Redirect { url }) => url.into(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn requests_go_by_redirect_where_the_idp_offers_both() {
    assert!(
        redirected(settings())
            .await
            .starts_with("https://idp.example.com/HTTP-Redirect?SAMLRequest=")
    );
    let by_post = begun(SamlSettings { idp: idp("", &sso("HTTP-POST")), ..settings() }).await;
    assert!(matches!(by_post, Ok(Begun::Form { .. })));
}

#[tokio::test]
async fn requests_are_signed_as_the_connection_says_else_as_the_idp_wants() {
    let wanting = idp("WantAuthnRequestsSigned=\"true\"", &sso("HTTP-Redirect"));
    for (idp, sign_requests, signed) in [
        (&settings().idp, None, false),
        (&settings().idp, Some(true), true),
        (&wanting, None, true),
        (&wanting, Some(false), false),
    ] {
        let url = redirected(SamlSettings { idp: idp.clone(), sign_requests, ..settings() }).await;

        assert_eq!(url.contains("&Signature="), signed);
    }
    let keyless = begun(SamlSettings { idp: wanting, sp_key: None, ..settings() }).await;
    assert_eq!(keyless, Err(Rejection::RequestKeyMissing.into()));
}

#[tokio::test]
async fn only_entra_is_told_the_login_hint() {
    assert!(
        redirected(SamlSettings { vendor_entra: true, ..settings() })
            .await
            .contains("login_hint=alice%40acme.example")
    );
    assert!(!redirected(settings()).await.contains("alice"));
}
