use chrono::TimeDelta;
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use super::*;
use crate::sessions::{Key, Member};

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_900_000_000, 0).unwrap() + TimeDelta::seconds(second)
}

fn key(n: usize) -> Key {
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&n.to_be_bytes());
    Key { kind: "test", digest }
}

async fn open(file: &Path, capacity: Capacity) -> EmbeddedStore {
    EmbeddedStore::open(file, capacity, at(0)).await.unwrap()
}

async fn rows(file: &Path) -> i64 {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut connection = options.connect().await.unwrap();
    let row = sqlx::query("SELECT count(*) FROM records").fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    row.get(0)
}

#[tokio::test]
async fn a_full_store_refuses_and_never_evicts() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("s.db"), Capacity { records: 3, bytes: 10_000 }).await;
    for n in 0..3 {
        store.put(&key(n), b"x", at(60)).await.unwrap();
    }

    assert!(matches!(store.put(&key(3), b"x", at(60)).await, Err(StoreError::Full)));
    assert!(matches!(store.insert_once(&key(3), b"x", at(60), at(0)).await, Err(StoreError::Full)));

    for n in 0..3 {
        assert!(store.get(&key(n), at(0)).await.unwrap().is_some());
    }
    assert!(store.compare_and_swap(&key(0), b"x", b"y", at(60), at(0)).await.unwrap());
    assert!(store.take(&key(1), at(0)).await.unwrap().is_some());
    store.put(&key(3), b"x", at(60)).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn a_clock_that_steps_back_brings_nothing_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("s.db"), Capacity::default()).await;
    store.put(&key(0), b"x", at(60)).await.unwrap();
    store.put(&key(1), b"x", at(61)).await.unwrap();
    assert!(store.get(&key(1), at(60)).await.unwrap().is_some());

    assert_eq!(store.get(&key(0), at(59)).await.unwrap(), None);
    assert_eq!(store.take(&key(0), at(59)).await.unwrap(), None);
    assert!(store.take(&key(1), at(59)).await.unwrap().is_some());
    store.close().await;
}

#[tokio::test]
async fn bytes_have_a_limit_too() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("s.db"), Capacity { records: 100, bytes: 1000 }).await;

    store.put(&key(0), &[0; 800], at(60)).await.unwrap();
    assert!(matches!(store.put(&key(1), b"", at(60)).await, Err(StoreError::Full)));
    assert!(matches!(store.put(&key(0), &[0; 801], at(60)).await, Err(StoreError::Full)));
    store.put(&key(0), &[0; 700], at(60)).await.unwrap();
    assert!(matches!(store.put(&key(1), &[0; 0], at(60)).await, Err(StoreError::Full)));
    store.close().await;
}

#[tokio::test]
async fn room_comes_back_when_records_expire() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("s.db"), Capacity { records: 2, bytes: 10_000 }).await;
    store.put(&key(0), b"x", at(10)).await.unwrap();
    store.put(&key(1), b"x", at(20)).await.unwrap();

    assert!(matches!(store.insert_once(&key(2), b"x", at(60), at(9)).await, Err(StoreError::Full)));
    assert!(store.insert_once(&key(2), b"x", at(60), at(10)).await.unwrap());
    store.close().await;
}

#[tokio::test]
async fn expired_records_leave_memory_and_disk() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.db");
    let store = open(&file, Capacity::default()).await;
    for n in 0..200 {
        store.put(&key(n), b"x", at(if n < 150 { 10 } else { 60 })).await.unwrap();
    }

    store.forget_expired(10_000, at(9));
    assert_eq!(store.len(), 200);
    store.forget_expired(10_000, at(10));
    assert_eq!(store.len(), 50);

    store.close().await;
    assert_eq!(rows(&file).await, 50);
}

#[tokio::test]
async fn a_journal_that_cannot_be_written_fails_closed_and_catches_up() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.db");
    let store = open(&file, Capacity::default()).await;
    store.put(&key(0), b"x", at(60)).await.unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
    let mut other = options.connect().await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();

    let during = store.take(&key(0), at(0)).await;
    assert!(matches!(during, Err(StoreError::Unavailable(_))));
    let refused = store.insert_once(&key(1), b"x", at(60), at(0)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    assert!(store.ready().await.is_err());

    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    store.0.journal.failing.clone().wait_for(|failing| !failing).await.unwrap();
    assert!(store.insert_once(&key(1), b"x", at(60), at(0)).await.unwrap(), "it was never made");
    assert_eq!(store.take(&key(0), at(0)).await.unwrap(), None, "what was taken stays taken");
    store.close().await;
    assert_eq!(rows(&file).await, 1, "disk and memory agree");
}

