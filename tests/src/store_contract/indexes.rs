//! What belongs to one thing.

use broker::sessions::index::MOST_MEMBERS;
use broker::sessions::{Member, Operation, Outcome};
use chrono::{DateTime, Utc};

use super::{Checked, Store, hour, key, race, seconds};

pub(super) async fn behave(store: &Store) -> Checked {
    members_come_and_go(store, hour(20)).await?;
    each_member_has_its_own_end(store, hour(21)).await?;
    a_member_is_there_once(store, hour(22)).await?;
    a_full_index_names_who_had_to_go(store, hour(23)).await?;
    of_many_that_add_none_is_lost(store, hour(24)).await
}

fn member(n: usize) -> Member {
    Member::of(&n.to_string())
}

async fn members_come_and_go(store: &Store, now: DateTime<Utc>) -> Checked {
    let (k, end) = (key("index", "a"), now + seconds(60));
    assert_eq!(store.index_members(&k, now).await?, []);
    store.index_remove(&k, member(1), now).await?;
    for n in [3, 1, 2] {
        assert_eq!(store.index_add(&k, member(n), end, now).await?, None);
    }
    assert_eq!(store.index_members(&k, now).await?, [member(3), member(1), member(2)]);
    store.index_remove(&k, member(1), now).await?;
    store.index_remove(&k, member(9), now).await?;
    assert_eq!(store.index_members(&k, now).await?, [member(3), member(2)]);
    store.index_remove(&k, member(2), now).await?;
    store.index_remove(&k, member(3), now).await?;
    assert_eq!(store.index_members(&k, now).await?, []);
    store.index_add(&k, member(4), end, now).await?;
    assert_eq!(store.index_members(&k, now).await?, [member(4)]);
    assert_eq!(store.index_members(&key("index", "b"), now).await?, []);
    Ok(())
}

async fn each_member_has_its_own_end(store: &Store, now: DateTime<Utc>) -> Checked {
    let k = key("index", "ends");
    for (n, until) in [(1, 60), (2, 30), (3, 90)] {
        store.index_add(&k, member(n), now + seconds(until), now).await?;
    }
    let at = |second| now + seconds(second);
    assert_eq!(store.index_members(&k, at(29)).await?, [member(1), member(2), member(3)]);
    assert_eq!(store.index_members(&k, at(30)).await?, [member(1), member(3)]);
    store.index_add(&k, member(4), at(70), at(40)).await?;
    store.index_remove(&k, member(3), at(40)).await?;
    assert_eq!(store.index_members(&k, at(60)).await?, [member(4)]);
    assert_eq!(store.index_members(&k, at(70)).await?, []);
    Ok(())
}

async fn a_member_is_there_once(store: &Store, now: DateTime<Utc>) -> Checked {
    let k = key("index", "once");
    store.index_add(&k, member(1), now + seconds(60), now).await?;
    store.index_add(&k, member(2), now + seconds(60), now).await?;
    store.index_add(&k, member(1), now + seconds(30), now).await?;
    assert_eq!(store.index_members(&k, now).await?, [member(2), member(1)]);
    assert_eq!(store.index_members(&k, now + seconds(30)).await?, [member(2)], "the new end holds");
    Ok(())
}

async fn a_full_index_names_who_had_to_go(store: &Store, now: DateTime<Utc>) -> Checked {
    let (k, end) = (key("index", "full"), now + seconds(60));
    let add = |n: usize| {
        let expires_at = if n == 100 { now + seconds(30) } else { end };
        Operation::IndexAdd { key: k.clone(), member: member(n), expires_at }
    };
    for n in 0..MOST_MEMBERS {
        let outcome = store.batch(&[add(n)], now).await?;
        assert_eq!(outcome, [Outcome::LetGo(None)], "{n}");
    }
    assert_eq!(store.index_add(&k, member(5), end, now).await?, None, "it was there already");
    assert_eq!(store.index_add(&k, member(1000), end, now).await?, Some(member(100)));
    let members = store.index_members(&k, now).await?;
    assert_eq!(members.len(), MOST_MEMBERS);
    assert!(members.contains(&member(1000)) && !members.contains(&member(100)));
    assert_eq!(store.index_add(&k, member(1001), end + seconds(60), end).await?, None);
    assert_eq!(store.index_members(&k, end).await?, [member(1001)], "what has ended makes room");
    Ok(())
}

async fn of_many_that_add_none_is_lost(store: &Store, now: DateTime<Utc>) -> Checked {
    let (k, end) = (key("index", "race"), now + seconds(60));
    let added = race(store, {
        let k = k.clone();
        move |store, i| {
            let k = k.clone();
            async move { Ok(store.index_add(&k, member(i), end, now).await?.is_none()) }
        }
    });
    let added = added.await?;
    assert_eq!(store.index_members(&k, now).await?.len(), added);
    Ok(())
}
