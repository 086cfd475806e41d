use super::*;
use crate::catalog::{Action, AuditEntry};
use crate::oauth::answer::answer as answer_login;
use crate::oauth::claims::UserClaims;
use crate::oauth::code::Login;
use crate::oauth::fixtures::{Broker, SPA, WEB, browser, form, request};
use crate::oauth::token_issuer::{IdTokenGrant, TokenIssuer};

const BACK: &str = "https://app.example/bye?x=1";

/// A browser that signed in at [`WEB`], which has an address to come back to; and the session's id.
async fn signed_in(broker: &Broker) -> (Browser, String) {
    broker.change::<Client>(WEB, |c| c.post_logout_redirect_uris = vec![BACK.to_owned()]).await;
    let login = broker.completed(&request(&[])).await;
    let answered = answer_login(broker.app(), &browser("a"), login, broker.now()).await.unwrap();
    let cookie = answered.cookie.unwrap();
    let sid = cookie.sid.clone();
    (browser("a").with_session(Some(cookie)), sid)
}

/// An ID token that was given to a client.
async fn id_token(broker: &Broker, client_id: &str, session: Option<&str>) -> String {
    let app = broker.app();
    let issuer = TokenIssuer {
        issuer: broker.issuer(),
        keys: app.keys.current(),
        random: app.random.as_ref(),
        now: broker.now(),
    };
    let login = Login { session: session.map(str::to_owned), ..broker.login().await };
    let grant = IdTokenGrant {
        client_id,
        algorithm: homerealm_certs::JwsAlgorithm::Es256,
        login: &login,
        nonce: None,
        access_token: "t",
        claims: UserClaims::default(),
    };
    issuer.id_token(grant).await.unwrap()
}

async fn read(broker: &Broker, fields: &[(&str, &str)]) -> Result<LogoutRequest, LogoutError> {
    LogoutRequest::read(broker.app(), &Params::parse(&form(fields)).unwrap()).await
}

async fn asked(broker: &Broker, browser: &Browser, fields: &[(&str, &str)]) -> Logout {
    let request = read(broker, fields).await.unwrap();
    ask(broker.app(), browser, request, broker.now()).await.unwrap()
}

async fn is_signed_in(broker: &Broker, browser: &Browser) -> bool {
    broker.app().sso_sessions().of_cookie(browser.session()).await.unwrap().is_some()
}

async fn audited(broker: &Broker) -> Vec<AuditEntry> {
    let entries = broker.app().catalog.list_audit(&Default::default(), 20, None).await.unwrap();
    entries.items.into_iter().filter(|entry| entry.action == Action::SignedOut).collect()
}

#[actix_web::test]
async fn an_id_token_of_this_session_ends_it_at_once_also_when_it_has_expired() {
    let broker = Broker::start().await;
    let (browser, sid) = signed_in(&broker).await;
    let hint = id_token(&broker, WEB, Some(&sid)).await;
    broker.clock.advance(7200);
    let fields = [("id_token_hint", &*hint), ("post_logout_redirect_uri", BACK), ("state", "a&b")];

    let Logout::Done(done) = asked(&broker, &browser, &fields).await else { panic!("asked") };

    assert!(done.may_redirect && !is_signed_in(&broker, &browser).await);
    assert_eq!(done.request.way_back().as_deref(), Some("https://app.example/bye?x=1&state=a%26b"));
    let ended = done.ended.unwrap();
    assert_eq!((ended.session.sid.as_str(), ended.silent.len()), (sid.as_str(), 1));
    let entries = audited(&broker).await;
    assert_eq!((entries.len(), entries[0].object.id.as_str()), (1, sid.as_str()));
}

