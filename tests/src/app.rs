//! The broker under test: in process, or the real binary.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use broker::config::Config;
use broker::startup::{self, Running, Startup};
use chrono::TimeDelta;
use homerealm_certs::SystemRandom;
use reqwest::Client;

use crate::admin::Admin;
use crate::balancer::Balancer;
use crate::clock::ShiftedClock;
use crate::redis::Redis;
use crate::state::{self, Ground, State};

/// The bootstrap token of every broker under test.
pub const ADMIN_TOKEN: &str = "a-bootstrap-token-for-tests-of-40-letters";

/// A broker in this process, or two behind a balancer: see [`state`].
#[derive(Debug)]
pub struct TestApp {
    /// Its public base URL: `http://localhost:PORT`.
    pub issuer: String,
    /// Its operator.
    pub admin: Admin,
    /// Its clock.
    pub clock: Arc<ShiftedClock>,
    /// A client without cookies that follows nothing.
    pub http: Client,
    nodes: Vec<Running>,
    balancer: Option<Balancer>,
    ground: Option<Ground>,
}

impl TestApp {
    /// Starts on a free port.
    pub async fn spawn() -> Self {
        Self::spawn_before(TimeDelta::zero()).await
    }

    /// Starts on a free port, and has run for a while.
    pub async fn spawn_before(running_for: TimeDelta) -> Self {
        Self::spawn_with(running_for, "").await
    }

    /// As [`Self::spawn_before`], with more settings: tables of their own.
    pub async fn spawn_with(running_for: TimeDelta, more: &str) -> Self {
        let clock = Arc::new(ShiftedClock::default());
        clock.advance(-running_for);
        let two = State::of_this_run() == State::TwoNodes;
        let mut app = Self::at("", Arc::clone(&clock));
        app.ground = Some(Ground::fresh(more).await);
        app.balancer = two.then(Balancer::start);
        app.start(&if two { vec![0, 0] } else { vec![0] }).await;
        clock.advance(running_for);
        app.issuer = app.nodes[0].issuer().as_str().to_owned();
        app.admin = Admin::new(app.http.clone(), &app.issuer, ADMIN_TOKEN);
        app.admin.nodes_are(&app.addresses());
        app
    }

    /// A broker that somebody else started, and stops.
    #[must_use]
    pub fn at(issuer: &str, clock: Arc<ShiftedClock>) -> Self {
        let http = client();
        let admin = Admin::new(http.clone(), issuer, ADMIN_TOKEN);
        let issuer = issuer.to_owned();
        Self { issuer, admin, clock, http, nodes: Vec::new(), balancer: None, ground: None }
    }

    /// An address of this broker.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// Where its nodes themselves listen; one unless this run has two.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.address).collect()
    }

    /// Stops it, all nodes at once, and starts it again with its state and on its ports.
    pub async fn restart(&mut self) {
        let ports: Vec<u16> = self.nodes.iter().map(|node| node.address.port()).collect();
        for node in self.nodes.drain(..) {
            node.stop().await;
        }
        self.start(&ports).await;
        self.admin.nodes_are(&self.addresses());
    }

    /// The Redis below it, and what its keys begin with, where this run has one.
    #[must_use]
    pub fn redis(&self) -> Option<(&'static Redis, &str)> {
        self.ground.as_ref()?.redis()
    }

    /// The folder with its state, where this run is embedded.
    ///
    /// # Panics
    /// Where somebody else started it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.ground.as_ref().unwrap().folder()
    }

    async fn start(&mut self, ports: &[u16]) {
        let (ground, balancer) = (self.ground.as_ref().unwrap(), self.balancer.as_ref());
        let in_front = balancer.map(|b| format!("issuer = \"http://localhost:{}\"\n", b.port));
        for port in ports {
            let listen = format!("listen = \"127.0.0.1:{port}\"\n");
            let text = ground.config(&(in_front.clone().unwrap_or_default() + &listen));
            let config = Config::from_toml(&text, []).unwrap();
            let (clock, random) = (Arc::clone(&self.clock), Arc::new(SystemRandom));
            self.nodes.push(startup::start(Startup { config, clock, random }).await.unwrap());
        }
        if let Some(balancer) = balancer {
            balancer.set(&self.addresses());
            balancer.until_ready(self.nodes.len()).await;
        }
    }
}

/// The settings of a broker on the embedded engines in this folder.
#[must_use]
pub fn settings(folder: &Path, port: u16) -> String {
    let database = format!("sqlite:{}/hr.db", folder.display());
    format!("listen = \"127.0.0.1:{port}\"\n{}", state::settings(&database, ""))
}

/// Follows nothing, keeps nothing.
#[must_use]
pub fn client() -> Client {
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tls_certs_only([])
        .timeout(Duration::from_secs(60))
        // a server may close a connection that has been idle for 5 s at the moment when it is used again, which no client can tell
        // from a request that was lost
        .pool_idle_timeout(Duration::from_secs(2))
        .build()
        .unwrap()
}

/// A port that was free a moment ago.
#[must_use]
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The program in a folder, without the settings of these tests in its environment.
#[must_use]
pub fn command(binary: &str, folder: &Path) -> Command {
    let mut command = Command::new(binary);
    let ours = std::env::vars_os().filter(|(n, _)| n.to_string_lossy().starts_with("HOMEREALM_"));
    for (name, _) in ours {
        command.env_remove(name);
    }
    command.current_dir(folder).env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

/// `homerealm serve` as a process of its own.
#[derive(Debug)]
pub struct BinaryApp {
    /// Its public base URL.
    pub issuer: String,
    /// What it printed until it served.
    pub banner: String,
    child: Child,
}

impl BinaryApp {
    /// Starts it with a configuration file in `folder`, and waits for the line that names its issuer.
    #[must_use]
    pub fn spawn(binary: &str, folder: &Path, config: &str) -> Self {
        let file = folder.join("homerealm.toml");
        std::fs::write(&file, config).unwrap();
        let mut command = command(binary, folder);
        command.args(["serve", "--config"]).arg(&file);
        Self::serve(&mut command, &folder.join("serve.log"))
    }

    /// Starts what serves, and waits for the line that names its issuer.
    #[must_use]
    pub fn serve(command: &mut Command, log: &Path) -> Self {
        let output = std::fs::File::create(log).unwrap();
        let child = command.stdout(Stdio::piped()).stderr(output).spawn().unwrap();
        let mut app = Self { issuer: String::new(), banner: String::new(), child };
        let lines = BufReader::new(app.child.stdout.take().unwrap()).lines();
        for line in lines.map_while(Result::ok) {
            app.banner.push_str(&line);
            app.banner.push('\n');
            let mut words = line.split([' ', ',', ';']).map(|word| word.trim_end_matches('.'));
            if let Some(issuer) = words.find(|word| word.starts_with("http://")) {
                issuer.clone_into(&mut app.issuer);
                return app;
            }
        }
        let log = std::fs::read_to_string(log).unwrap_or_default();
        panic!("it did not serve\n{}\n{log}", app.banner);
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM and gives the exit code.
    pub fn terminate(&mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for BinaryApp {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs the program to its end: exit code, standard output, standard error.
///
/// # Panics
/// Where it was ended by a signal.
#[must_use]
pub fn run(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().expect("it ends by itself"), text(stdout), text(stderr))
}
