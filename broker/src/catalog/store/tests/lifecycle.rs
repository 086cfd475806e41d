//! What holds when processes, databases and callers come and go.

use std::time::Duration;

use super::samples::*;
use crate::catalog::{Catalog, CatalogError, Connection, Organization, User};

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let store = Store::filled().await;
    store.catalog.update(&holding("acme", &["acme.example"]), None).await.unwrap();
    store.catalog.record_login(login("ada", "usr_1")).await.unwrap();
    store.catalog.record_end(ended(trace(1))).await.unwrap();
    let revision = store.catalog.get::<User>("usr_1").await.unwrap().unwrap().revision;

    let store = store.reopen().await;

    let holder = store.catalog.organization_holding(&domain("acme.example")).await.unwrap();
    assert_eq!(holder.as_deref(), Some(&holding("acme", &["acme.example"])));
    let user = store.catalog.user_by_identity(&identity("ada")).await.unwrap().unwrap();
    assert_eq!(user.id, "usr_1");
    assert_eq!(store.catalog.get::<User>("usr_1").await.unwrap().unwrap().revision, revision);
    assert!(store.catalog.trace("REF-0001").await.unwrap().is_some());
}

#[tokio::test]
async fn without_the_database_what_is_cached_goes_on_and_the_rest_is_unavailable() {
    let store = Store::filled().await;
    let catalog = &store.catalog;
    let own = connection("own", Some("acme"), &["acme.example"]);
    catalog.insert(&own).await.unwrap();
    catalog.connections_for_domain(&domain("acme.example")).await.unwrap();
    catalog.record_login(login("ada", "usr_1")).await.unwrap();
    catalog.record_login(login("ada", "usr_1")).await.unwrap();

    assert_eq!(catalog.ready().await, Ok(()));

    catalog.close().await;

    let found = catalog.connections_for_domain(&domain("acme.example")).await.unwrap();
    assert_eq!(*found[0], own);
    assert!(!catalog.record_login(login("ada", "usr_1")).await.unwrap().1);
    let unavailable = |error| matches!(error, CatalogError::Unavailable(_));
    assert!(unavailable(catalog.get::<Connection>("acme-saml").await.unwrap_err()));
    assert!(unavailable(catalog.ready().await.unwrap_err()));
    assert!(unavailable(catalog.insert(&organization("new")).await.unwrap_err()));
    assert!(unavailable(catalog.record_login(login("eve", "usr_2")).await.unwrap_err()));
    assert!(unavailable(catalog.record_end(ended(trace(1))).await.unwrap_err()));
    assert!(unavailable(catalog.list::<User>(1, None).await.unwrap_err()));
}

#[tokio::test]
async fn a_write_goes_on_when_its_caller_goes_away() {
    let store = Store::filled().await;
    store.catalog.get::<Organization>("acme").await.unwrap();
    let changed = Organization { enabled: false, ..organization("acme") };
    {
        let update = store.catalog.update(&changed, None);
        let mut update = std::pin::pin!(update);
        assert!(futures_util::poll!(update.as_mut()).is_pending());
    }

    let disabled = async {
        while store.catalog.get::<Organization>("acme").await.unwrap().unwrap().enabled {
            tokio::task::yield_now().await;
        }
    };

    // the time-out only keeps a failure from hanging
    tokio::time::timeout(Duration::from_secs(60), disabled).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_never_see_an_old_object_after_a_write_was_answered() {
    let store = Store::filled().await;
    let reader = |catalog: Catalog| {
        tokio::spawn(async move {
            for _ in 0..2000 {
                catalog.get::<Organization>("acme").await.unwrap();
            }
        })
    };
    let readers: Vec<_> = (0..4).map(|_| reader(store.catalog.clone())).collect();

    for _ in 0..100 {
        let written = store.catalog.update(&organization("acme"), None).await.unwrap();
        let read = store.catalog.get::<Organization>("acme").await.unwrap().unwrap();
        assert_eq!(read.revision, written.revision);
    }

    for reader in readers {
        reader.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_updates_of_one_revision_one_wins() {
    let store = Store::filled().await;
    let revision = store.catalog.get::<Organization>("acme").await.unwrap().unwrap().revision;

    let updates: Vec<_> = (0..32)
        .map(|_| {
            let catalog = store.catalog.clone();
            tokio::spawn(async move { catalog.update(&organization("acme"), Some(revision)).await })
        })
        .collect();

    let mut won = 0;
    for update in updates {
        match update.await.unwrap() {
            Ok(_) => won += 1,
            Err(error) => assert_eq!(error, CatalogError::Stale),
        }
    }
    assert_eq!(won, 1);
}
