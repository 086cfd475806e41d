//! What 100,000 connections with 150,000 domains cost, against 10: start-up, memory, `/home-realm`, and the time until the
//! other node knows of a change. `cargo run --release --package homerealm-tests --example scale [CONNECTIONS]`; figures in
//! docs/measurements.md. Needs PostgreSQL and Redis; nothing is asserted.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement that cannot go on ends here, and prints what it measured"
)]

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use broker::catalog::{Catalog, Client, Connection};
use broker::cli::Cli;
use broker::seal::{MasterKey, Sealer};
use clap::Parser as _;
use reqwest::Client as Http;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::app::{self, ADMIN_TOKEN, BinaryApp};
use testkit::postgres::Postgres;
use testkit::redis::Redis;

const NOW: &str = "2030-01-01T00:00:00Z";
/// Unless the command line names another number.
const MANY: usize = 100_000;
const FEW: usize = 10;
const LOOK_UPS: usize = 5_000;

/// A database with so many connections, and a node on it.
struct Site {
    node: BinaryApp,
    folder: TempDir,
    postgres: Postgres,
    redis: Redis,
    started_in: Duration,
}

/// Called with `serve`, it is the broker itself.
#[actix_web::main]
async fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("serve") {
        return Cli::parse().run().await;
    }
    measure().await;
    ExitCode::SUCCESS
}

async fn measure() {
    let count = std::env::args().nth(1).map_or(MANY, |count| count.parse().unwrap());
    let few = Site::with(FEW).await;
    let many = Site::with(count).await;
    for (site, count) in [(&few, FEW), (&many, count)] {
        println!(
            "{count} connections: start-up {:?}, resident {} MB",
            site.started_in,
            resident(&site.node)
        );
    }
    let same_ten = |i: usize| i % FEW;
    let any = |i: usize| (i * 7_919) % count;
    let base = percentiles(&few, same_ten).await;
    let ten_of_many = percentiles(&many, same_ten).await;
    let any_of_many = percentiles(&many, any).await;
    print("10 of 10", base, base);
    print(&format!("10 of {count}"), ten_of_many, base);
    print(&format!("any of {count}, most not cached"), any_of_many, base);
    println!("resident after that: {} MB", resident(&many.node));
    many.time_to_reach_the_other_node().await;
}

impl Site {
    async fn with(connections: usize) -> Self {
        let what = "the measurement";
        let postgres = Postgres::start(what).await.unwrap();
        let redis = Redis::start(what, &[]).await.unwrap();
        let start = Instant::now();
        seed(&postgres, connections).await;
        println!("{connections} connections seeded in {:?}", start.elapsed());
        let folder = tempfile::tempdir().unwrap();
        let (node, started_in) = start_node(folder.path(), &postgres, &redis);
        Self { node, folder, postgres, redis, started_in }
    }

