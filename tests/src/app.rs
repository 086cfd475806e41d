//! The broker under test: in process, or the real binary.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use broker::config::Config;
use broker::startup::{self, Running, Startup};
use chrono::TimeDelta;
use homerealm_certs::SystemRandom;
use reqwest::Client;
use tempfile::TempDir;

use crate::admin::Admin;
use crate::clock::ShiftedClock;

/// The bootstrap token of every broker under test.
pub const ADMIN_TOKEN: &str = "a-bootstrap-token-for-tests-of-40-letters";

/// A broker in this process, with a folder of its own.
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
    running: Option<Running>,
    folder: TempDir,
    more: String,
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
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ShiftedClock::default());
        clock.advance(-running_for);
        let running = start(folder.path(), 0, more, Arc::clone(&clock)).await;
        clock.advance(running_for);
        let issuer = running.issuer().as_str().to_owned();
        let http = client();
        let admin = Admin::new(http.clone(), &issuer, ADMIN_TOKEN);
        Self { issuer, admin, clock, http, running: Some(running), folder, more: more.to_owned() }
    }

    /// A broker that somebody else started, and stops.
    #[must_use]
    pub fn at(issuer: &str, clock: Arc<ShiftedClock>) -> Self {
        let (folder, http) = (tempfile::tempdir().unwrap(), client());
        let admin = Admin::new(http.clone(), issuer, ADMIN_TOKEN);
        Self {
            issuer: issuer.to_owned(),
            admin,
            clock,
            http,
            more: String::new(),
            running: None,
            folder,
        }
    }

    /// An address of this broker.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// Stops it, and starts it again on its folder and port.
    pub async fn restart(&mut self) {
        let running = self.running.take().unwrap();
        let port = running.address.port();
        running.stop().await;
        self.running =
            Some(start(self.folder.path(), port, &self.more, Arc::clone(&self.clock)).await);
    }

    /// The folder with its state.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

async fn start(folder: &Path, port: u16, more: &str, clock: Arc<ShiftedClock>) -> Running {
    let config = Config::from_toml(&format!("{}{more}", settings(folder, port)), []).unwrap();
    let random = Arc::new(SystemRandom);
    startup::start(Startup { config, clock, random }).await.unwrap()
}

/// Upstreams live on loopback, with http; the limits have tests of their own.
#[must_use]
pub fn settings(folder: &Path, port: u16) -> String {
    format!(
        r#"
        listen = "127.0.0.1:{port}"
        [database]
        url = "sqlite:{}/hr.db"
        [admin]
        token = "{ADMIN_TOKEN}"
        [upstream]
        allow_http = true
        allow_private_addresses = true
        [limits]
        enabled = false
        "#,
        folder.display()
    )
}

/// Follows nothing, keeps nothing.
#[must_use]
pub fn client() -> Client {
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tls_certs_only([])
        .timeout(Duration::from_secs(60))
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
        let child = command(binary, folder)
            .args(["serve", "--config"])
            .arg(&file)
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(folder.join("serve.log")).unwrap())
            .spawn()
            .unwrap();
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
        let log = std::fs::read_to_string(folder.join("serve.log")).unwrap_or_default();
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
