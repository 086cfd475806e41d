//! What every session store must do, whatever it keeps its records in.
//!
//! Each check takes its own hour, later than the one before, because a store may sweep by the latest time it has seen.

mod batches;
mod counters;
mod indexes;

use std::sync::Arc;

use broker::sessions::{Key, Member, SessionStore, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use tokio::task::JoinSet;

/// The store under test.
pub type Store = Arc<dyn SessionStore>;
/// How a check ends where nothing was found wrong.
pub type Checked = Result<(), StoreError>;

const RACERS: usize = 200;

/// A key of the suite; `handle` may be any text.
#[must_use]
pub fn key(kind: &'static str, handle: &str) -> Key {
    let mut digest = [0; 32];
    digest.copy_from_slice(
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, handle.as_bytes()).as_ref(),
    );
    Key { kind, digest }
}

/// The start of an hour of the suite.
#[must_use]
pub fn hour(n: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_900_000_000 + n * 3600, 0).unwrap_or_default()
}

fn seconds(n: i64) -> TimeDelta {
    TimeDelta::seconds(n)
}

/// All checks that need no restart.
///
/// # Errors
/// Where the store is unavailable; what it does wrong panics.
pub async fn behaves(store: &Store) -> Checked {
    put_writes_and_replaces(store, hour(0)).await?;
    take_reads_once(store, hour(1)).await?;
    insert_once_keeps_the_first(store, hour(2)).await?;
    compare_and_swap_replaces_what_was_read(store, hour(3)).await?;
    a_record_ends_at_its_exact_second(store, hour(4)).await?;
    what_has_ended_can_be_written_anew(store, hour(5)).await?;
    kinds_do_not_meet(store, hour(6)).await?;
    handles_and_values_may_be_anything(store, hour(7)).await?;
    of_many_takers_one_wins(store, hour(8)).await?;
    of_many_swaps_one_wins(store, hour(9)).await?;
    of_many_inserts_one_wins(store, hour(10)).await?;
    changes_of_one_key_keep_their_order(store, hour(11)).await?;
    batches::behave(store).await?;
    indexes::behave(store).await?;
    counters::behave(store).await?;
    store.ready().await
}

async fn put_writes_and_replaces(store: &Store, now: DateTime<Utc>) -> Checked {
    let (k, end) = (key("put", "a"), now + seconds(60));
    assert_eq!(store.get(&k, now).await?, None);
    store.put(&k, b"one", end).await?;
    store.put(&k, b"two", end).await?;
    assert_eq!(store.get(&k, now).await?.as_deref(), Some(b"two".as_slice()));
    assert_eq!(store.get(&k, now).await?.as_deref(), Some(b"two".as_slice()), "reading leaves it");
    Ok(())
}

async fn take_reads_once(store: &Store, now: DateTime<Utc>) -> Checked {
    let k = key("take", "a");
    store.put(&k, b"x", now + seconds(60)).await?;
    assert_eq!(store.take(&k, now).await?.as_deref(), Some(b"x".as_slice()));
    assert_eq!(store.take(&k, now).await?, None);
    assert_eq!(store.get(&k, now).await?, None);
    Ok(())
}

async fn insert_once_keeps_the_first(store: &Store, now: DateTime<Utc>) -> Checked {
    let (k, end) = (key("once", "a"), now + seconds(60));
    assert!(store.insert_once(&k, b"1", end, now).await?);
    assert!(!store.insert_once(&k, b"2", end, now).await?);
    assert_eq!(store.get(&k, now).await?.as_deref(), Some(b"1".as_slice()));
    Ok(())
}

async fn compare_and_swap_replaces_what_was_read(store: &Store, now: DateTime<Utc>) -> Checked {
    let (k, end) = (key("swap", "a"), now + seconds(60));
    assert!(!store.compare_and_swap(&k, b"", b"new", end, now).await?, "nothing is there");
    store.put(&k, b"old", end).await?;
    assert!(!store.compare_and_swap(&k, b"other", b"new", end, now).await?);
    assert!(!store.compare_and_swap(&k, b"ol", b"new", end, now).await?, "a part is not the whole");
    assert!(store.compare_and_swap(&k, b"old", b"new", now + seconds(10), now).await?);
    assert!(!store.compare_and_swap(&k, b"old", b"newer", end, now).await?);
    assert_eq!(store.get(&k, now + seconds(9)).await?.as_deref(), Some(b"new".as_slice()));
    assert_eq!(store.get(&k, now + seconds(10)).await?, None, "the swap brings its own expiry");
    Ok(())
}

async fn a_record_ends_at_its_exact_second(store: &Store, now: DateTime<Utc>) -> Checked {
    let (get, take, swap) = (key("end", "get"), key("end", "take"), key("end", "swap"));
    let (last, end) = (now + seconds(59), now + seconds(60));
    for k in [&get, &take, &swap] {
        store.put(k, b"x", end).await?;
    }
    assert!(store.get(&get, last).await?.is_some());
    assert!(store.compare_and_swap(&swap, b"x", b"y", end, last).await?);
    assert_eq!(store.get(&get, end).await?, None);
    assert_eq!(store.take(&take, end).await?, None);
    assert!(!store.compare_and_swap(&swap, b"y", b"z", end + seconds(60), end).await?);
    Ok(())
}

async fn what_has_ended_can_be_written_anew(store: &Store, now: DateTime<Utc>) -> Checked {
    let (k, end) = (key("anew", "a"), now + seconds(60));
    assert!(store.insert_once(&k, b"1", end, now).await?);
    assert!(!store.insert_once(&k, b"2", end + seconds(60), end - seconds(1)).await?);
    assert!(store.insert_once(&k, b"3", end + seconds(60), end).await?);
    assert_eq!(store.get(&k, end).await?.as_deref(), Some(b"3".as_slice()));
    Ok(())
}