    /// Ten changes at one node, each seen at the other.
    async fn time_to_reach_the_other_node(&self) {
        let folder = self.folder.path().join("other");
        std::fs::create_dir(&folder).unwrap();
        let (other, _) = start_node(&folder, &self.postgres, &self.redis);
        let (http, mut times) = (app::client(), Vec::new());
        for i in 0..10 {
            let name = format!("Display name {i}");
            let shown = async |node: &BinaryApp| {
                home_realm(&http, node, 0).await["connection"]["display_name"] == name
            };
            let path = format!("{}/api/v1/connections/c0", self.node.issuer);
            let patch = http
                .patch(path)
                .bearer_auth(ADMIN_TOKEN)
                .header("content-type", "application/json");
            let answer =
                patch.body(json!({"display_name": name}).to_string()).send().await.unwrap();
            assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
            let start = Instant::now();
            while !shown(&other).await {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            times.push(start.elapsed());
        }
        times.sort();
        println!("a change reaches the other node: median {:?}, longest {:?}", times[5], times[9]);
    }
}

/// Straight through the catalog, as the management API would, a thousand at a time.
async fn seed(postgres: &Postgres, count: usize) {
    let catalog = Catalog::open(&postgres.url(), &sealer()).await.unwrap();
    let all: Vec<usize> = (0..count).collect();
    for some in all.chunks(1000) {
        catalog.insert_all(some.iter().map(|i| connection(*i)).collect()).await.unwrap();
    }
    catalog.insert(&client()).await.unwrap();
    catalog.close().await;
}

fn start_node(folder: &Path, postgres: &Postgres, redis: &Redis) -> (BinaryApp, Duration) {
    let key = folder.join("master.key");
    std::fs::write(&key, "5a".repeat(32)).unwrap();
    let port = app::free_port();
    let config = format!(
        "issuer = \"http://localhost:{port}\"\nlisten = \"127.0.0.1:{port}\"\n[database]\nurl = \"{}\"\n[sessions]\n\
         url = \"{}\"\n[admin]\ntoken = \"{ADMIN_TOKEN}\"\n[keys]\nmaster_key_file = \"{}\"\n[limits]\nenabled = false\n",
        postgres.url(),
        redis.url(),
        key.display()
    );
    let start = Instant::now();
    let this = std::env::current_exe().unwrap();
    (BinaryApp::spawn(this.to_str().unwrap(), folder, &config), start.elapsed())
}

fn sealer() -> Sealer {
    Sealer::new(&MasterKey::new([0x5a; 32])).unwrap()
}

/// Every second one has two domains.
fn connection(i: usize) -> Connection {
    let mut domains = vec![format!("d{i}.example")];
    if i.is_multiple_of(2) {
        domains.push(format!("e{i}.example"));
    }
    serde_json::from_value(json!({
        "id": format!("con_{i}"), "name": format!("c{i}"), "vendor": "generic", "organization": null,
        "display_name": format!("Connection {i}"), "domains": domains, "is_domain_connection": true, "enabled": true,
        "clients": ["*"], "strategy": "oidc", "claims": {}, "created_at": NOW, "updated_at": NOW,
        "options": {"issuer": format!("https://idp{i}.example"), "client_id": "x", "sealed_client_secret": null,
            "scopes": ["openid"], "response_mode": null, "token_endpoint_auth_method": null, "acr_values": [],
            "upstream_params": {}, "foreign_domains": "refuse", "tenant": null, "allowed_tenants": [],
            "authority": null, "clock_skew_seconds": 60}
    }))
    .unwrap()
}

fn client() -> Client {
    serde_json::from_value(json!({
        "client_id": "portal", "client_name": "Portal", "kind": "first_party", "organization": null,
        "redirect_uris": [], "grant_types": ["authorization_code"], "token_endpoint_auth_method": "none",
        "connections": null, "id_token_signed_response_alg": "RS256", "client_uri": null,
        "initiate_login_uri": null, "enabled": true, "created_at": NOW, "updated_at": NOW
    }))
    .unwrap()
}

async fn home_realm(http: &Http, node: &BinaryApp, i: usize) -> Value {
    let url = format!("{}/home-realm?client_id=portal&email=a%40d{i}.example", node.issuer);
    let answer = http.get(url).send().await.unwrap();
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

/// p50 and p99, one after the other over one connection.
async fn percentiles(site: &Site, which: impl Fn(usize) -> usize) -> (Duration, Duration) {
    let http = app::client();
    let mut times = Vec::with_capacity(LOOK_UPS);
    for i in 0..LOOK_UPS {
        let which = which(i);
        let start = Instant::now();
        let answer = home_realm(&http, &site.node, which).await;
        times.push(start.elapsed());
        assert_eq!(answer["connection"]["name"], format!("c{which}"), "{answer}");
    }
    times.sort();
    (times[LOOK_UPS / 2], times[LOOK_UPS * 99 / 100])
}

fn print(what: &str, (p50, p99): (Duration, Duration), (base, _): (Duration, Duration)) {
    let ratio = p50.as_secs_f64() / base.as_secs_f64();
    println!("/home-realm, {what}: p50 {p50:?} ({ratio:.2} x), p99 {p99:?}");
}

fn resident(node: &BinaryApp) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}
