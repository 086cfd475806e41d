//! The embedded session store, held to the contract, through restarts and kills.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use broker::sessions::embedded::{Capacity, EmbeddedStore, OpenError};
use broker::sessions::{SessionStore as _, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use testkit::state::is_embedded;
use testkit::store_contract::{self, Store, hour, key};

async fn open(file: &Path, now: DateTime<Utc>) -> EmbeddedStore {
    EmbeddedStore::open(file, Capacity::default(), now).await.unwrap()
}

fn shared(store: &EmbeddedStore) -> Store {
    Arc::new(store.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_store_behaves() {
    if !is_embedded("the embedded store") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("s.db"), hour(0)).await;

    store_contract::behaves(&shared(&store)).await.unwrap();

    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_restart() {
    if !is_embedded("the embedded store") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.db");
    let store = open(&file, hour(0)).await;
    store_contract::write_before_a_restart(&shared(&store), hour(0)).await.unwrap();
    let epoch = store.epoch().await.unwrap();
    store.close().await;

    let later = hour(0) + TimeDelta::seconds(60);
    let again = open(&file, later).await;

    store_contract::survived(&shared(&again), hour(0)).await.unwrap();
    assert_eq!((epoch, again.epoch().await.unwrap()), (hour(0), hour(0)));
    again.close().await;
}

#[tokio::test]
async fn a_closed_store_is_unavailable_and_changes_nothing() {
    if !is_embedded("the embedded store") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.db");
    let store = open(&file, hour(0)).await;
    store.put(&key("k", "a"), b"x", hour(1)).await.unwrap();
    store.close().await;

    let taken = store.take(&key("k", "a"), hour(0)).await;

    assert!(matches!(taken, Err(StoreError::Unavailable(_))));
    assert!(store.ready().await.is_err());
    let again = open(&file, hour(0)).await;
    assert!(again.take(&key("k", "a"), hour(0)).await.unwrap().is_some());
    again.close().await;
}

#[tokio::test]
async fn a_clock_behind_the_last_entry_is_refused() {
    if !is_embedded("the embedded store") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.db");
    let store = open(&file, hour(0)).await;
    store.insert_once(&key("k", "a"), b"x", hour(2), hour(1)).await.unwrap();
    store.close().await;

    let second = TimeDelta::seconds(1);
    let behind = EmbeddedStore::open(&file, Capacity::default(), hour(1) - second).await;
    assert!(matches!(behind, Err(OpenError::ClockBehind { .. })));
    open(&file, hour(1)).await.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_kill() {
    if !is_embedded("the embedded store") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let file = folder.path().join(format!("{round}.db"));
        let acknowledged = work_and_kill(&file, round);

        let store = open(&file, hour(0)).await;
        for n in &acknowledged {
            let code = store.get(&key("code", n), hour(0)).await.unwrap();
            let expected = (n.parse::<usize>().unwrap() % 2 == 0).then_some(b"used".as_slice());
            assert_eq!(code.as_deref(), expected, "code {n} is usable twice, or lost");
            let marker =
                store.insert_once(&key("marker", n), b"2", hour(1), hour(0)).await.unwrap();
            assert!(!marker, "marker {n} is lost");
        }
        store.close().await;
    }
}

/// Numbers that the child named before it was killed without warning.
fn work_and_kill(file: &Path, round: usize) -> Vec<String> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_store-child"))
        .arg(file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged: Vec<String> =
        lines.by_ref().take(50 + 100 * round).collect::<Result<_, _>>().unwrap();
    assert!(!acknowledged.is_empty());
    child.kill().unwrap();
    child.wait().unwrap();
    // what it still had time to say; a last line without its end is not an acknowledgement
    acknowledged.extend(lines.map_while(Result::ok));
    acknowledged.pop();
    acknowledged
}