async fn kinds_do_not_meet(store: &Store, now: DateTime<Utc>) -> Checked {
    store.put(&key("kind-a", "same"), b"a", now + seconds(60)).await?;
    assert_eq!(store.take(&key("kind-b", "same"), now).await?, None);
    assert!(store.get(&key("kind-a", "same"), now).await?.is_some());
    Ok(())
}

async fn handles_and_values_may_be_anything(store: &Store, now: DateTime<Utc>) -> Checked {
    let large: Vec<u8> = (0..=255).cycle().take(1024 * 1024).collect();
    let values = [Vec::new(), vec![0], "ü ✓ \0 \r\n".into(), large];
    for (i, handle) in ["", "ümläut ✓", "a\0b", "{tag}:*?"].into_iter().enumerate() {
        for value in &values {
            let k = key("any", handle);
            store.put(&k, value, now + seconds(60)).await?;
            assert!(store.get(&k, now).await?.as_ref() == Some(value), "handle {i}");
            assert!(store.compare_and_swap(&k, value, b"next", now + seconds(60), now).await?);
        }
    }
    Ok(())
}

async fn of_many_takers_one_wins(store: &Store, now: DateTime<Utc>) -> Checked {
    let k = key("race", "take");
    store.put(&k, b"x", now + seconds(60)).await?;
    let won = race(store, move |store, _| {
        let k = k.clone();
        async move { Ok(store.take(&k, now).await?.is_some()) }
    });
    assert_eq!(won.await?, 1);
    Ok(())
}

async fn of_many_swaps_one_wins(store: &Store, now: DateTime<Utc>) -> Checked {
    let (k, end) = (key("race", "swap"), now + seconds(60));
    store.put(&k, b"issued", end).await?;
    let won = race(store, move |store, i| {
        let k = k.clone();
        async move {
            store.compare_and_swap(&k, b"issued", format!("used by {i}").as_bytes(), end, now).await
        }
    });
    assert_eq!(won.await?, 1);
    Ok(())
}

async fn of_many_inserts_one_wins(store: &Store, now: DateTime<Utc>) -> Checked {
    let (k, end) = (key("race", "once"), now + seconds(60));
    let won = race(store, move |store, _| {
        let k = k.clone();
        async move { store.insert_once(&k, b"1", end, now).await }
    });
    assert_eq!(won.await?, 1);
    Ok(())
}

async fn race<F>(store: &Store, run: impl Fn(Store, usize) -> F) -> Result<usize, StoreError>
where
    F: Future<Output = Result<bool, StoreError>> + Send + 'static,
{
    let mut racers = JoinSet::new();
    for i in 0..RACERS {
        racers.spawn(run(Arc::clone(store), i));
    }
    let mut won = 0;
    for result in racers.join_all().await {
        won += usize::from(result?);
    }
    Ok(won)
}

async fn changes_of_one_key_keep_their_order(store: &Store, now: DateTime<Utc>) -> Checked {
    let (k, end) = (key("order", "a"), now + seconds(60));
    store.put(&k, b"0", end).await?;
    for i in 0..100 {
        let (old, new) = (i.to_string(), (i + 1).to_string());
        assert!(store.compare_and_swap(&k, old.as_bytes(), new.as_bytes(), end, now).await?);
    }
    assert_eq!(store.get(&k, now).await?.as_deref(), Some(b"100".as_slice()));
    Ok(())
}

/// What was acknowledged before a restart holds after it: write with this, restart, then [`survived`].
///
/// # Errors
/// Where the store is unavailable.
pub async fn write_before_a_restart(store: &Store, now: DateTime<Utc>) -> Checked {
    let end = now + seconds(600);
    store.put(&key("restart", "kept"), b"kept", end).await?;
    store.put(&key("restart", "ends"), b"x", now + seconds(60)).await?;
    store.put(&key("restart", "taken"), b"x", end).await?;
    assert!(store.take(&key("restart", "taken"), now).await?.is_some());
    assert!(store.insert_once(&key("restart", "marker"), b"1", end, now).await?);
    store.put(&key("restart", "code"), b"issued", end).await?;
    assert!(store.compare_and_swap(&key("restart", "code"), b"issued", b"used", end, now).await?);
    for (member, until) in [("out", end), ("in", end), ("ends", now + seconds(60))] {
        store.index_add(&key("restart", "index"), Member::of(member), until, now).await?;
    }
    store.index_remove(&key("restart", "index"), Member::of("out"), now).await
}

/// Sixty seconds after [`write_before_a_restart`] and a restart.
///
/// # Errors
/// Where the store is unavailable; what was lost, or is usable twice, panics.
pub async fn survived(store: &Store, written: DateTime<Utc>) -> Checked {
    let now = written + seconds(60);
    let kept = store.get(&key("restart", "kept"), now).await?;
    assert_eq!(kept.as_deref(), Some(b"kept".as_slice()));
    assert_eq!(store.get(&key("restart", "ends"), now).await?, None);
    assert_eq!(store.take(&key("restart", "taken"), now).await?, None);
    assert!(!store.insert_once(&key("restart", "marker"), b"2", now + seconds(60), now).await?);
    let code = key("restart", "code");
    assert!(!store.compare_and_swap(&code, b"issued", b"used", now, now).await?);
    let code = store.get(&code, now).await?;
    assert_eq!(code.as_deref(), Some(b"used".as_slice()));
    let members = store.index_members(&key("restart", "index"), now).await?;
    assert_eq!(members, [Member::of("in")]);
    Ok(())
}
