use std::sync::Arc;

use homerealm_certs::SystemRandom;

use super::fixtures::session;
use super::*;
use crate::catalog::User;
use crate::login::completed::CompletedLogin;
use crate::login::ending::Ending;
use crate::login::fixtures::{name, now, records, request};
use crate::login::trace::Trail;

fn lifetimes() -> Lifetimes {
    Lifetimes { idle: TimeDelta::minutes(30), absolute: TimeDelta::minutes(60) }
}

fn at(records: &Records, seconds: i64) -> SsoSessions<'_> {
    SsoSessions::new(records, lifetimes(), now() + TimeDelta::seconds(seconds))
}

fn login(user_id: &str) -> CompletedLogin {
    let SsoSession { connection, auth_time, acr, amr, claims, upstream, .. } = session();
    let user = User {
        id: user_id.to_owned(),
        claims: claims.clone(),
        claims_from: None,
        claims_elsewhere: std::collections::BTreeMap::new(),
        identities: Vec::new(),
        organizations: Vec::new(),
        blocked: false,
        signed_out_at: None,
        created_at: now(),
        updated_at: now(),
    };
    CompletedLogin {
        ending: Ending::fixture(request()),
        request: request(),
        user: Arc::new(user),
        connection,
        organization: None,
        auth_time,
        acr,
        amr,
        claims,
        upstream,
        trail: Trail::default(),
    }
}

/// Signs in with what the browser holds.
async fn sign_in(
    sessions: SsoSessions<'_>,
    cookie: Option<&SessionCookie>,
    login: &CompletedLogin,
) -> (SessionCookie, Written) {
    let old = sessions.of_cookie(cookie).await.unwrap();
    let (write, cookie) = sessions.signed_in(old, login, &SystemRandom);
    let written = write_down(sessions, write).await.unwrap();
    (cookie, written)
}

async fn write_down(sessions: SsoSessions<'_>, write: SessionWrite) -> Option<Written> {
    let mut batch = sessions.records.batch(sessions.now);
    let tickets = sessions.add(&mut batch, &write).unwrap();
    let mut outcomes = batch.run().await.unwrap();
    tickets.read(&mut outcomes).unwrap()
}

/// A client gets a code.
async fn serve(sessions: SsoSessions<'_>, cookie: &SessionCookie, client: &str) -> bool {
    let live = sessions.of_cookie(Some(cookie)).await.unwrap().unwrap();
    let mut write = sessions.serving(live);
    write.serve(client);
    write_down(sessions, write).await.is_some()
}

async fn lives(sessions: SsoSessions<'_>, cookie: &SessionCookie) -> bool {
    sessions.of_cookie(Some(cookie)).await.unwrap().is_some()
}

#[tokio::test]
async fn it_is_found_by_its_own_cookie_only() {
    let records = records();
    let (cookie, _) = sign_in(at(&records, 0), None, &login("usr_1")).await;

    assert!(lives(at(&records, 0), &cookie).await);
    let guessed = SessionCookie { secret: "x".repeat(43), ..cookie.clone() };
    assert!(!lives(at(&records, 0), &guessed).await);
    assert!(!format!("{cookie:?}").contains(&cookie.secret));
    assert_eq!(SessionCookie::parse(&cookie.value()), Some(cookie.clone()));
    for bad in [cookie.sid.as_str(), "", ".", &format!("{}.short", cookie.sid)] {
        assert_eq!(SessionCookie::parse(bad), None, "{bad}");
    }
}

#[tokio::test]
async fn a_login_renews_the_secret_and_keeps_the_public_id_and_the_clients() {
    let records = records();
    let (first, _) = sign_in(at(&records, 0), None, &login("usr_1")).await;
    assert!(serve(at(&records, 0), &first, "app").await);

    let (second, written) = sign_in(at(&records, 60), Some(&first), &login("usr_1")).await;

    assert_eq!(second.sid, first.sid);
    assert_ne!(second.secret, first.secret);
    assert!(!lives(at(&records, 60), &first).await, "a planted cookie is worth nothing");
    let live = at(&records, 60).of_cookie(Some(&second)).await.unwrap().unwrap();
    assert_eq!(live.session.clients, ["app"]);
    assert!(written.ended.is_empty() && written.let_go.is_none());
}

