//! Brokers as processes of their own behind a load balancer, with an operator, an app and IdPs: what can be killed.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use crate::app::{BinaryApp, TestApp, free_port};
use crate::balancer::Balancer;
use crate::clock::ShiftedClock;
use crate::sample_idps::SampleIdps;
use crate::scene::Scene;
use crate::state;

/// How long a used refresh token still brings its successor here.
pub const GRACE: Duration = Duration::from_secs(2);

/// Ends with this value.
#[derive(Debug)]
pub struct Site {
    /// Acme, its API, app and IdPs, at the balancer's address.
    pub scene: Arc<Scene>,
    /// In front of the brokers; its 502 is what a browser sees of a broker that was killed.
    pub balancer: Balancer,
    processes: Processes,
    _folder: TempDir,
    _idps: SampleIdps,
}

#[derive(Debug)]
struct Processes {
    nodes: Vec<Node>,
    issuer: String,
    /// All but the keys of the first level.
    settings: String,
    binary: String,
}

#[derive(Debug)]
struct Node {
    address: SocketAddr,
    folder: PathBuf,
    process: Option<BinaryApp>,
}

impl Site {
    /// One node with everything in its folder.
    pub async fn embedded(binary: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite:{}/hr.db", folder.path().display());
        Self::start(binary, folder, state::settings(&database, ""), 1).await
    }

    /// Two nodes on a PostgreSQL and the Redis of this `sessions.url`.
    pub async fn shared(binary: &str, database: &str, sessions: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("master.key");
        std::fs::write(&key, "5a".repeat(32)).unwrap();
        let more = format!(
            "[sessions]\nurl = \"{sessions}\"\n[keys]\nmaster_key_file = \"{}\"\n",
            key.display()
        );
        Self::start(binary, folder, state::settings(database, &more), 2).await
    }

    async fn start(binary: &str, folder: TempDir, mut settings: String, count: usize) -> Self {
        settings.push_str(&format!("[refresh_tokens]\ngrace_seconds = {}\n", GRACE.as_secs()));
        let balancer = Balancer::start();
        let issuer = format!("http://localhost:{}", balancer.port);
        let node = |number: usize| {
            let folder = folder.path().join(format!("node{number}"));
            std::fs::create_dir(&folder).unwrap();
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
            Node { address, folder, process: None }
        };
        let nodes: Vec<Node> = (0..count).map(node).collect();
        balancer.set(&nodes.iter().map(|node| node.address).collect::<Vec<_>>());
        let app = TestApp::at(&issuer, Arc::new(ShiftedClock::default()));
        let mut processes = Processes { nodes, settings, issuer, binary: binary.to_owned() };
        for number in 0..count {
            processes.start(number).await;
        }
        balancer.until_ready(count).await;
        let refreshes = json!({"grant_types": ["authorization_code", "refresh_token"]});
        let scene = Arc::new(Scene::with_client(app, &refreshes).await);
        let idps = SampleIdps::start();
        idps.connect(&scene).await;
        Self { scene, balancer, processes, _folder: folder, _idps: idps }
    }

    /// Where the nodes themselves listen.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.processes.nodes.iter().map(|node| node.address).collect()
    }

    /// `kill -9`
    pub fn kill(&mut self, node: usize) {
        drop(self.processes.nodes[node].process.take());
    }

    /// After [`Self::kill`], with what it left; once it is ready.
    pub async fn restart(&mut self, node: usize) {
        self.processes.start(node).await;
        self.balancer.until_ready(self.processes.nodes.len()).await;
    }

    /// What the nodes logged since they were started last, for the output of a failing test.
    #[must_use]
    pub fn logs(&self) -> String {
        let read = |node: &Node| {
            let log = std::fs::read_to_string(node.folder.join("serve.log")).unwrap_or_default();
            let lines: Vec<&str> = log.lines().filter(|l| !l.contains(" INFO ")).collect();
            lines[lines.len().saturating_sub(40)..].join("\n")
        };
        self.processes.nodes.iter().map(read).collect::<Vec<_>>().join("\n-- the next node\n")
    }
}

impl Processes {
    async fn start(&mut self, number: usize) {
        let Self { nodes, issuer, settings, binary } = self;
        let (binary, folder) = (binary.clone(), nodes[number].folder.clone());
        let listen = nodes[number].address;
        let config = format!("issuer = \"{issuer}\"\nlisten = \"{listen}\"\n{settings}");
        let started =
            tokio::task::spawn_blocking(move || BinaryApp::spawn(&binary, &folder, &config));
        nodes[number].process = Some(started.await.unwrap());
    }
}
