//! Users, traces and consents.

use chrono::TimeDelta;
use futures_util::future::join_all;

use super::audit::author;
use super::samples::*;
use crate::catalog::store::CONSENT;
use crate::catalog::store::users::digest;
use crate::catalog::{
    AuditFilter, Behind, CatalogError, Client, Connection, EndedLogin, Identity, LoginRecord,
    LoginTrace, NormalizedClaims, Organization, User,
};

#[tokio::test]
async fn the_first_login_makes_a_user_and_the_next_finds_it() {
    let store = Store::filled().await;
    assert!(store.catalog.user_by_identity(&identity("ada")).await.unwrap().is_none());

    let (first, created) = store.catalog.record_login(login("ada", "usr_1")).await.unwrap();
    let (second, created_again) = store.catalog.record_login(login("ada", "usr_2")).await.unwrap();

    assert!(created && !created_again);
    assert_eq!((first.id.as_str(), second.id.as_str()), ("usr_1", "usr_1"));
    let found = store.catalog.user_by_identity(&identity("ada")).await.unwrap().unwrap();
    assert_eq!(found.identities, [identity("ada")]);
    assert!(store.catalog.get::<User>("usr_2").await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_first_logins_end_with_one_user() {
    let store = Store::filled().await;

    let logins = (0..64).map(|i| {
        let catalog = store.catalog.clone();
        tokio::spawn(async move { catalog.record_login(login("ada", &format!("usr_{i}"))).await })
    });
    let outcomes: Vec<_> =
        join_all(logins).await.into_iter().map(|o| o.unwrap().unwrap()).collect();

    assert_eq!(outcomes.iter().filter(|(_, created)| *created).count(), 1);
    assert!(outcomes.iter().all(|(user, _)| user.id == outcomes[0].0.id));
    assert_eq!(store.catalog.list::<User>(200, None).await.unwrap().items.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn first_logins_at_two_nodes_end_with_one_user() {
    let store = Store::filled().await;
    let nodes = [store.catalog.clone(), store.other_node().await];

    let logins = (0..64).map(|i| {
        let catalog = nodes[i % 2].clone();
        let record = login(&format!("user-{}", i / 4), &format!("usr_{i:02}"));
        tokio::spawn(async move { catalog.record_login(record).await })
    });
    let outcomes: Vec<_> =
        join_all(logins).await.into_iter().map(|o| o.unwrap().unwrap()).collect();

    assert_eq!(outcomes.iter().filter(|(_, created)| *created).count(), 16);
    assert_eq!(store.catalog.list::<User>(200, None).await.unwrap().items.len(), 16);
}

#[tokio::test]
async fn logins_that_wait_at_the_same_time_share_a_transaction() {
    let store = Store::filled().await;
    let records: Vec<_> =
        (0..64).map(|i| login(&format!("user-{i}"), &format!("usr_{i}"))).collect();
    for record in &records {
        store.catalog.user_by_identity(&record.identity).await.unwrap();
    }

    let outcomes = join_all(records.into_iter().map(|r| store.catalog.record_login(r))).await;

    assert!(outcomes.into_iter().all(|outcome| outcome.unwrap().1));
    let users = store.catalog.list::<User>(200, None).await.unwrap().items;
    assert_eq!(users.len(), 64);
    assert!(users.iter().all(|user| user.revision == users[0].revision));
}

#[tokio::test]
async fn an_unchanged_login_writes_nothing_and_a_changed_one_keeps_the_subject() {
    let store = Store::filled().await;
    store.catalog.record_login(login("ada", "usr_1")).await.unwrap();
    let before = store.catalog.get::<User>("usr_1").await.unwrap().unwrap();

    let later = LoginRecord { now: now() + TimeDelta::hours(1), ..login("ada", "usr_2") };
    store.catalog.record_login(later.clone()).await.unwrap();
    let same = store.catalog.get::<User>("usr_1").await.unwrap().unwrap();
    let claims = NormalizedClaims { name: Some("Ada L.".to_owned()), ..later.claims.clone() };
    let changed =
        LoginRecord { claims: claims.clone(), organizations: vec![name("globex")], ..later };
    let (user, created) = store.catalog.record_login(changed).await.unwrap();

    assert_eq!(same.revision, before.revision);
    assert_eq!((user.id.as_str(), created, &user.claims), ("usr_1", false, &claims));
    assert_eq!(user.organizations, [name("acme"), name("globex")]);
    assert_eq!(user.updated_at, now() + TimeDelta::hours(1));
    let after = store.catalog.get::<User>("usr_1").await.unwrap().unwrap();
    assert!(after.revision > before.revision);
    assert_eq!(after.object, user);
}

#[tokio::test]
async fn a_login_leaves_a_block_alone_and_changes_nothing_of_a_blocked_user() {
    let store = Store::filled().await;
    let (user, _) = store.catalog.record_login(login("ada", "usr_1")).await.unwrap();
    let blocked = User { blocked: true, ..(*user).clone() };
    store.catalog.update(&blocked, None).await.unwrap();

    let changed = LoginRecord { claims: NormalizedClaims::default(), ..login("ada", "usr_2") };
    let (user, _) = store.catalog.record_login(changed).await.unwrap();

    assert_eq!(*user, blocked);
}

#[tokio::test]
async fn identities_differ_in_each_of_their_parts() {
    let same = identity("ada");
    let moved =
        Identity { issuer: format!("{}a", same.issuer), subject: "da".to_owned(), ..same.clone() };
    let others = [
        Identity { connection: name("acme"), ..same.clone() },
        Identity { issuer: "https://other.example".to_owned(), ..same.clone() },
        Identity { subject: "Ada".to_owned(), ..same.clone() },
        moved,
    ];

    assert!(others.iter().all(|other| digest(other) != digest(&same)));
}

#[tokio::test]
async fn an_identity_leads_to_one_user() {
    let store = Store::filled().await;
    let (user, _) = store.catalog.record_login(login("ada", "usr_1")).await.unwrap();

    let second = User { id: "usr_2".to_owned(), ..(*user).clone() };
    let outcome = store.catalog.insert(&second).await;

    assert_eq!(outcome.unwrap_err(), CatalogError::Conflict { field: "identities" });
}

#[tokio::test]
async fn users_keep_connection_and_organization_until_they_are_deleted() {
    let store = Store::filled().await;
    let elsewhere = LoginRecord { organizations: vec![name("globex")], ..login("ada", "usr_1") };
    store.catalog.record_login(elsewhere).await.unwrap();
    let by = || Err(CatalogError::Referenced { by: "user usr_1".to_owned() });

    assert_eq!(store.catalog.delete::<Connection>("acme-saml", None).await, by());
    assert_eq!(store.catalog.delete::<Organization>("globex", None).await, by());
    store.catalog.delete::<User>("usr_1", None).await.unwrap();
    store.catalog.delete::<Connection>("acme-saml", None).await.unwrap();
    store.catalog.delete::<Organization>("globex", None).await.unwrap();

    assert!(store.catalog.user_by_identity(&identity("ada")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_login_over_a_deleted_connection_is_refused_and_its_neighbours_are_not() {
    let store = Store::filled().await;
    let lost = Identity { connection: name("lost"), ..identity("eve") };
    let logins = (0..20).map(|i| {
        let good = login(&format!("user-{i}"), &format!("usr_{i}"));
        let bad = LoginRecord { identity: lost.clone(), ..login("eve", &format!("usr_bad{i}")) };
        store.catalog.record_login(if i % 5 == 0 { bad } else { good })
    });

    let outcomes = join_all(logins).await;

    let missing = CatalogError::Missing { field: "identities" };
    let (good, bad): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((good.len(), bad.len()), (16, 4));
    assert!(bad.into_iter().all(|outcome| outcome.unwrap_err() == missing));
    assert_eq!(store.catalog.list::<User>(200, None).await.unwrap().items.len(), 16);
}

#[tokio::test]
async fn finds_a_trace_by_id_and_by_reference() {
    let store = Store::new().await;
    store.catalog.record_end(ended(trace(1))).await.unwrap();

    for text in ["ltr_0001", "REF-0001"] {
        assert_eq!(store.catalog.trace(text).await.unwrap(), Some(trace(1)));
    }
    for text in ["ltr_0002", "REF-0002", "", "\0"] {
        assert_eq!(store.catalog.trace(text).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_taken_reference_is_refused_and_its_neighbours_are_not() {
    let store = Store::new().await;
    store.catalog.record_end(ended(trace(1))).await.unwrap();
    let taken = LoginTrace { id: "ltr_other".to_owned(), ..trace(1) };
    let traces = [trace(2), taken, trace(3)];

    let outcomes =
        join_all(traces.iter().map(|trace| store.catalog.record_end(ended(trace.clone())))).await;

    assert_eq!(outcomes, [Ok(()), Err(CatalogError::Conflict { field: "reference" }), Ok(())]);
    assert_eq!(store.catalog.list_traces(200, None).await.unwrap().items.len(), 3);
}

#[tokio::test]
async fn pages_through_traces_the_latest_first() {
    let store = Store::new().await;
    let at = |i: u32| now() + TimeDelta::seconds(i64::from(i / 10));
    let traces: Vec<_> = (0..250).map(|i| LoginTrace { at: at(i), ..trace(i) }).collect();
    for outcome in
        join_all(traces.iter().map(|trace| store.catalog.record_end(ended(trace.clone())))).await
    {
        outcome.unwrap();
    }

    let (mut seen, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page = store.catalog.list_traces(37, cursor.as_deref()).await.unwrap();
        seen.extend(page.items.into_iter().map(|trace| trace.id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }

    let all: Vec<_> = traces.iter().rev().map(|trace| trace.id.clone()).collect();
    assert_eq!(seen, all);
    let outcome = store.catalog.list_traces(1, Some("bm90IG9uZQ")).await;
    assert_eq!(outcome.unwrap_err(), CatalogError::Cursor);
}

#[tokio::test]
async fn deletes_traces_from_before_a_moment() {
    let store = Store::new().await;
    for (i, at) in [(1, now() - TimeDelta::milliseconds(1)), (2, now())] {
        store.catalog.record_end(ended(LoginTrace { at, ..trace(i) })).await.unwrap();
    }

    assert_eq!(store.catalog.delete_traces_before(now()).await.unwrap(), 1);

    let left = store.catalog.list_traces(200, None).await.unwrap();
    assert_eq!(left.items.into_iter().map(|t| t.id).collect::<Vec<_>>(), ["ltr_0002"]);
}

#[tokio::test]
async fn of_traces_without_a_statement_the_latest_stay_and_the_others_all() {
    let store = Store::new().await;
    let behind = |i| [Behind::Nothing, Behind::Login, Behind::Statement][i as usize % 3];
    for i in 0..12 {
        let at = now() + TimeDelta::seconds(i64::from(i));
        let ended = EndedLogin { behind: behind(i), ..ended(LoginTrace { at, ..trace(i) }) };
        store.catalog.record_end(ended).await.unwrap();
    }

    let deleted = [
        store.catalog.delete_traces_beyond(Behind::Nothing, 1).await.unwrap(),
        store.catalog.delete_traces_beyond(Behind::Login, 3).await.unwrap(),
        store.catalog.delete_traces_beyond(Behind::Login, 3).await.unwrap(),
    ];

    assert_eq!(deleted, [3, 1, 0]);
    let left = store.catalog.list_traces(200, None).await.unwrap().items;
    let left: Vec<_> = left.into_iter().map(|trace| trace.id).collect();
    let expected = [11, 10, 9, 8, 7, 5, 4, 2].map(|i| format!("ltr_{i:04}"));
    assert_eq!(left, expected);
}

#[tokio::test]
async fn remembers_what_a_user_allowed_a_client() {
    let store = Store::filled().await;
    let catalog = &store.catalog;
    catalog.insert(&client("portal")).await.unwrap();
    catalog.record_login(login("ada", "usr_1")).await.unwrap();
    let remember =
        |scopes: &[&str]| scopes.iter().map(|scope| (*scope).to_owned()).collect::<Vec<_>>();
    assert!(catalog.consent("usr_1", "portal").await.unwrap().is_empty());
    let later = now() + TimeDelta::seconds(1);

    catalog.remember_consent("usr_1", "portal", &remember(&["openid", "b"]), now()).await.unwrap();
    catalog.remember_consent("usr_1", "portal", &remember(&["a", "openid"]), later).await.unwrap();

    assert_eq!(*catalog.consent("usr_1", "portal").await.unwrap(), remember(&["a", "b", "openid"]));
    assert!(catalog.consent("usr_2", "portal").await.unwrap().is_empty());
    let nobody = catalog.remember_consent("usr_2", "portal", &remember(&["a"]), later).await;
    assert_eq!(nobody.unwrap_err(), CatalogError::Missing { field: "client_id" });
    catalog.delete::<Client>("portal", None).await.unwrap();
    assert!(catalog.consent("usr_1", "portal").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_consent_that_was_withdrawn_begins_anew() {
    let store = Store::filled().await;
    let catalog = &store.catalog;
    catalog.insert(&client("portal")).await.unwrap();
    catalog.record_login(login("ada", "usr_1")).await.unwrap();
    let scopes = ["openid".to_owned()];
    let since = async || {
        let consent = catalog.consented("usr_1", "portal").await.unwrap();
        consent.map(|consent| (consent.since - now()).num_seconds())
    };
    let later = |seconds| now() + TimeDelta::seconds(seconds);
    catalog.remember_consent("usr_1", "portal", &scopes, now()).await.unwrap();
    catalog.remember_consent("usr_1", "portal", &scopes, later(5)).await.unwrap();
    assert_eq!(since().await, Some(0));
    assert_eq!(catalog.consents_of("usr_1").await.unwrap().len(), 1);

    catalog.audited(author(1)).withdraw_consent("usr_1", "portal").await.unwrap();

    assert_eq!(since().await, None);
    assert!(catalog.consents_of("usr_1").await.unwrap().is_empty());
    let log = catalog.list_audit(&AuditFilter::default(), 1, None).await.unwrap().items;
    assert_eq!((log[0].object.kind.as_str(), log[0].object.name.as_str()), (CONSENT, "portal"));
    let again = catalog.audited(author(2)).withdraw_consent("usr_1", "portal").await;
    assert_eq!(again, Err(CatalogError::NotFound));
    catalog.remember_consent("usr_1", "portal", &scopes, later(9)).await.unwrap();
    assert_eq!(since().await, Some(9));
}