#[tokio::test]
async fn another_user_in_the_same_browser_ends_the_session_before() {
    let records = records();
    let (first, _) = sign_in(at(&records, 0), None, &login("usr_1")).await;
    assert!(serve(at(&records, 0), &first, "app").await);

    let (second, written) = sign_in(at(&records, 0), Some(&first), &login("usr_2")).await;

    assert_ne!(second.sid, first.sid);
    assert_eq!(written.ended.len(), 1);
    assert_eq!(written.ended[0].clients, ["app"]);
    assert!(!lives(at(&records, 0), &first).await);
    assert!(at(&records, 0).of_user("usr_1").await.unwrap().is_empty());

    let elsewhere = CompletedLogin { connection: name("acme-saml"), ..login("usr_2") };
    let (third, written) = sign_in(at(&records, 0), Some(&second), &elsewhere).await;
    assert_ne!(third.sid, second.sid);
    assert_eq!(written.ended.len(), 1, "the same user by another connection too");
}

#[tokio::test]
async fn it_ends_when_it_was_not_used_and_however_much_it_is_used() {
    let records = records();
    let (cookie, _) = sign_in(at(&records, 0), None, &login("usr_1")).await;

    assert!(lives(at(&records, 1799), &cookie).await);
    assert!(!lives(at(&records, 1800), &cookie).await);
    assert!(serve(at(&records, 1799), &cookie, "app").await);
    assert!(lives(at(&records, 3598), &cookie).await);
    assert!(serve(at(&records, 3598), &cookie, "app").await);
    assert!(lives(at(&records, 3599), &cookie).await);
    assert!(!lives(at(&records, 3600), &cookie).await);
}

#[tokio::test]
async fn it_ends_with_the_session_at_the_idp_and_with_a_shorter_setting() {
    let records = records();
    let mut login = login("usr_1");
    login.upstream.ends_at = Some(now() + TimeDelta::seconds(100));
    let (cookie, _) = sign_in(at(&records, 0), None, &login).await;

    assert!(lives(at(&records, 99), &cookie).await);
    assert!(!lives(at(&records, 100), &cookie).await);
    let shorter = Lifetimes { idle: TimeDelta::minutes(1), ..lifetimes() };
    let sessions = SsoSessions::new(&records, shorter, now() + TimeDelta::seconds(60));
    assert!(!lives(sessions, &cookie).await);
}

#[tokio::test]
async fn a_users_sessions_are_listed_and_each_ends_once() {
    let records = records();
    let sessions = at(&records, 0);
    let (one, _) = sign_in(sessions, None, &login("usr_1")).await;
    let (two, _) = sign_in(sessions, None, &login("usr_1")).await;
    sign_in(sessions, None, &login("usr_2")).await;

    let all = sessions.of_user("usr_1").await.unwrap();
    let sids: Vec<_> = all.iter().map(|session| session.sid.as_str()).collect();
    assert_eq!(sids, [one.sid.as_str(), two.sid.as_str()]);
    let ended = sessions.end(&all).await.unwrap();
    assert_eq!(ended.len(), 2);
    assert!(sessions.end(&all).await.unwrap().is_empty());
    assert!(!lives(sessions, &one).await && !lives(sessions, &two).await);
    assert_eq!(sessions.of_user("usr_2").await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_ended_meanwhile_is_not_written_back() {
    let records = records();
    let sessions = at(&records, 0);
    let (cookie, _) = sign_in(sessions, None, &login("usr_1")).await;
    let live = sessions.of_cookie(Some(&cookie)).await.unwrap().unwrap();
    sessions.end(std::slice::from_ref(&live.session)).await.unwrap();

    let written = write_down(sessions, sessions.serving(live)).await;

    assert!(written.is_none());
    assert!(!lives(sessions, &cookie).await);
}
