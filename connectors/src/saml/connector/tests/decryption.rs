use super::*;

#[tokio::test]
async fn an_encrypted_key_is_decrypted_once() {
    for algorithm in [AES_256_CBC, AES_256_GCM] {
        let (mut login, document) = (login(), encrypted(algorithm));

        let first = login.complete(settings(), &document).await.unwrap().into_parts();
        let second = rejected(login.complete(settings(), &document).await);

        assert_eq!(first.subject.value, "G-4711");
        assert_eq!(second, Rejection::EncryptedKeyReused);
        assert_eq!(login.guard.markers().len(), 1);
        assert!(login.guard.markers()[0].starts_with("enc:con_1:"));
    }
}

#[tokio::test]
async fn nothing_is_decrypted_for_a_login_that_is_not_pending_or_another_one() {
    let document = encrypted(AES_256_CBC);
    let other = edited(&document, "InResponseTo=\"_req1\"", "InResponseTo=\"_req2\"");
    let failed = edited(&document, "status:Success", "status:Responder");
    let mut unknown = Login { expected: None, ..login() };
    let (mut wrong, mut denied) = (login(), login());

    let by_unknown = rejected(unknown.complete(settings(), &document).await);
    let by_wrong = rejected(wrong.complete(settings(), &other).await);
    let by_denied = rejected(denied.complete(settings(), &failed).await);

    assert_eq!(by_unknown, Rejection::PendingLoginMissing);
    assert_eq!(by_wrong.code(), "saml_in_response_to_mismatch");
    assert_eq!(by_denied.code(), "saml_idp_error");
    for login in [unknown, wrong, denied] {
        assert!(login.guard.markers().is_empty());
    }
}

#[tokio::test]
async fn without_the_replay_store_nothing_is_decrypted() {
    let mut login = Login { guard: Memory { broken: true, ..Memory::default() }, ..login() };

    let outcome = login.complete(settings(), &encrypted(AES_256_CBC)).await;

    assert_eq!(outcome, Err(ConnectorError::StoreUnavailable));
}

#[tokio::test]
async fn a_connection_that_does_not_decrypt_says_so_and_leaves_no_marker() {
    for settings in
        [SamlSettings { decrypt: false, ..settings() }, SamlSettings { sp_key: None, ..settings() }]
    {
        let mut login = login();

        let refused = rejected(login.complete(settings, &encrypted(AES_256_GCM)).await);

        assert_eq!(refused, Rejection::DecryptionNotConfigured);
        assert!(login.guard.markers().is_empty());
    }
}

#[tokio::test]
async fn a_login_that_has_had_its_decryptions_gets_no_more_and_leaves_no_marker() {
    let mut login = Login { guard: Memory { exhausted: true, ..Memory::default() }, ..login() };

    let refused = rejected(login.complete(settings(), &encrypted(AES_256_CBC)).await);

    assert_eq!(refused, Rejection::DecryptionsExhausted);
    assert!(login.guard.markers().is_empty());
    login.complete(settings(), &good()).await.unwrap();
}
