//! Two nodes on one database: what one writes, the other learns.

use sqlx::{Any, AssertSqlSafe};

use super::samples::*;
use crate::catalog::{Catalog, Client, ClientGrant, Connection, Organization, SubjectType, User};

async fn run(catalog: &Catalog, statement: &'static str) {
    let mut transaction = catalog.storage.begin_apart().await.unwrap();
    sqlx::query::<Any>(statement).execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
}

async fn enabled(catalog: &Catalog) -> bool {
    catalog.get::<Organization>("acme").await.unwrap().unwrap().enabled
}

fn disabled() -> Organization {
    Organization { enabled: false, ..organization("acme") }
}

#[tokio::test]
async fn a_change_of_one_node_reaches_the_other_when_it_looks() {
    let store = Store::filled().await;
    let other = store.other_node().await;
    assert!(enabled(&other).await);

    store.catalog.update(&disabled(), None).await.unwrap();
    assert!(enabled(&other).await);
    other.catch_up().await.unwrap();

    assert!(!enabled(&other).await);
}

#[tokio::test]
async fn what_was_not_changed_stays_cached() {
    let store = Store::filled().await;
    let other = store.other_node().await;
    other.get::<Organization>("globex").await.unwrap();
    store.catalog.update(&disabled(), None).await.unwrap();
    other.catch_up().await.unwrap();

    other.close().await;

    assert!(other.get::<Organization>("globex").await.unwrap().is_some());
    assert!(other.get::<Organization>("acme").await.is_err());
}

