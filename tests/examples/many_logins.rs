//! What many logins leave behind: resident memory, records, keys. `cargo run --release --package homerealm-tests --example
//! many_logins [-- LOGINS]`, 100,000 by default; figures in docs/measurements.md. `HOMEREALM_TEST_STATE` chooses the engines.
//! Ends with an error where something stays.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement that cannot go on ends here, and prints what it measured"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::json;
use sqlx::{AnyConnection, Connection as _};
use testkit::sample_oidc::SampleOidc;
use testkit::scene::Scene;
use tikv_jemallocator::Jemalloc;

/// As in the program itself.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// Users, each of whom comes again and again.
const USERS: usize = 1_000;
/// Logins at the same time.
const AT_ONCE: usize = 8;
/// Before the first look: what is made once is made.
const WARM_UP: usize = 500;
/// Longer than anything of a login is kept.
const LATER: TimeDelta = TimeDelta::days(60);
/// Memory that may be more than before, as a factor: the allocator keeps some.
const MOST: f64 = 1.5;
/// How long the allocator gets to give it back.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::main]
async fn main() {
    let logins = std::env::args().nth(1).map_or(100_000, |number| number.parse().unwrap());
    let scene = Arc::new(Scene::set().await);
    let idp = SampleOidc::start(USERS, &scene.app.clock);
    scene.oidc("acme-oidc", &idp.issuer, &json!({})).await;

    log_in(&scene, WARM_UP).await;
    let before = resident();
    let start = Instant::now();
    log_in(&scene, logins).await;
    let (took, full) = (start.elapsed(), resident());
    println!("{logins} logins in {took:.1?}, with client and IdP in the same process");
    if let Some((redis, prefix)) = scene.app.redis() {
        let [keys, endless, longest] = redis.keys_of(prefix);
        let memory = redis.cli(&["info", "memory"]);
        let used = memory.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
        println!(
            "Redis: {keys} keys, {endless} without an end, the last one ends in {longest} s; {used} bytes used, with what else \
             is in it"
        );
        assert!(endless <= 1, "only the epoch of the store has no end");
    } else {
        println!("records: {}", records(&scene).await);
    }

    scene.app.clock.advance(LATER);
    if scene.app.redis().is_none() {
        until_nothing_is_left(&scene).await;
    }
    // users come again as if nothing had been
    log_in(&scene, AT_ONCE).await;
    let (after, settled) = when_memory_is_back(before).await;

    let factor = after as f64 / before as f64;
    println!(
        "resident: {before} MB before, {full} MB after them, {after} MB {settled:.0?} after all has ended ({factor:.2} x)"
    );
    assert!(factor < MOST, "memory does not come back");
}

async fn log_in(scene: &Arc<Scene>, logins: usize) {
    let (done, browser) = (Arc::new(AtomicUsize::new(0)), scene.browser());
    let mut users = tokio::task::JoinSet::new();
    for _ in 0..AT_ONCE {
        let (scene, done, browser) = (Arc::clone(scene), Arc::clone(&done), browser.clone());
        users.spawn(async move {
            while done.fetch_add(1, Ordering::Relaxed) < logins {
                let landing = scene.start(&mut browser.clone(), "acme-oidc").await;
                let code = scene.code(landing).await;
                let tokens = scene.redeem(&code).await;
                assert_eq!(tokens.status, 200, "{:#}", tokens.json);
            }
        });
    }
    while let Some(user) = users.join_next().await {
        user.unwrap();
    }
}

/// The broker sweeps every ten seconds, twenty thousand records at most.
async fn until_nothing_is_left(scene: &Scene) {
    let start = Instant::now();
    loop {
        let left = records(scene).await;
        if left == 0 {
            println!(
                "all records gone, from the file too, {:.0?} after their end",
                start.elapsed()
            );
            return;
        }
        assert!(start.elapsed() < Duration::from_mins(10), "{left} records stay");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// The allocator gives pages back some seconds after the last use of them.
async fn when_memory_is_back(before: u64) -> (u64, Duration) {
    let start = Instant::now();
    loop {
        let now = resident();
        if (now as f64) < MOST * before as f64 || start.elapsed() > PATIENCE {
            return (now, start.elapsed());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// In the file of the embedded store.
async fn records(scene: &Scene) -> i64 {
    sqlx::any::install_default_drivers();
    let file = scene.app.folder().join("sessions.db");
    let mut file =
        AnyConnection::connect(&format!("sqlite://{}?mode=ro", file.display())).await.unwrap();
    let count = sqlx::query_scalar::<sqlx::Any, i64>("SELECT count(*) FROM records");
    count.fetch_one(&mut file).await.unwrap()
}

/// Megabytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}
