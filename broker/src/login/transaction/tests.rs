use homerealm_certs::SequenceRandom;

use super::super::fixtures::{mail, name, now, records, request};
use super::*;

const HANDLE: &str = "00112233445566778899aabbccddeeff00112233";
const SECRET: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn owner() -> Browser {
    Browser::new(Some(SECRET.to_owned()))
}

fn stranger() -> Browser {
    Browser::new(Some(SECRET.replace('A', "B")))
}

fn expected() -> Expected {
    Expected::Saml { request_id: format!("_{HANDLE}"), force_login: false, sent_at: now() }
}

fn pending() -> Stage {
    Stage::Pending {
        connection: name("acme-saml"),
        expected: expected(),
        email: None,
        denied: false,
    }
}

fn verified() -> ParkedAnswer {
    ParkedAnswer::Saml { parts: Box::new(mail("alice@acme.example")) }
}

/// A login that waits for the IdP's answer.
async fn sent(records: &Records) {
    let login =
        LoginTransaction { attempt: 1, ..LoginTransaction::new(request(), SECRET, pending()) };
    Transactions::new(records, now()).open(HANDLE, &login).await.unwrap();
}

async fn parked(records: &Records) {
    sent(records).await;
    let logins = Transactions::new(records, now());
    let found = logins.find(HANDLE).await.unwrap();
    logins.park(found, name("acme-saml"), verified(), Vec::new()).await.unwrap();
}

async fn finish(
    logins: &Transactions<'_>,
    browser: &Browser,
) -> Result<LoginTransaction, TransactionError> {
    logins.finish(logins.pick_up(HANDLE, browser).await?, browser).await
}

async fn stage(records: &Records) -> Stage {
    Transactions::new(records, now()).find(HANDLE).await.unwrap().login().stage.clone()
}

#[tokio::test]
async fn a_parked_answer_is_finished_once_by_its_own_browser() {
    let records = records();
    parked(&records).await;
    let logins = Transactions::new(&records, now());

    let login = finish(&logins, &owner()).await.unwrap();

    assert!(matches!(login.stage, Stage::Parked { .. }));
    let again = finish(&logins, &owner()).await;
    assert!(matches!(again, Err(TransactionError::Completed)), "{again:?}");
}

#[tokio::test]
async fn a_wrong_or_missing_cookie_changes_nothing() {
    let records = records();
    parked(&records).await;
    let logins = Transactions::new(&records, now());

    let missing = finish(&logins, &Browser::default()).await;
    let wrong = finish(&logins, &stranger()).await;

    assert!(matches!(missing, Err(TransactionError::CookieMissing)), "{missing:?}");
    assert!(matches!(wrong, Err(TransactionError::OtherBrowser)), "{wrong:?}");
    assert!(matches!(stage(&records).await, Stage::Parked { .. }));
    assert!(finish(&logins, &owner()).await.is_ok());
}

#[tokio::test]
async fn a_login_that_was_picked_up_and_never_ended_is_over() {
    let records = records();
    parked(&records).await;
    let logins = Transactions::new(&records, now());

    let picked_up = logins.pick_up(HANDLE, &owner()).await.unwrap();
    drop(picked_up);

    let again = finish(&logins, &owner()).await;
    assert!(matches!(again, Err(TransactionError::Completed)), "{again:?}");
}

#[tokio::test]
async fn an_ended_login_holds_nothing_any_more() {
    let records = records();
    parked(&records).await;
    let logins = Transactions::new(&records, now());
    let login = finish(&logins, &owner()).await.unwrap();

    let mut batch = records.batch(now());
    Transactions::complete(&mut batch, HANDLE, &login).unwrap();
    batch.run().await.unwrap();

    assert!(matches!(stage(&records).await, Stage::Completed));
    let again = finish(&logins, &owner()).await;
    assert!(matches!(again, Err(TransactionError::Completed)), "{again:?}");
}

