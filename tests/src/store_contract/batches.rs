//! Several operations at once.

use broker::sessions::{Member, Operation, Outcome};
use chrono::{DateTime, Utc};

use super::{Checked, Store, hour, key, race, seconds};

pub(super) async fn behave(store: &Store) -> Checked {
    every_operation_has_its_own_outcome(store, hour(12)).await?;
    one_that_loses_stops_no_other(store, hour(13)).await?;
    an_empty_batch_is_nothing(store, hour(14)).await?;
    of_many_batches_one_wins_each_key(store, hour(15)).await?;
    a_large_batch_is_one_batch(store, hour(16)).await
}

async fn every_operation_has_its_own_outcome(store: &Store, now: DateTime<Utc>) -> Checked {
    let (k, end) = (|handle| key("batch", handle), now + seconds(60));
    store.put(&k("swap"), b"old", end).await?;
    store.put(&k("get"), b"got", end).await?;
    store.put(&k("take"), b"taken", end).await?;
    let member = Member::of("m");

    let operations = [
        Operation::Put { key: k("put"), value: b"x".to_vec(), expires_at: end },
        Operation::Get { key: k("get") },
        Operation::Take { key: k("take") },
        Operation::InsertOnce { key: k("once"), value: b"1".to_vec(), expires_at: end },
        swap("swap", b"old", end),
        Operation::IndexAdd { key: k("index"), member, expires_at: end },
        Operation::Count { key: k("count"), window_end: end },
        Operation::IndexMembers { key: k("none") },
        Operation::IndexRemove { key: k("none"), member },
        Operation::Get { key: k("none") },
    ];

    assert_eq!(
        store.batch(&operations, now).await?,
        [
            Outcome::Done,
            Outcome::Value(Some(b"got".to_vec())),
            Outcome::Value(Some(b"taken".to_vec())),
            Outcome::Decided(true),
            Outcome::Decided(true),
            Outcome::LetGo(None),
            Outcome::Counted(1),
            Outcome::Members(Vec::new()),
            Outcome::Done,
            Outcome::Value(None),
        ]
    );
    assert_eq!(store.get(&k("put"), now).await?.as_deref(), Some(b"x".as_slice()));
    assert_eq!(store.get(&k("take"), now).await?, None);
    assert_eq!(store.get(&k("swap"), now).await?.as_deref(), Some(b"new".as_slice()));
    assert_eq!(store.index_members(&k("index"), now).await?, [member]);
    Ok(())
}

async fn one_that_loses_stops_no_other(store: &Store, now: DateTime<Utc>) -> Checked {
    let (k, end) = (|handle| key("batch", handle), now + seconds(60));
    store.put(&k("swap"), b"other", end).await?;
    store.put(&k("marker"), b"1", end).await?;
    let marker = Operation::InsertOnce { key: k("marker"), value: Vec::new(), expires_at: end };
    let put = Operation::Put { key: k("put"), value: b"after".to_vec(), expires_at: end };

    let outcomes = store.batch(&[swap("swap", b"old", end), marker, put], now).await?;

    assert_eq!(outcomes, [Outcome::Decided(false), Outcome::Decided(false), Outcome::Done]);
    assert_eq!(store.get(&k("put"), now).await?.as_deref(), Some(b"after".as_slice()));
    Ok(())
}

fn swap(handle: &str, expected: &[u8], expires_at: DateTime<Utc>) -> Operation {
    let (expected, new) = (expected.to_vec(), b"new".to_vec());
    Operation::CompareAndSwap { key: key("batch", handle), expected, new, expires_at }
}

async fn an_empty_batch_is_nothing(store: &Store, now: DateTime<Utc>) -> Checked {
    assert_eq!(store.batch(&[], now).await?, []);
    Ok(())
}

async fn of_many_batches_one_wins_each_key(store: &Store, now: DateTime<Utc>) -> Checked {
    let end = now + seconds(60);
    store.put(&key("batch", "race"), b"issued", end).await?;
    let won = race(store, move |store, i| async move {
        let marker = key("batch", "race marker");
        let once = Operation::InsertOnce { key: marker, value: Vec::new(), expires_at: end };
        let mut operations = [swap("race", b"issued", end), once];
        if i % 2 == 0 {
            operations.reverse();
        }
        let outcomes = store.batch(&operations, now).await?;
        Ok(outcomes.contains(&Outcome::Decided(true)))
    });
    // one that won both, or two that won one each
    assert!((1..=2).contains(&won.await?));
    assert!(!store.compare_and_swap(&key("batch", "race"), b"issued", b"x", end, now).await?);
    assert!(!store.insert_once(&key("batch", "race marker"), b"x", end, now).await?);
    Ok(())
}

async fn a_large_batch_is_one_batch(store: &Store, now: DateTime<Utc>) -> Checked {
    let end = now + seconds(60);
    let keys = (0..300).map(|n| key("batch", &format!("large {n}")));
    let value = vec![7; 1000];
    let puts: Vec<_> = keys
        .clone()
        .map(|key| Operation::Put { key, value: value.clone(), expires_at: end })
        .collect();
    let gets: Vec<_> = keys.map(|key| Operation::Get { key }).collect();

    assert!(store.batch(&puts, now).await?.iter().all(|outcome| *outcome == Outcome::Done));
    let found = store.batch(&gets, now).await?;

    assert_eq!(found.len(), 300);
    assert!(found.iter().all(|outcome| *outcome == Outcome::Value(Some(value.clone()))));
    Ok(())
}