#[tokio::test]
async fn many_changes_of_one_batch_end_as_the_last_one_says() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.db");
    let store = open(&file, Capacity::default()).await;
    let puts = (0..100).map(|n| {
        let store = store.clone();
        async move {
            store.put(&key(n), b"first", at(60)).await.unwrap();
            store.put(&key(n), b"last", at(60)).await.unwrap();
            if n % 2 == 0 {
                store.take(&key(n), at(0)).await.unwrap();
            }
        }
    });
    futures_util::future::join_all(puts).await;
    store.close().await;

    let again = open(&file, Capacity::default()).await;
    assert_eq!(again.len(), 50);
    for n in 0..100 {
        let expected = (n % 2 == 1).then_some(b"last".as_slice());
        assert_eq!(again.get(&key(n), at(0)).await.unwrap().as_deref(), expected);
    }
    again.close().await;
}

#[tokio::test]
async fn a_batch_that_finds_no_room_is_full_and_forgets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.db");
    let store = open(&file, Capacity { records: 2, bytes: 100_000 }).await;
    store.put(&key(0), b"x", at(60)).await.unwrap();
    let put = |n| Operation::Put { key: key(n), value: b"x".to_vec(), expires_at: at(60) };
    let take = Operation::Take { key: key(0) };

    let full = store.batch(&[put(1), put(2), take.clone()], at(0)).await;
    assert!(matches!(full, Err(StoreError::Full)));
    assert!(store.get(&key(0), at(0)).await.unwrap().is_some(), "what came after did not happen");
    store.batch(&[take, put(2)], at(0)).await.unwrap();

    store.close().await;
    assert_eq!(rows(&file).await, 2, "disk and memory agree");
}

#[tokio::test]
async fn batches_that_cross_each_other_do_not_wait_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("s.db"), Capacity::default()).await;
    let put = |n| Operation::Put { key: key(n), value: b"x".to_vec(), expires_at: at(60) };
    let batches = (0..200).map(|n| {
        let (store, mut operations) = (store.clone(), [put(n), put(n + 1), put(n + 2)]);
        if n % 2 == 0 {
            operations.reverse();
        }
        tokio::spawn(async move { store.batch(&operations, at(0)).await })
    });

    for batch in futures_util::future::join_all(batches).await {
        assert_eq!(batch.unwrap().unwrap().len(), 3);
    }
    store.close().await;
}

#[tokio::test]
async fn an_index_survives_a_restart_and_counters_need_no_disk() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.db");
    let store = open(&file, Capacity::default()).await;
    store.index_add(&key(0), Member::of("a"), at(60), at(0)).await.unwrap();
    store.index_add(&key(0), Member::of("b"), at(90), at(0)).await.unwrap();
    assert_eq!(store.count(&key(1), at(60), at(0)).await.unwrap(), 1);
    store.close().await;
    assert_eq!(rows(&file).await, 1);
    assert_eq!(store.count(&key(1), at(60), at(0)).await.unwrap(), 2, "closed, and still counting");

    let again = EmbeddedStore::open(&file, Capacity::default(), at(70)).await.unwrap();
    assert_eq!(again.index_members(&key(0), at(70)).await.unwrap(), [Member::of("b")]);
    again.index_remove(&key(0), Member::of("b"), at(70)).await.unwrap();
    again.close().await;
    assert_eq!(rows(&file).await, 0, "an empty index is none");
}

#[tokio::test]
async fn a_file_of_another_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.db");
    open(&file, Capacity::default()).await.close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
    let mut connection = options.connect().await.unwrap();
    sqlx::query("UPDATE facts SET value = 2 WHERE name = 'version'")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();

    let refused = EmbeddedStore::open(&file, Capacity::default(), at(0)).await;

    assert!(matches!(refused, Err(OpenError::Version { .. })));
}

#[tokio::test]
async fn a_file_that_is_not_ours_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.db");
    std::fs::write(&file, "not a database, but a text of some length").unwrap();

    let refused = EmbeddedStore::open(&file, Capacity::default(), at(0)).await;

    assert!(matches!(refused, Err(OpenError::Database { .. })));
}
