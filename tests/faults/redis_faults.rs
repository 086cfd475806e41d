//! What happens to one Redis while logins go on: nothing is taken twice, nothing acknowledged is forgotten, and the store
//! recovers by itself. How long that took is printed, never asserted.

use std::time::{Duration, Instant};

use broker::sessions::StoreError;
use testkit::proxy::Proxy;
use testkit::redis::{Redis, Servers, alone};
use testkit::store_contract::{Store, hour, key};
use testkit::store_load::{Load, Seen};

use crate::redis_contract::opened;

pub(crate) fn report(what: &str, recovered: Duration, seen: &Seen) {
    println!(
        "{what}: works again {recovered:?} after the fault was over; {} errors, slowest round {:?}, {} markers kept",
        seen.errors,
        seen.slowest,
        seen.marked.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_redis_comes_back_with_everything() {
    let _alone = alone().await;
    let Some(mut redis) = Redis::start("kill -9 of Redis", &[]).await else { return };
    let load = Load::on(&opened(&redis.url()).await);
    load.until_it_works(200).await;

    redis.kill();
    redis.restart().await;

    let recovered = load.until_it_works(200).await;
    report("kill -9", recovered, &load.end_without_loss().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_stands_still_for_three_seconds_costs_errors_and_no_more() {
    let _alone = alone().await;
    let Some(redis) = Redis::start("SIGSTOP of Redis", &[]).await else { return };
    let store = opened(&redis.url()).await;
    let load = Load::on(&store);
    load.until_it_works(200).await;

    redis.signal("-STOP");
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(3) {
        assert!(store.get(&key("code", "0"), hour(0)).await.is_err());
    }
    redis.signal("-CONT");

    let recovered = load.until_it_works(200).await;
    report("SIGSTOP 3 s", recovered, &load.end_without_loss().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_open_connection_is_given_up_for_a_new_one() {
    let _alone = alone().await;
    let Some(redis) = Redis::start("half-open connections", &[]).await else { return };
    let proxy = Proxy::to(redis.port).await;
    let load = Load::on(&opened(&format!("redis://127.0.0.1:{}", proxy.port)).await);
    load.until_it_works(200).await;
    let before = proxy.connections();

    proxy.fall_silent();

    let recovered = load.until_it_works(200).await;
    assert!(proxy.connections() > before);
    report("half open", recovered, &load.end_without_loss().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_redis_refuses_and_forgets_nothing() {
    let _alone = alone().await;
    let Some(redis) = Redis::start("Redis without memory", &[]).await else { return };
    let store = opened(&redis.url()).await;
    let load = Load::on(&store);
    load.until_it_works(200).await;

    redis.cli(&["config", "set", "maxmemory", "1"]);
    let refused = store.put(&key("k", "full"), b"x", hour(1)).await;
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    let refused = store.insert_once(&key("k", "full"), b"x", hour(1), hour(0)).await;
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    redis.cli(&["config", "set", "maxmemory", "0"]);

    let recovered = load.until_it_works(200).await;
    report("out of memory", recovered, &load.end_without_loss().await);
    let evicted = redis.cli(&["info", "stats"]);
    assert!(evicted.contains("evicted_keys:0"), "{evicted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flushed_redis_begins_a_new_epoch() {
    let _alone = alone().await;
    let Some(redis) = Redis::start("FLUSHALL", &[]).await else { return };
    let store = opened(&redis.url()).await;
    let before = store.epoch().await.unwrap();
    assert!(store.insert_once(&key("k", "m"), b"1", hour(1), hour(0)).await.unwrap());

    redis.cli(&["flushall"]);

    // the marker is gone; whatever was issued before now is refused without a pending login instead
    let after = store.epoch().await.unwrap();
    assert!(after > before);
    assert_eq!(store.epoch().await.unwrap(), after);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_was_demoted_is_left() {
    let _alone = alone().await;
    let Some(servers) = Servers::replicated("a demoted primary").await else { return };
    let [primary, other] = &servers.nodes[..] else { panic!("two servers") };
    let store = opened(&primary.url()).await;
    assert!(store.insert_once(&key("k", "m"), b"1", hour(1), hour(0)).await.unwrap());
    let epoch = store.epoch().await.unwrap();

    other.cli(&["replicaof", "no", "one"]);
    primary.cli(&["replicaof", "127.0.0.1", &other.port.to_string()]);
    assert!(store.put(&key("k", "a"), b"x", hour(1)).await.is_err());
    assert_replica_is_refused(&store).await;

    other.cli(&["replicaof", "127.0.0.1", &primary.port.to_string()]);
    primary.cli(&["replicaof", "no", "one"]);
    let load = Load::on(&store);
    let recovered = load.until_it_works(50).await;
    report("read-only for a time", recovered, &load.end_without_loss().await);
    assert!(!store.insert_once(&key("k", "m"), b"2", hour(1), hour(0)).await.unwrap());
    assert!(store.epoch().await.unwrap() > epoch, "it has another history now");
}

/// Not even reads: they could be of yesterday.
async fn assert_replica_is_refused(store: &Store) {
    let refused = store.get(&key("k", "m"), hour(0)).await.unwrap_err().to_string();
    assert!(refused.contains("replica"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_no_replica_confirms_is_not_acknowledged() {
    let _alone = alone().await;
    let Some(servers) = Servers::replicated("WAIT").await else { return };
    let [primary, replica] = &servers.nodes[..] else { panic!("two servers") };
    let store = opened(&primary.url()).await;
    store.put(&key("k", "a"), b"x", hour(1)).await.unwrap();
    store.put(&key("k", "b"), b"x", hour(1)).await.unwrap();

    replica.signal("-STOP");
    assert!(store.put(&key("k", "c"), b"x", hour(1)).await.is_err());
    assert!(store.take(&key("k", "a"), hour(0)).await.is_err());
    assert!(store.insert_once(&key("k", "m"), b"1", hour(1), hour(0)).await.is_err());
    assert!(store.compare_and_swap(&key("k", "b"), b"x", b"y", hour(1), hour(0)).await.is_err());
    // what changes nothing needs nobody's confirmation
    assert!(store.get(&key("k", "b"), hour(0)).await.is_ok());
    assert!(!store.compare_and_swap(&key("k", "b"), b"x", b"y", hour(1), hour(0)).await.unwrap());
    replica.signal("-CONT");

    let load = Load::on(&store);
    let recovered = load.until_it_works(50).await;
    report("replica stood still", recovered, &load.end_without_loss().await);
    assert_eq!(store.take(&key("k", "a"), hour(0)).await.unwrap(), None, "it stays spent");
}