#[actix_web::test]
async fn without_that_proof_the_user_is_asked_and_the_form_is_bound_to_session_and_request() {
    let broker = Broker::start().await;
    let (browser, _) = signed_in(&broker).await;
    let old = id_token(&broker, WEB, Some("ses_another")).await;
    let fields = [("id_token_hint", &*old), ("post_logout_redirect_uri", BACK)];

    let Logout::Confirm(question) = asked(&broker, &browser, &fields).await else { panic!("done") };
    assert!(is_signed_in(&broker, &browser).await);

    let confirmed = async |request: LogoutRequest, token: &str, by: &Browser| {
        confirm(broker.app(), by, request, token, broker.now()).await
    };
    let token = question.form_token.clone();
    let elsewhere = read(&broker, &[("client_id", WEB)]).await.unwrap();
    for (request, token, by) in [
        (question.request.clone(), "x", &browser),
        (elsewhere, &*token, &browser),
        (question.request.clone(), &*token, &crate::oauth::fixtures::browser("b")),
    ] {
        let refused = confirmed(request, token, by).await;
        assert!(matches!(refused, Err(LogoutError::FormNotOurs)), "{refused:?}");
    }
    assert!(is_signed_in(&broker, &browser).await);
    let sent_back: Vec<_> = question.request.fields();
    let sent_back: Vec<_> = sent_back.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let again = read(&broker, &sent_back).await.unwrap();
    let done = confirmed(again, &token, &browser).await.unwrap();
    assert!(done.may_redirect && done.ended.is_some() && !is_signed_in(&broker, &browser).await);
}

#[actix_web::test]
async fn nobody_goes_to_an_address_that_is_not_registered_exactly() {
    let broker = Broker::start().await;
    signed_in(&broker).await;
    let back = async |fields: &[(&str, &str)]| read(&broker, fields).await.unwrap().way_back();
    let uri = |uri: &'static str| ("post_logout_redirect_uri", uri);

    assert_eq!(back(&[("client_id", WEB), uri(BACK)]).await.as_deref(), Some(BACK));
    for other in
        ["https://app.example/bye", "https://app.example/bye?x=1&y=2", "https://evil.example/"]
    {
        assert_eq!(back(&[("client_id", WEB), uri(other)]).await, None, "{other}");
    }
    assert_eq!(back(&[uri(BACK)]).await, None, "whose address is it?");
    assert_eq!(back(&[("client_id", SPA), uri(BACK)]).await, None);
    broker.change::<Client>(WEB, |client| client.enabled = false).await;
    assert_eq!(back(&[("client_id", WEB), uri(BACK)]).await, None);
}

#[actix_web::test]
async fn contradictions_are_refused_and_a_token_that_proves_nothing_is_as_none() {
    let broker = Broker::start().await;
    let hint = id_token(&broker, WEB, None).await;

    let other = read(&broker, &[("id_token_hint", &hint), ("client_id", SPA)]).await;
    assert!(matches!(other, Err(LogoutError::Invalid(_))));
    let forged = read(&broker, &[("id_token_hint", &hint[..hint.len() - 4])]).await;
    assert!(forged.unwrap().hint.is_none());
    let twice = read(&broker, &[("state", "1"), ("state", "2")]).await;
    assert!(matches!(twice, Err(LogoutError::Invalid(_))));
}

#[actix_web::test]
async fn who_is_not_signed_in_is_signed_out() {
    let broker = Broker::start().await;
    signed_in(&broker).await;
    let fields = [("client_id", WEB), ("post_logout_redirect_uri", BACK)];

    let Logout::Done(done) = asked(&broker, &browser("b"), &fields).await else { panic!("asked") };
    assert!(done.ended.is_none());
    assert!(!done.may_redirect, "without an ID token the way back is a link");
}

#[actix_web::test]
async fn clients_are_told_as_they_registered() {
    let broker = Broker::start().await;
    broker
        .change::<Client>(WEB, |client| {
            client.session.backchannel_logout_uri = Some("https://app.example/out".to_owned());
            client.session.frontchannel_logout_uri = Some("https://app.example/f?a=1".to_owned());
        })
        .await;
    let (_, sid) = signed_in(&broker).await;
    let user = broker.user().await.id.clone();

    let by = By::user(&user, None);
    let ended = ending::end_all_of(broker.app(), &user, &by, broker.now()).await.unwrap();

    let [ended] = ended.as_slice() else { panic!("one session") };
    assert_eq!((ended.told.len(), ended.silent.len()), (1, 0));
    let mut expected = Url::parse("https://app.example/f?a=1").unwrap();
    expected.query_pairs_mut().append_pair("iss", broker.issuer()).append_pair("sid", &sid);
    assert_eq!(ended.frames[0].url, expected);
}
