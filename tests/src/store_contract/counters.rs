//! Counts of a fixed window.

use chrono::{DateTime, Utc};

use super::{Checked, RACERS, Store, hour, key, race, seconds};

pub(super) async fn behave(store: &Store) -> Checked {
    a_count_goes_up_by_one(store, hour(30)).await?;
    a_window_ends_at_its_exact_second(store, hour(31)).await?;
    of_many_that_count_each_counts(store, hour(32)).await
}

async fn a_count_goes_up_by_one(store: &Store, now: DateTime<Utc>) -> Checked {
    let (k, end) = (key("count", "a"), now + seconds(60));
    for n in 1..=12 {
        assert_eq!(store.count(&k, end, now).await?, n);
    }
    assert_eq!(store.count(&key("count", "b"), end, now).await?, 1);
    Ok(())
}

async fn a_window_ends_at_its_exact_second(store: &Store, now: DateTime<Utc>) -> Checked {
    let (k, end) = (key("count", "ends"), now + seconds(60));
    assert_eq!(store.count(&k, end, now).await?, 1);
    assert_eq!(store.count(&k, end + seconds(60), end - seconds(1)).await?, 2, "it has its end");
    assert_eq!(store.count(&k, end + seconds(60), end).await?, 1);
    assert_eq!(store.count(&k, end + seconds(60), end).await?, 2);
    Ok(())
}

async fn of_many_that_count_each_counts(store: &Store, now: DateTime<Utc>) -> Checked {
    let (k, end) = (key("count", "race"), now + seconds(60));
    let counted = race(store, {
        let k = k.clone();
        move |store, _| {
            let k = k.clone();
            async move { Ok(store.count(&k, end, now).await? > 0) }
        }
    });
    let counted = counted.await?;
    assert_eq!(counted, RACERS);
    assert_eq!(store.count(&k, end, now).await?, RACERS as u64 + 1);
    Ok(())
}
