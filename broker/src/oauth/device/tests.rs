use serde_json::Value;

use super::*;
use crate::catalog::{Actor, ActorKind, Author, Client, GrantType, User};
use crate::login::Browser;
use crate::oauth::answer::{Answer, DeviceEnd, answer};
use crate::oauth::consent::{self, ConsentError, Decision};
use crate::oauth::fixtures::{API, Broker, PORTAL, SPA, WEB, browser, form, request};
use crate::oauth::params::Params;
use crate::oauth::sender_constraint::Sender;
use crate::oauth::token::{ErrorCode, TokenError, TokenRequest, token};
use crate::oauth::userinfo::{PresentedToken, userinfo};

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A broker whose public clients may use the grant.
async fn broker() -> Broker {
    let broker = Broker::start().await;
    for client in [SPA, PORTAL] {
        broker.change::<Client>(client, |c| c.grant_types.push(GrantType::DeviceCode)).await;
    }
    broker
}

async fn started(broker: &Broker, fields: &[(&str, &str)]) -> Result<Value, TokenError> {
    let params = Params::parse(&form(fields)).unwrap();
    let request = TokenRequest { authorization: None, sender: Sender::default(), params: &params };
    let codes = authorize(broker.app(), request, broker.now()).await?;
    Ok(serde_json::to_value(codes).unwrap())
}

/// The codes that a device on which `client` runs gets.
async fn codes(broker: &Broker, client: &str) -> (String, UserCode) {
    let fields = [("client_id", client), ("scope", "openid read"), ("audience", API)];
    let codes = started(broker, &fields).await.unwrap();
    let text = |name: &str| codes[name].as_str().unwrap().to_owned();
    (text("device_code"), UserCode::parse(&text("user_code")).unwrap())
}

async fn poll(broker: &Broker, client: &str, code: &str) -> Result<Value, TokenError> {
    let fields = [("grant_type", DEVICE_CODE), ("client_id", client), ("device_code", code)];
    let params = Params::parse(&form(&fields)).unwrap();
    let request = TokenRequest { authorization: None, sender: Sender::default(), params: &params };
    let tokens = token(broker.app(), request, broker.now()).await?;
    Ok(serde_json::to_value(tokens).unwrap())
}

fn refused<T: fmt::Debug>(outcome: Result<T, TokenError>) -> ErrorCode {
    match outcome {
        Err(TokenError::Refused { code, .. }) => code,
        other => panic!("not refused: {other:?}"),
    }
}

/// Whose login the user code leads to, as far as the confirmation: its handle.
async fn confirmation(broker: &Broker, user_code: &UserCode) -> String {
    let asked = asked(broker.app(), user_code, broker.now()).await.unwrap().unwrap();
    let mut login = broker.completed(&request(&[])).await;
    login.request = asked;
    let answered = answer(broker.app(), &browser("a"), login, broker.now()).await.unwrap();
    let Answer::Redirect { url } = answered.answer else { panic!("not asked: {answered:?}") };
    let (page, handle) = url.split_once("?consent=").unwrap();
    assert_eq!(page, format!("{}/consent", broker.issuer()));
    handle.to_owned()
}

async fn decided(
    broker: &Broker,
    user_code: &UserCode,
    decision: Decision,
) -> Result<Answer, ConsentError> {
    let handle = confirmation(broker, user_code).await;
    answered(broker, &browser("a"), &handle, decision).await
}

async fn answered(
    broker: &Broker,
    browser: &Browser,
    handle: &str,
    decision: Decision,
) -> Result<Answer, ConsentError> {
    let token = browser.form_token(handle).unwrap();
    consent::decide(broker.app(), browser, (handle, &token), decision, broker.now()).await
}

/// RFC 8628 §3.2.
#[actix_web::test]
async fn a_device_gets_two_codes_and_where_to_type_one() {
    let broker = broker().await;

    let codes = started(&broker, &[("client_id", SPA), ("scope", "openid")]).await.unwrap();

    let user_code = codes["user_code"].as_str().unwrap();
    let page = format!("{}/device", broker.issuer());
    assert_eq!(codes["verification_uri"], page);
    assert_eq!(codes["verification_uri_complete"], format!("{page}?user_code={user_code}"));
    assert_eq!((&codes["expires_in"], &codes["interval"]), (&Value::from(900), &Value::from(5)));
    assert_eq!(codes["device_code"].as_str().unwrap().len(), 87);
    assert_eq!(codes.as_object().unwrap().len(), 6);
}

