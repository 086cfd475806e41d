//! Several brokers in this process on one PostgreSQL and one Redis, behind a load balancer.

use std::net::SocketAddr;
use std::sync::Arc;

use broker::app::App;
use broker::config::Config;
use broker::startup::{self, Running, Startup};
use homerealm_certs::SystemRandom;
use tempfile::TempDir;

use crate::app::{ADMIN_TOKEN, TestApp};
use crate::balancer::Balancer;
use crate::clock::ShiftedClock;
use crate::postgres::Postgres;
use crate::redis::Redis;
use crate::scene::Scene;

/// The brokers and what they stand on.
#[derive(Debug)]
pub struct Cluster {
    /// Acme, its API and app, at the balancer's address.
    pub scene: Arc<Scene>,
    /// In front of the brokers.
    pub balancer: Balancer,
    /// Below them.
    pub postgres: Postgres,
    nodes: Vec<Running>,
    folder: TempDir,
    clock: Arc<ShiftedClock>,
    _redis: Redis,
}

impl Cluster {
    /// With this many nodes; `None`, and a printed line, where a server is not installed.
    pub async fn start(what: &str, nodes: usize) -> Option<Self> {
        let postgres = Postgres::start(what).await?;
        let redis = Redis::start(what, &[]).await?;
        let (folder, balancer) = (tempfile::tempdir().unwrap(), Balancer::start());
        std::fs::write(folder.path().join("master.key"), "5a".repeat(32)).unwrap();
        let settings = settings(&folder, &balancer, &postgres, &redis);
        let clock = Arc::new(ShiftedClock::default());
        let mut running = Vec::with_capacity(nodes);
        for _ in 0..nodes {
            running.push(node(&settings, &clock).await);
        }
        balancer.set(&addresses(&running));
        balancer.until_ready(nodes).await;
        let issuer = format!("http://localhost:{}", balancer.port);
        let scene = Arc::new(Scene::with(TestApp::at(&issuer, Arc::clone(&clock))).await);
        Some(Self { scene, balancer, postgres, nodes: running, folder, clock, _redis: redis })
    }

    /// What the handlers of a node see.
    #[must_use]
    pub fn app(&self, node: usize) -> &Arc<App> {
        &self.nodes[node].app
    }

    /// The address of a node itself.
    #[must_use]
    pub fn address(&self, node: usize) -> SocketAddr {
        self.nodes[node].address
    }

    /// Stops a node as an operator does, and starts another in its place.
    pub async fn restart(&mut self, node: usize) {
        let old = self.nodes.remove(node);
        old.stop().await;
        let settings = std::fs::read_to_string(self.folder.path().join("homerealm.toml")).unwrap();
        self.nodes.insert(node, self::node(&settings, &self.clock).await);
        self.balancer.set(&addresses(&self.nodes));
        self.balancer.until_ready(self.nodes.len()).await;
    }

    /// Stops them all.
    pub async fn stop(self) {
        for node in self.nodes {
            node.stop().await;
        }
    }
}

fn settings(folder: &TempDir, balancer: &Balancer, postgres: &Postgres, redis: &Redis) -> String {
    let text = format!(
        r#"
        issuer = "http://localhost:{}"
        listen = "127.0.0.1:0"
        [database]
        url = "{}"
        [sessions]
        url = "{}"
        [admin]
        token = "{ADMIN_TOKEN}"
        [http]
        drain_seconds = 1
        [upstream]
        allow_http = true
        allow_private_addresses = true
        [keys]
        master_key_file = "{}"
        [limits]
        enabled = false
        "#,
        balancer.port,
        postgres.url(),
        redis.url(),
        folder.path().join("master.key").display()
    );
    std::fs::write(folder.path().join("homerealm.toml"), &text).unwrap();
    text
}

async fn node(settings: &str, clock: &Arc<ShiftedClock>) -> Running {
    let config = Config::from_toml(settings, []).unwrap();
    let (clock, random) = (Arc::clone(clock), Arc::new(SystemRandom));
    startup::start(Startup { config, clock, random }).await.unwrap()
}

fn addresses(nodes: &[Running]) -> Vec<SocketAddr> {
    nodes.iter().map(|node| node.address).collect()
}
