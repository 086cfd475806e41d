use super::*;

#[tokio::test]
async fn an_error_for_another_login_or_none_does_not_speak_for_this_one() {
    let denied = status_only(RESPONDER, REQUEST_DENIED);
    let other = edited(&denied, "InResponseTo=\"_req1\"", "InResponseTo=\"_req2\"");
    let mut unknown = Login { expected: None, ..login() };

    let by_other = rejected(login().complete(settings(), &other).await);
    let by_unknown = rejected(unknown.complete(settings(), &denied).await);

    assert_eq!(by_other.code(), "saml_in_response_to_mismatch");
    assert_eq!(by_unknown, Rejection::PendingLoginMissing);
}

#[tokio::test]
async fn an_unsolicited_response_is_taken_only_where_the_connection_says_so() {
    let bare = response("", &edited(&assertion(), " InResponseTo=\"_req1\"", ""));
    let document = sign(&edited(&bare, " InResponseTo=\"_req1\"", ""));
    let nobody_asked = || Login { expected: None, ..login() };

    let off = rejected(nobody_asked().complete(settings(), &document).await);
    let on = nobody_asked()
        .complete(SamlSettings { idp_initiated: true, ..settings() }, &document)
        .await;
    let pending = rejected(
        login().complete(SamlSettings { idp_initiated: true, ..settings() }, &document).await,
    );

    assert_eq!(off, Rejection::Unsolicited);
    assert!(on.is_ok(), "{on:?}");
    assert_eq!(pending.code(), "saml_in_response_to_mismatch");
}

#[tokio::test]
async fn a_solicited_response_is_never_taken_as_unsolicited() {
    let hidden = sign(&edited(&response("", &assertion()), " InResponseTo=\"_req1\"", ""));
    let mut nobody_asked = Login { expected: None, ..login() };

    let refused = rejected(
        nobody_asked.complete(SamlSettings { idp_initiated: true, ..settings() }, &hidden).await,
    );

    assert_eq!(refused, Rejection::PendingLoginMissing);
}

#[tokio::test]
async fn answers_and_logins_of_the_other_protocol_are_refused() {
    let oidc_answer = UpstreamAnswer::Code { code: "c".to_owned(), iss: None };
    let oidc_login = Expected::Oidc {
        nonce: "n".to_owned(),
        pkce_verifier: "v".to_owned(),
        force_login: false,
        sent_at: now(),
    };
    let mismatch = Err(ConnectorError::Rejected(crate::error::Rejection::ProtocolMismatch));
    let mut of_oidc = Login { expected: Some(oidc_login), ..login() };

    assert_eq!(login().complete_with(settings(), oidc_answer).await, mismatch);
    assert_eq!(of_oidc.complete(settings(), &good()).await, mismatch);
    assert_eq!(of_oidc.last_check().code, "protocol_mismatch");
}

#[tokio::test]
async fn a_forced_login_must_have_happened_since_the_request() {
    let forced = |sent_at: &str| Login {
        expected: Some(Expected::Saml {
            request_id: "_req1".to_owned(),
            force_login: true,
            sent_at: sent_at.parse().unwrap(),
        }),
        ..login()
    };

    let fresh = forced("2026-01-01T00:01:30Z").complete(settings(), &good()).await;
    let stale = rejected(forced("2026-01-01T00:01:31Z").complete(settings(), &good()).await);

    assert!(fresh.is_ok());
    assert_eq!(stale.code(), "saml_authn_too_old");
}

#[test]
fn the_oldest_authentication_follows_from_what_was_asked() {
    let at = |text: &str| -> DateTime<Utc> { text.parse().unwrap() };
    let sent_at = at("2026-01-01T00:00:40Z");
    let pending = |force_login| Some(Pending { request_id: "_req1", force_login, sent_at });

    assert_eq!(oldest_authn(pending(false), None, now()), None);
    assert_eq!(oldest_authn(pending(true), None, now()), Some(sent_at));
    assert_eq!(oldest_authn(pending(true), Some(3600), now()), Some(sent_at));
    assert_eq!(oldest_authn(pending(false), Some(30), now()), Some(at("2026-01-01T00:00:30Z")));
    assert_eq!(oldest_authn(pending(false), Some(0), now()), Some(sent_at));
    assert_eq!(oldest_authn(pending(false), Some(-5), now()), Some(sent_at));
    assert_eq!(oldest_authn(None, Some(0), now()), Some(now()));
    assert_eq!(oldest_authn(pending(false), Some(i64::MAX), now()), Some(DateTime::UNIX_EPOCH));
}