#[tokio::test]
async fn an_answer_that_loses_the_race_leaves_the_voucher_to_the_one_that_wins() {
    let records = records();
    sent(&records).await;
    let logins = Transactions::new(&records, now());
    let late = logins.find(HANDLE).await.unwrap();
    let found = logins.find(HANDLE).await.unwrap();
    logins.show_or_send(found, pending(), 2).await.unwrap();

    let lost = logins.park(late, name("acme-saml"), verified(), Vec::new()).await;
    assert!(matches!(lost, Err(TransactionError::AlreadyReceived)), "{lost:?}");
    let found = logins.find(HANDLE).await.unwrap();
    logins.park(found, name("acme-saml"), verified(), Vec::new()).await.unwrap();

    assert!(finish(&logins, &owner()).await.is_ok());
    assert!(matches!(finish(&logins, &owner()).await, Err(TransactionError::Completed)));
}

#[tokio::test]
async fn of_fifty_that_finish_at_once_one_wins() {
    let records = records();
    parked(&records).await;

    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let records = records.clone();
            tokio::spawn(async move {
                let logins = Transactions::new(&records, now());
                finish(&logins, &owner()).await
            })
        })
        .collect();

    let mut won = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => won += 1,
            Err(error) => assert!(matches!(error, TransactionError::Completed), "{error:?}"),
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn a_login_without_an_answer_cannot_be_finished() {
    let records = records();
    sent(&records).await;
    let logins = Transactions::new(&records, now());

    let early = finish(&logins, &owner()).await;

    assert!(matches!(early, Err(TransactionError::NotAnswered)), "{early:?}");
    assert!(matches!(stage(&records).await, Stage::Pending { .. }));
}

#[tokio::test]
async fn an_answer_is_taken_once_and_from_the_asked_connection_only() {
    let records = records();
    sent(&records).await;
    let logins = Transactions::new(&records, now());
    let acme = name("acme-saml");

    let found = logins.find(HANDLE).await.unwrap();
    assert!(found.awaits(&acme, 1).is_ok());
    let other = found.awaits(&name("globex-saml"), 1).map(|_| ());
    assert!(matches!(other, Err(TransactionError::OtherConnection)), "{other:?}");
    let earlier = found.awaits(&acme, 2).map(|_| ());
    assert!(matches!(earlier, Err(TransactionError::Superseded)), "{earlier:?}");

    let also_found = logins.find(HANDLE).await.unwrap();
    logins.park(found, acme.clone(), verified(), Vec::new()).await.unwrap();
    let raced = logins.park(also_found, acme.clone(), verified(), Vec::new()).await;
    assert!(matches!(raced, Err(TransactionError::AlreadyReceived)), "{raced:?}");
    let late = logins.find(HANDLE).await.unwrap();
    let late = late.awaits(&acme, 1).map(|_| ());
    assert!(matches!(late, Err(TransactionError::AlreadyReceived)), "{late:?}");
}

#[tokio::test]
async fn a_reported_denial_leaves_the_login_open_for_a_verified_answer() {
    let records = records();
    sent(&records).await;
    let logins = Transactions::new(&records, now());

    logins.note_denial(logins.find(HANDLE).await.unwrap()).await.unwrap();

    let found = logins.find(HANDLE).await.unwrap();
    assert!(found.awaits(&name("acme-saml"), 1).is_ok());
    let by_stranger = finish(&logins, &stranger()).await;
    assert!(matches!(by_stranger, Err(TransactionError::OtherBrowser)), "{by_stranger:?}");
    let login = finish(&logins, &owner()).await.unwrap();
    assert!(matches!(login.stage, Stage::Pending { denied: true, .. }));
}

#[tokio::test]
async fn going_back_supersedes_the_earlier_attempt() {
    let records = records();
    sent(&records).await;
    let logins = Transactions::new(&records, now());
    let found = logins.find(HANDLE).await.unwrap();
    let next = found.next_attempt().unwrap();

    logins.show_or_send(found, pending(), next).await.unwrap();

    let found = logins.find(HANDLE).await.unwrap();
    let first = found.awaits(&name("acme-saml"), 1).map(|_| ());
    assert!(matches!(first, Err(TransactionError::Superseded)), "{first:?}");
    assert!(found.awaits(&name("acme-saml"), 2).is_ok());
}

