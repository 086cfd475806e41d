//! Whole logins by HTTP, on two brokers that are processes of their own, while what they stand on fails; and a broker that is
//! killed again and again. What is asserted is printed, with the time until a login succeeds again.

use std::time::Duration;

use testkit::login_load::{Allowed, LoginLoad};
use testkit::postgres::Postgres;
use testkit::proxy::Proxy;
use testkit::redis::{Redis, Servers, alone};
use testkit::site::Site;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_homerealm-under-test");
/// Logins before a fault, and that must succeed after it.
const ENOUGH: usize = 30;

/// Two nodes on a PostgreSQL of their own and the Redis of this `sessions.url`.
async fn two_nodes(what: &str, sessions: &str) -> Option<(Site, Postgres)> {
    let postgres = Postgres::start(what).await?;
    Some((Site::shared(BINARY, &postgres.url(), sessions).await, postgres))
}

/// Logins before, during and after a fault that `fault` begins and ends.
async fn under_logins(what: &str, site: &Site, allowed: Allowed, fault: impl AsyncFnOnce()) {
    let load = LoginLoad::on(site, allowed);
    load.until_it_works(ENOUGH).await;
    fault().await;
    let recovered = load.until_it_works(ENOUGH).await;
    load.end(what, site, recovered).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_while_redis_is_killed_and_restarted() {
    let _alone = alone().await;
    let what = "Redis: kill -9 and restart";
    let Some(mut redis) = Redis::start(what, &[]).await else { return };
    let Some((site, _postgres)) = two_nodes(what, &redis.url()).await else { return };

    under_logins(what, &site, Allowed::Nothing, async || {
        redis.kill();
        redis.restart().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_while_redis_stands_still() {
    let _alone = alone().await;
    let what = "Redis: SIGSTOP for 3 s";
    let Some(redis) = Redis::start(what, &[]).await else { return };
    let Some((site, _postgres)) = two_nodes(what, &redis.url()).await else { return };

    under_logins(what, &site, Allowed::Nothing, async || {
        redis.signal("-STOP");
        tokio::time::sleep(Duration::from_secs(3)).await;
        redis.signal("-CONT");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_while_connections_to_redis_are_half_open() {
    let _alone = alone().await;
    let what = "Redis: half-open connections";
    let Some(redis) = Redis::start(what, &[]).await else { return };
    let proxy = Proxy::to(redis.port).await;
    let url = format!("redis://127.0.0.1:{}", proxy.port);
    let Some((site, _postgres)) = two_nodes(what, &url).await else { return };

    under_logins(what, &site, Allowed::Nothing, async || proxy.fall_silent()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_while_redis_is_full() {
    let _alone = alone().await;
    let what = "Redis: out of memory for 2 s";
    let Some(redis) = Redis::start(what, &[]).await else { return };
    let Some((site, _postgres)) = two_nodes(what, &redis.url()).await else { return };

    under_logins(what, &site, Allowed::Nothing, async || {
        redis.cli(&["config", "set", "maxmemory", "1"]);
        tokio::time::sleep(Duration::from_secs(2)).await;
        redis.cli(&["config", "set", "maxmemory", "0"]);
    })
    .await;
    let stats = redis.cli(&["info", "stats"]);
    assert!(stats.contains("evicted_keys:0"), "{stats}");
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_while_redis_is_emptied() {
    let _alone = alone().await;
    let what = "Redis: FLUSHALL";
    let Some(redis) = Redis::start(what, &[]).await else { return };
    let Some((site, _postgres)) = two_nodes(what, &redis.url()).await else { return };

    under_logins(what, &site, Allowed::Forgotten, async || {
        redis.cli(&["flushall"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_while_the_primary_is_a_replica_for_a_time() {
    let _alone = alone().await;
    let what = "Redis: the primary is a read-only replica for a time";
    let Some(servers) = Servers::replicated(what).await else { return };
    let [primary, other] = &servers.nodes[..] else { panic!("two servers") };
    let Some((site, _postgres)) = two_nodes(what, &primary.url()).await else { return };

    under_logins(what, &site, Allowed::Nothing, async || {
        other.cli(&["replicaof", "no", "one"]);
        primary.cli(&["replicaof", "127.0.0.1", &other.port.to_string()]);
        other.until("the other is followed", || other.has_replica()).await;
        other.cli(&["replicaof", "127.0.0.1", &primary.port.to_string()]);
        primary.cli(&["replicaof", "no", "one"]);
        primary.until("it is followed again", || primary.has_replica()).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_while_sentinel_fails_over() {
    let _alone = alone().await;
    let what = "Redis Sentinel: kill -9 of the primary";
    let Some(mut servers) = Servers::watched(what).await else { return };
    let Some((site, _postgres)) = two_nodes(what, &servers.url()).await else { return };

    under_logins(what, &site, Allowed::Nothing, async || servers.nodes[0].kill()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_while_a_cluster_loses_a_primary() {
    let _alone = alone().await;
    let what = "Redis Cluster: kill -9 of a primary";
    let Some(mut servers) = Servers::cluster(what).await else { return };
    let Some((site, _postgres)) = two_nodes(what, &servers.url()).await else { return };

    under_logins(what, &site, Allowed::Nothing, async || {
        servers.nodes[0].kill();
        let survivor = &servers.nodes[1];
        let served = || {
            let info = survivor.cli(&["cluster", "info"]);
            let rows = survivor.cli(&["cluster", "nodes"]);
            info.contains("cluster_state:ok") && rows.contains("fail") && !rows.contains("fail?")
        };
        survivor.until("all slots are served again", served).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_while_postgresql_is_killed_and_restarted() {
    let _alone = alone().await;
    let what = "PostgreSQL: killed, restarted after 3 s";
    let Some(redis) = Redis::start(what, &[]).await else { return };
    let Some((site, mut postgres)) = two_nodes(what, &redis.url()).await else { return };

    under_logins(what, &site, Allowed::Nothing, async || {
        postgres.crash();
        tokio::time::sleep(Duration::from_secs(3)).await;
        postgres.restart().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_while_an_embedded_broker_is_killed_again_and_again() {
    let _alone = alone().await;
    let mut site = Site::embedded(BINARY).await;

    kills("one embedded broker", &mut site).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_while_one_of_two_brokers_is_killed_again_and_again() {
    let _alone = alone().await;
    let what = "one of two brokers on PostgreSQL and Redis";
    let Some(redis) = Redis::start(what, &[]).await else { return };
    let Some((mut site, _postgres)) = two_nodes(what, &redis.url()).await else { return };

    kills(what, &mut site).await;
}

/// Five times, or as often as `HOMEREALM_TEST_KILLS` says, wherever the logins happen to be.
async fn kills(whom: &str, site: &mut Site) {
    let kills: usize = std::env::var("HOMEREALM_TEST_KILLS").map_or(5, |n| n.parse().unwrap());
    let load = LoginLoad::on(site, Allowed::NoAnswer);
    load.until_it_works(ENOUGH).await;
    let mut recovered = Duration::ZERO;
    for kill in 0..kills {
        let moment = moment(kill);
        load.until_it_works(1 + usize::from(moment % 4)).await;
        tokio::time::sleep(Duration::from_millis(u64::from(moment) / 4)).await;
        let node = kill % site.addresses().len();
        site.kill(node);
        site.restart(node).await;
        recovered = recovered.max(load.until_it_works(1).await);
    }
    load.until_it_works(ENOUGH).await;
    let what = format!("kill -9 of {whom}, {kills} times (the slowest recovery)");
    load.end(&what, site, recovered).await;
}

/// Spread evenly and told apart by nothing but the number, so that a run can be repeated.
const fn moment(kill: usize) -> u8 {
    (kill.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
}