#[tokio::test]
async fn a_domain_that_moves_leads_elsewhere_on_the_other_node() {
    let store = Store::filled().await;
    let first = connection("first", Some("acme"), &["eu.acme.example"]);
    store.catalog.insert(&first).await.unwrap();
    let other = store.other_node().await;
    let lead = async || {
        let found = other.connections_for_domain(&domain("eu.acme.example")).await.unwrap();
        found.iter().map(|connection| connection.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(lead().await, ["first"]);

    store.catalog.update(&Connection { domains: Vec::new(), ..first }, None).await.unwrap();
    store.catalog.insert(&connection("second", Some("acme"), &["*.acme.example"])).await.unwrap();
    other.catch_up().await.unwrap();

    assert_eq!(lead().await, ["second"]);
}

#[tokio::test]
async fn what_is_deleted_on_one_node_is_gone_on_the_other() {
    let store = Store::filled().await;
    let other = store.other_node().await;
    other.get::<Organization>("globex").await.unwrap().unwrap();

    store.catalog.delete::<Organization>("globex", None).await.unwrap();
    other.catch_up().await.unwrap();

    assert!(other.get::<Organization>("globex").await.unwrap().is_none());
}

#[tokio::test]
async fn a_login_on_one_node_is_known_on_the_other() {
    let store = Store::filled().await;
    let other = store.other_node().await;
    assert!(other.user_by_identity(&identity("ada")).await.unwrap().is_none());

    store.catalog.record_login(login("ada", "usr_1")).await.unwrap();
    other.catch_up().await.unwrap();

    assert_eq!(other.user_by_identity(&identity("ada")).await.unwrap().unwrap().id, "usr_1");
    assert!(!other.record_login(login("ada", "usr_2")).await.unwrap().1);
    assert!(other.get::<User>("usr_2").await.unwrap().is_none());
}

#[tokio::test]
async fn what_was_just_created_is_found_at_once_where_it_was_missed_before() {
    let store = Store::filled().await;
    let other = store.other_node().await;
    let grant_of = async || other.grant("cli_1", "https://api", SubjectType::User).await.unwrap();
    assert!(other.get::<Client>("cli_1").await.unwrap().is_none());
    assert!(grant_of().await.is_none());
    let domain = domain("new.example");
    assert!(other.connections_for_domain(&domain).await.unwrap().is_empty());

    store.catalog.insert(&client("cli_1")).await.unwrap();
    store.catalog.insert(&api("https://api")).await.unwrap();
    store.catalog.insert(&grant("cgr_1", "cli_1", "https://api")).await.unwrap();
    let new = connection("new", Some("acme"), &["new.example"]);
    store.catalog.insert(&new).await.unwrap();

    assert!(other.get::<Client>("cli_1").await.unwrap().is_some());
    assert_eq!(
        grant_of().await.map(|grant: std::sync::Arc<ClientGrant>| grant.id.clone()).as_deref(),
        Some("cgr_1")
    );
    assert_eq!(other.connections_for_domain(&domain).await.unwrap().len(), 1);
}

#[tokio::test]
async fn many_changes_at_once_are_followed() {
    let store = Store::filled().await;
    let other = store.other_node().await;
    assert!(enabled(&other).await);
    for _ in 0..1100 {
        let acme = organization("acme");
        store.catalog.update(&acme, None).await.unwrap();
    }
    store.catalog.update(&disabled(), None).await.unwrap();

    other.catch_up().await.unwrap();

    assert!(!enabled(&other).await);
}

#[tokio::test]
async fn where_changes_were_deleted_or_are_others_everything_is_read_anew() {
    for break_it in [
        "DELETE FROM changes WHERE revision < (SELECT max(revision) FROM changes)",
        "DELETE FROM changes WHERE revision = (SELECT max(revision) - 1 FROM changes)",
        "UPDATE changes SET id = 'from a backup'",
        "UPDATE changes SET keys = '[[\"dragon\", \"x\"]]'",
    ] {
        let store = Store::filled().await;
        let other = store.other_node().await;
        assert!(enabled(&other).await);
        store.catalog.update(&organization("globex"), None).await.unwrap();
        store.catalog.update(&disabled(), None).await.unwrap();
        store.catalog.update(&organization("globex"), None).await.unwrap();

        run(&store.catalog, break_it).await;
        other.catch_up().await.unwrap();

        assert!(!enabled(&other).await, "{break_it}");
    }
}

#[tokio::test]
async fn a_database_that_went_back_in_time_is_read_anew() {
    let store = Store::filled().await;
    let other = store.other_node().await;
    assert!(enabled(&other).await);
    let doc = serde_json::to_string(&disabled()).unwrap();
    let change =
        AssertSqlSafe(format!("UPDATE organizations SET doc = '{doc}' WHERE name = 'acme'"));
    let mut transaction = store.catalog.storage.begin_apart().await.unwrap();
    sqlx::query::<Any>(change).execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    run(&store.catalog, "UPDATE catalog_revision SET current = current - 1").await;
    run(
        &store.catalog,
        "DELETE FROM changes WHERE revision > (SELECT current FROM catalog_revision)",
    )
    .await;

    other.catch_up().await.unwrap();

    assert!(!enabled(&other).await);
}

#[tokio::test]
async fn old_changes_do_not_pile_up() {
    let store = Store::filled().await;
    let other = store.other_node().await;
    run(&store.catalog, "UPDATE catalog_revision SET current = current + 20000").await;

    store.catalog.update(&disabled(), None).await.unwrap();
    other.catch_up().await.unwrap();

    let mut reader = store.catalog.storage.reader().await.unwrap();
    let left: (i64,) = sqlx::query_as::<Any, _>("SELECT count(*) FROM changes")
        .fetch_one(&mut *reader)
        .await
        .unwrap();
    assert_eq!(left.0, 1);
    assert!(!enabled(&other).await);
}

#[tokio::test]
async fn signing_keys_tell_that_they_changed_and_other_writes_do_not() {
    let store = Store::filled().await;
    let other = store.other_node().await;
    let changed = other.signing_keys_changed();
    store.catalog.update(&disabled(), None).await.unwrap();
    other.catch_up().await.unwrap();
    assert!(!changed.has_changed().unwrap());

    store.catalog.add_missing_signing_keys(Vec::new()).await.unwrap();
    other.catch_up().await.unwrap();

    assert!(changed.has_changed().unwrap());
}