/// RFC 8628 §3.1: the client authenticates as at the token endpoint; errors are those of RFC 6749 §5.2.
#[actix_web::test]
async fn a_request_is_refused_as_at_the_token_endpoint() {
    let broker = broker().await;
    let refused_for = async |fields: &[(&str, &str)]| refused(started(&broker, fields).await);

    let client = ("client_id", SPA);
    assert_eq!(refused_for(&[("scope", "openid")]).await, ErrorCode::InvalidClient);
    assert_eq!(refused_for(&[("client_id", WEB)]).await, ErrorCode::InvalidClient);
    assert_eq!(refused_for(&[client, client]).await, ErrorCode::InvalidRequest);
    assert_eq!(refused_for(&[client, ("scope", "a\"b")]).await, ErrorCode::InvalidScope);
    assert_eq!(refused_for(&[client]).await, ErrorCode::InvalidScope);
    let ungranted = [client, ("audience", API), ("scope", "write")];
    assert_eq!(refused_for(&ungranted).await, ErrorCode::InvalidScope);
    let unknown = [client, ("audience", "https://other.example")];
    assert_eq!(refused_for(&unknown).await, ErrorCode::InvalidTarget);
    broker.change::<Client>(SPA, |c| c.grant_types.retain(|g| *g != GrantType::DeviceCode)).await;
    assert_eq!(refused_for(&[client]).await, ErrorCode::UnauthorizedClient);
}

#[actix_web::test]
async fn the_device_waits_for_its_user_and_gets_its_tokens_once() {
    let broker = broker().await;
    let (code, user_code) = codes(&broker, SPA).await;
    assert_eq!(refused(poll(&broker, SPA, &code).await), ErrorCode::AuthorizationPending);

    let end = decided(&broker, &user_code, Decision::Allow).await.unwrap();
    assert_eq!(end, Answer::Stay(DeviceEnd::Allowed));

    let tokens = poll(&broker, SPA, &code).await.unwrap();
    assert_eq!(tokens["scope"], "openid read");
    assert!(tokens["id_token"].is_string(), "{tokens}");
    let access = tokens["access_token"].as_str().unwrap();
    let info = userinfo(broker.app(), PresentedToken::bearer(access), broker.now()).await;
    assert!(info.is_ok());

    // RFC 8628 §3.5: a device that did not get its answer asks again; nothing is lost by that
    let info = async || userinfo(broker.app(), PresentedToken::bearer(access), broker.now()).await;
    for seconds in [0, 29] {
        broker.clock.advance(seconds);
        assert_eq!(refused(poll(&broker, SPA, &code).await), ErrorCode::InvalidGrant);
        assert!(info().await.is_ok());
    }
    // RFC 6749 §10.5: used again, nothing that it bought is good any more
    broker.clock.advance(1);
    assert_eq!(refused(poll(&broker, SPA, &code).await), ErrorCode::InvalidGrant);
    assert!(info().await.is_err());
}

/// RFC 8628 §3.5: five seconds more for this and all subsequent requests.
#[actix_web::test]
async fn a_device_that_polls_too_fast_has_to_slow_down() {
    let broker = broker().await;
    let (code, _) = codes(&broker, SPA).await;
    let after = async |seconds| {
        broker.clock.advance(seconds);
        refused(poll(&broker, SPA, &code).await)
    };

    assert_eq!(after(0).await, ErrorCode::AuthorizationPending);
    assert_eq!(after(5).await, ErrorCode::AuthorizationPending);
    assert_eq!(after(4).await, ErrorCode::SlowDown);
    assert_eq!(after(9).await, ErrorCode::SlowDown);
    assert_eq!(after(15).await, ErrorCode::AuthorizationPending);
    assert_eq!(after(14).await, ErrorCode::SlowDown);
}

/// Polls without a pause are told to slow down and not written: neither the pace nor the last poll changes.
#[actix_web::test]
async fn a_flood_of_polls_is_not_written() {
    let broker = broker().await;
    let (code, _) = codes(&broker, SPA).await;
    assert_eq!(refused(poll(&broker, SPA, &code).await), ErrorCode::AuthorizationPending);
    let polled = async || find(broker.app(), &code, broker.now()).await.unwrap().unwrap().record;
    let before = polled().await;

    for _ in 0..3 {
        assert_eq!(refused(poll(&broker, SPA, &code).await), ErrorCode::SlowDown);
    }
    assert_eq!(polled().await.interval, before.interval);

    broker.clock.advance(1);
    assert_eq!(refused(poll(&broker, SPA, &code).await), ErrorCode::SlowDown);
    assert_eq!(polled().await.interval, before.interval + SLOWER_BY);
}

