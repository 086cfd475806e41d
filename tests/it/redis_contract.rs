//! The session store on Redis, held to the contract: one server, TLS with a limited user, and what a start refuses.

use std::process::Command;
use std::sync::Arc;

use broker::clock::{Clock as _, SystemClock};
use broker::config::Config;
use broker::sessions::redis::{OpenError, RedisStore};
use chrono::TimeDelta;
use testkit::redis::{Redis, is_installed};
use testkit::state::is_embedded;
use testkit::store_contract::{self, Store, hour, key};

/// Opens it as the configuration says.
pub(crate) async fn open(sessions: &str) -> Result<Store, OpenError> {
    let config = Config::from_toml(&format!("[sessions]\n{sessions}"), []).unwrap();
    let store = RedisStore::open(&config.sessions.redis.unwrap(), Arc::new(SystemClock)).await?;
    Ok(Arc::new(store))
}

pub(crate) async fn opened(url: &str) -> Store {
    open(&format!("url = \"{url}\"")).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_on_redis_behaves() {
    if !is_embedded("the store on Redis") {
        return;
    }
    let Some(redis) = Redis::start("sessions on Redis", &[]).await else { return };
    let store = opened(&redis.url()).await;

    store_contract::behaves(&store).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_redis_acknowledged_survives_its_restart() {
    if !is_embedded("the store on Redis") {
        return;
    }
    let Some(mut redis) = Redis::start("a restart of Redis", &[]).await else { return };
    let store = opened(&redis.url()).await;
    store_contract::write_before_a_restart(&store, hour(0)).await.unwrap();
    let epoch = store.epoch().await.unwrap();
    assert_eq!(store.epoch().await.unwrap(), epoch);

    redis.kill();
    redis.restart().await;

    // the first call may find the old connection broken; it is not sent again
    let _ = store.ready().await;
    store_contract::survived(&opened(&redis.url()).await, hour(0)).await.unwrap();
    assert!(store.epoch().await.unwrap() > epoch, "a restart may have lost markers");
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_cleans_up_some_minutes_after_a_records_end() {
    if !is_embedded("the store on Redis") {
        return;
    }
    let Some(redis) = Redis::start("lifetimes on Redis", &[]).await else { return };
    let store = open(&format!("url = \"{}\"\nprefix = \"x:\"", redis.url())).await.unwrap();
    let k = key("login", "a");

    store.put(&k, b"x", SystemClock.now() + TimeDelta::seconds(60)).await.unwrap();

    let left: i64 = redis.cli(&["pttl", &format!("x:{{{k}}}")]).parse().unwrap();
    assert!((300_000..=360_000).contains(&left), "{left}");
    assert!(store.epoch().await.unwrap() <= SystemClock.now());
    assert_eq!(redis.cli(&["exists", "x:{epoch}"]), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_limited_to_our_keys_over_tls_is_enough() {
    if !is_embedded("the store on Redis") {
        return;
    }
    if !is_installed("Redis over TLS") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (certificate, private, acl) = (file("c.pem"), file("k.pem"), file("acl"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
        ])
        .args([
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-keyout",
            &private,
            "-out",
            &certificate,
        ])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let users = "user default on nopass -@all +ping\nuser full on >pw resetchannels ~hr:* -@all +get +set +getdel +eval +wait +ping +info +select\n\
                 user least on >pw ~hr:* +@all -@dangerous\n";
    std::fs::write(&acl, users).unwrap();
    let port = testkit::app::free_port().to_string();
    let tls = ["--tls-port", &port, "--tls-cert-file", &certificate, "--tls-key-file", &private];
    let more = ["--tls-ca-cert-file", &certificate, "--tls-auth-clients", "no", "--aclfile", &acl];
    let all: Vec<&str> = tls.into_iter().chain(more).collect();
    let Some(_redis) = Redis::start("Redis over TLS", &all).await else { return };
    let url = |user: &str| format!("url = \"rediss://{user}:pw@127.0.0.1:{port}/\"");

    for user in ["full", "least"] {
        let trusted = format!("{}\nca_file = \"{certificate}\"", url(user));
        let own = format!("{trusted}\nprefix = \"hr:{user}:\"");
        store_contract::behaves(&open(&own).await.unwrap()).await.unwrap();
        let other = open(&format!("{trusted}\nprefix = \"other:\"")).await.unwrap();
        assert!(other.get(&key("k", "a"), hour(0)).await.is_err(), "keys of others");
    }
    let untrusted = open(&url("full")).await.unwrap_err().to_string();
    assert!(
        untrusted.contains("invalid peer certificate") && !untrusted.contains("pw"),
        "{untrusted}"
    );
    let wrong = url("nobody");
    let refused = open(&format!("{wrong}\nca_file = \"{certificate}\"")).await.unwrap_err();
    assert!(matches!(refused, OpenError::Unreachable(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_evicts_is_refused_at_start_and_not_ready_later() {
    if !is_embedded("the store on Redis") {
        return;
    }
    let Some(redis) = Redis::start("an evicting Redis", &[]).await else { return };
    let store = opened(&redis.url()).await;
    store.ready().await.unwrap();

    redis.cli(&["config", "set", "maxmemory-policy", "volatile-lru"]);

    let refused = open(&format!("url = \"{}\"", redis.url())).await.unwrap_err().to_string();
    assert!(refused.contains("volatile-lru") && refused.contains("noeviction"), "{refused}");
    // what was found stands for a second
    redis
        .until("readiness is looked at anew", || {
            futures_ready(&store).is_some_and(|why| why.contains("volatile-lru"))
        })
        .await;
    redis.cli(&["config", "set", "maxmemory-policy", "noeviction"]);
    redis.until("it is ready again", || futures_ready(&store).is_none()).await;
}

fn futures_ready(store: &Store) -> Option<String> {
    let ready = async { store.ready().await.err().map(|e| e.to_string()) };
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(ready))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_redis_under_our_keys_but_not_ours_is_an_error_and_no_record() {
    if !is_embedded("the store on Redis") {
        return;
    }
    let Some(redis) = Redis::start("other values in Redis", &[]).await else { return };
    let store = opened(&redis.url()).await;
    let k = key("code", "a");
    redis.cli(&["set", &format!("hr:{{{k}}}"), "short"]);

    assert!(store.get(&k, hour(0)).await.is_err());
    assert!(store.insert_once(&k, b"x", hour(1), hour(0)).await.is_err());
    assert!(store.compare_and_swap(&k, b"short", b"x", hour(1), hour(0)).await.is_err());
    assert!(store.take(&k, hour(0)).await.is_err());
}