#[tokio::test]
async fn a_login_is_not_started_again_for_ever() {
    let records = records();
    sent(&records).await;
    let logins = Transactions::new(&records, now());
    let found = logins.find(HANDLE).await.unwrap();
    logins.show_or_send(found, pending(), 99).await.unwrap();

    let next = logins.find(HANDLE).await.unwrap().next_attempt();

    assert!(matches!(next, Err(TransactionError::TooManyAttempts)), "{next:?}");
}

#[tokio::test]
async fn lifetimes_end_at_their_second() {
    let records = records();
    sent(&records).await;
    let at = |seconds| Transactions::new(&records, now() + TimeDelta::seconds(seconds));
    assert!(at(599).find(HANDLE).await.is_ok());
    let gone = at(600).find(HANDLE).await.map(|_| ());
    assert!(matches!(gone, Err(TransactionError::Expired)), "{gone:?}");

    let found = at(0).find(HANDLE).await.unwrap();
    at(0).park(found, name("acme-saml"), verified(), Vec::new()).await.unwrap();
    assert!(at(119).find(HANDLE).await.is_ok());
    let gone = at(120).find(HANDLE).await.map(|_| ());
    assert!(matches!(gone, Err(TransactionError::Expired)), "{gone:?}");
}

#[test]
fn only_handles_that_we_made_are_read() {
    let read = |text: &str| UpstreamHandle::parse(text).map(|h| (h.handle, h.attempt));
    let second = format!("{HANDLE}-2");

    assert_eq!(read(HANDLE), Some((HANDLE.to_owned(), 1)));
    assert_eq!(read(&second), Some((HANDLE.to_owned(), 2)));
    assert_eq!(UpstreamHandle::parse(&second).unwrap().to_string(), second);
    let from_id = UpstreamHandle::from_request_id(&format!("_{second}"));
    assert_eq!(from_id, UpstreamHandle::parse(&second));
    for bad in [
        "",
        "https://evil.example/",
        "<script>",
        &HANDLE[1..],
        &HANDLE.to_uppercase(),
        &format!("{HANDLE}-1"),
        &format!("{HANDLE}-02"),
        &format!("{HANDLE}-+2"),
        &format!("{HANDLE}-100"),
        &format!("{HANDLE}-2-2"),
        &format!("{HANDLE}-"),
        &format!("{HANDLE}\r\n"),
        &"a".repeat(200_000),
    ] {
        assert_eq!(UpstreamHandle::parse(bad), None, "{bad:.60}");
    }
    assert_eq!(UpstreamHandle::from_request_id(HANDLE), None);
}

#[test]
fn a_form_belongs_to_its_browser_and_its_login() {
    let token = owner().form_token(HANDLE).unwrap();

    assert!(owner().made_form(HANDLE, &token));
    assert!(!owner().made_form(HANDLE, ""));
    assert!(!owner().made_form(&HANDLE.replace('0', "1"), &token));
    assert!(!stranger().made_form(HANDLE, &token));
    assert!(!Browser::default().made_form(HANDLE, &token));
}

#[test]
fn a_cookie_that_we_did_not_make_is_none() {
    let random = SequenceRandom::new(1);
    let fresh = owner().secret_or_new(&random);

    assert_eq!(fresh, SECRET);
    assert_eq!(Browser::new(Some("short".to_owned())).secret_or_new(&random).len(), 43);
}

#[test]
fn debug_output_shows_no_secret_code_or_person() {
    let login = LoginTransaction::new(request(), SECRET, pending());
    let shown = format!("{login:?} {:?} {:?}", owner(), verified());

    assert!(!shown.contains(SECRET) && !shown.contains("alice") && !shown.contains(HANDLE));
}