#[actix_web::test]
async fn a_no_is_told_to_the_device() {
    let broker = broker().await;
    let (code, user_code) = codes(&broker, PORTAL).await;

    let end = decided(&broker, &user_code, Decision::Deny).await.unwrap();

    assert_eq!(end, Answer::Stay(DeviceEnd::Denied));
    assert_eq!(refused(poll(&broker, PORTAL, &code).await), ErrorCode::AccessDenied);
    assert_eq!(asked(broker.app(), &user_code, broker.now()).await.unwrap(), None);
}

#[actix_web::test]
async fn a_no_at_the_identity_provider_is_told_to_the_device() {
    let broker = broker().await;
    let (code, user_code) = codes(&broker, SPA).await;
    let asked = asked(broker.app(), &user_code, broker.now()).await.unwrap().unwrap();

    let told = crate::oauth::answer::error_answer(
        broker.app(),
        &asked,
        ("access_denied", "No."),
        broker.now(),
    );

    assert_eq!(told.await.unwrap(), Answer::Stay(DeviceEnd::Denied));
    assert_eq!(refused(poll(&broker, SPA, &code).await), ErrorCode::AccessDenied);
}

#[actix_web::test]
async fn after_fifteen_minutes_it_is_too_late_for_device_and_user() {
    let broker = broker().await;
    let (code, user_code) = codes(&broker, SPA).await;
    let handle = confirmation(&broker, &user_code).await;
    broker.clock.advance(300);
    let late = confirmation(&broker, &user_code).await;

    broker.clock.advance(599);
    assert_eq!(refused(poll(&broker, SPA, &code).await), ErrorCode::AuthorizationPending);
    assert!(asked(broker.app(), &user_code, broker.now()).await.unwrap().is_some());
    broker.clock.advance(1);
    assert_eq!(refused(poll(&broker, SPA, &code).await), ErrorCode::ExpiredToken);
    assert_eq!(asked(broker.app(), &user_code, broker.now()).await.unwrap(), None);
    for handle in [handle, late] {
        let end = answered(&broker, &browser("a"), &handle, Decision::Allow).await;
        let expired = matches!(end, Err(ConsentError::Expired));
        assert!(expired || matches!(end, Ok(Answer::Stay(DeviceEnd::TooLate { .. }))), "{end:?}");
    }
    broker.clock.advance(299);
    assert_eq!(refused(poll(&broker, SPA, &code).await), ErrorCode::ExpiredToken);
    broker.clock.advance(1);
    assert_eq!(refused(poll(&broker, SPA, &code).await), ErrorCode::InvalidGrant);
}

#[actix_web::test]
async fn tokens_wait_for_their_device_no_longer_than_its_code_is_valid() {
    let broker = broker().await;
    let (code, user_code) = codes(&broker, SPA).await;
    broker.clock.advance(899);
    decided(&broker, &user_code, Decision::Allow).await.unwrap();

    broker.clock.advance(1);

    assert_eq!(refused(poll(&broker, SPA, &code).await), ErrorCode::ExpiredToken);
}

#[actix_web::test]
async fn a_device_code_is_of_one_client_and_whole() {
    let broker = broker().await;
    let (code, user_code) = codes(&broker, SPA).await;
    decided(&broker, &user_code, Decision::Allow).await.unwrap();
    let (device, _) = code.split_once('.').unwrap();
    let (_, other) = codes(&broker, SPA)
        .await
        .0
        .split_once('.')
        .map(|(d, s)| (d.to_owned(), s.to_owned()))
        .unwrap();

    for wrong in
        [device.to_owned(), format!("{device}."), format!("{device}.{other}"), "x".to_owned()]
    {
        assert_eq!(refused(poll(&broker, SPA, &wrong).await), ErrorCode::InvalidGrant, "{wrong}");
    }
    assert_eq!(refused(poll(&broker, PORTAL, &code).await), ErrorCode::InvalidGrant);
    assert_eq!(refused(poll(&broker, SPA, "").await), ErrorCode::InvalidRequest);
    assert!(poll(&broker, SPA, &code).await.is_ok());
}

/// RFC 8628 §5.4: also an app of our own, also one that the user allowed before.
#[actix_web::test]
async fn the_code_is_compared_each_time_and_decided_once() {
    let broker = broker().await;
    for client in [SPA, PORTAL, PORTAL] {
        let (_, user_code) = codes(&broker, client).await;
        let first = confirmation(&broker, &user_code).await;
        let second = confirmation(&broker, &user_code).await;

        let question = consent::question(broker.app(), &browser("a"), &first, broker.now()).await;
        let question = question.unwrap();
        assert_eq!(question.account.as_deref(), Some("ada@acme.example"));
        assert_eq!(question.apis[0].name, "The API");
        let AnswerTo::Device { user_code: shown, .. } = &question.answer else { panic!() };
        assert_eq!(shown, &user_code.to_string());

        let end = answered(&broker, &browser("a"), &first, Decision::Allow).await.unwrap();
        assert_eq!(end, Answer::Stay(DeviceEnd::Allowed));
        let end = answered(&broker, &browser("a"), &second, Decision::Deny).await.unwrap();
        let Answer::Stay(DeviceEnd::TooLate { reference }) = end else { panic!("{end:?}") };
        let trace = broker.app().catalog.trace(&reference).await.unwrap().unwrap();
        assert_eq!(trace.code.as_deref(), Some("consent_denied"));
    }
}

#[actix_web::test]
async fn what_was_switched_off_meanwhile_gives_nothing() {
    let broker = broker().await;
    let (code, user_code) = codes(&broker, SPA).await;
    decided(&broker, &user_code, Decision::Allow).await.unwrap();
    let user = broker.user().await.id.clone();
    let block = async |blocked| broker.change::<User>(&user, |user| user.blocked = blocked).await;

    block(true).await;
    assert_eq!(refused(poll(&broker, SPA, &code).await), ErrorCode::InvalidGrant);

    block(false).await;
    assert!(poll(&broker, SPA, &code).await.is_ok());
}

#[actix_web::test]
async fn a_user_who_signed_out_before_the_device_came_gives_it_nothing() {
    let broker = broker().await;
    let (code, user_code) = codes(&broker, SPA).await;
    decided(&broker, &user_code, Decision::Allow).await.unwrap();
    let user = broker.user().await.id.clone();
    let by = crate::oauth::logout::By::user(&user, None);
    let ended = crate::oauth::logout::ending::end_all_of(broker.app(), &user, &by, broker.now());
    assert!(!ended.await.unwrap().is_empty());

    assert_eq!(refused(poll(&broker, SPA, &code).await), ErrorCode::InvalidGrant);
}

#[actix_web::test]
async fn the_clients_own_age_holds_for_its_devices() {
    let broker = broker().await;
    broker.change::<Client>(SPA, |client| client.session.default_max_age = Some(300)).await;
    let (_, user_code) = codes(&broker, SPA).await;

    let asked = asked(broker.app(), &user_code, broker.now()).await.unwrap().unwrap();

    assert_eq!(asked.max_age, Some(300));
}

/// Its user may have come back to the page of their apps before the device asks again.
#[actix_web::test]
async fn a_consent_that_was_withdrawn_before_the_device_came_gives_nothing() {
    let broker = broker().await;
    let (code, user_code) = codes(&broker, PORTAL).await;
    decided(&broker, &user_code, Decision::Allow).await.unwrap();
    let user = broker.user().await.id.clone();
    let catalog = &broker.app().catalog;

    let author = Author {
        id: "aud_1".to_owned(),
        actor: Actor::new(ActorKind::User, &user),
        address: None,
        at: broker.now(),
    };
    catalog.audited(author).withdraw_consent(&user, PORTAL).await.unwrap();

    assert_eq!(refused(poll(&broker, PORTAL, &code).await), ErrorCode::InvalidGrant);
}

#[test]
fn debug_output_holds_no_code() {
    let user_code = UserCode::parse("WDJB-MJHT").unwrap();
    let codes = DeviceCodes { device_code: "s3cret".to_owned(), user_code: user_code.clone() };
    let to = AnswerTo::Device { device: "s3cret".to_owned(), user_code: "WDJB-MJHT".to_owned() };

    let shown = format!("{codes:?} {user_code:?} {to:?}");

    assert!(!shown.contains("s3cret") && !shown.contains("WDJB"), "{shown}");
}
