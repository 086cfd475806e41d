//! Redis servers as processes of their own on free ports: one, with a replica, under Sentinel, as a cluster; and what can happen
//! to them. Skipped, with a printed line, where `redis-server` is not installed.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

use crate::app::free_port;

/// One server; ends with this value, and with this process however that ends.
pub struct Redis {
    /// On 127.0.0.1.
    pub port: u16,
    arguments: Vec<String>,
    folder: PathBuf,
    child: Child,
    _own: Option<TempDir>,
}

/// Faults take all of a small machine: one such test at a time.
pub async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}

/// Whether the servers are there; says what was skipped where not.
#[must_use]
pub fn is_installed(what: &str) -> bool {
    let there = |program: &str| {
        Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok()
    };
    let installed = there("redis-server") && there("redis-cli");
    if !installed {
        println!("skipped: {what}: redis-server is not installed (see scripts/install-test-tools)");
    }
    installed
}

/// The end of standard input ends the server, so none outlives the tests.
const KEEPER: &str = r#"exec 3<&0
"$@" </dev/null 3<&- & server=$!
echo "$server" > server.pid
{ cat <&3 >/dev/null; kill -9 "$server"; } 2>/dev/null &
exec 3<&-
wait "$server"
[ -z "$REMOVED_AT_THE_END" ] || rm -rf "$REMOVED_AT_THE_END""#;

impl Redis {
    /// A server with append-only file and without eviction, in a folder of its own.
    pub async fn start(what: &str, more: &[&str]) -> Option<Self> {
        if !is_installed(what) {
            return None;
        }
        let own = tempfile::tempdir().unwrap();
        let mut redis = Self::start_in(own.path(), more).await;
        redis._own = Some(own);
        Some(redis)
    }

    /// A server for as long as this process lives, which takes its folder with it: for a value that is never dropped.
    pub async fn lasting() -> Option<Self> {
        if !is_installed("everything") {
            return None;
        }
        let folder = tempfile::tempdir().unwrap().keep();
        let (port, arguments) = Self::arguments(&[]);
        Some(Self::run(&folder, port, arguments, Some(&folder)).await)
    }

    /// As [`Self::start`], in this folder.
    pub async fn start_in(folder: &Path, more: &[&str]) -> Self {
        let (port, arguments) = Self::arguments(more);
        Self::run(folder, port, arguments, None).await
    }

    fn arguments(more: &[&str]) -> (u16, Vec<String>) {
        let port = free_port();
        let own = ["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""];
        let kept = ["--appendonly", "yes", "--enable-debug-command", "local"];
        let fast = ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"];
        let all = ["redis-server"].into_iter().chain(own).chain(kept).chain(fast);
        (port, all.chain(more.iter().copied()).map(ToOwned::to_owned).collect())
    }

    /// A sentinel that watches `primary` as `mymaster`.
    pub async fn sentinel(folder: &Path, primary: &Self) -> Self {
        let port = free_port();
        let file = folder.join("sentinel.conf");
        let text = format!(
            "port {port}\nbind 127.0.0.1\nsentinel monitor mymaster 127.0.0.1 {} 2\n\
             sentinel down-after-milliseconds mymaster 1000\nsentinel failover-timeout mymaster 5000\n",
            primary.port
        );
        fs::write(&file, text).unwrap();
        let arguments = ["redis-server", &file.display().to_string(), "--sentinel"];
        Self::run(folder, port, arguments.map(ToOwned::to_owned).to_vec(), None).await
    }

    async fn run(folder: &Path, port: u16, arguments: Vec<String>, removed: Option<&Path>) -> Self {
        let child = keep(folder, &arguments, removed);
        let redis = Self { port, arguments, folder: folder.to_owned(), child, _own: None };
        redis.until("it answers", || redis.cli(&["ping"]).contains("PONG")).await;
        redis
    }

    /// `redis://127.0.0.1:PORT/`
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Whether a replica is connected and has confirmed something: `state=online` alone is said before its stream begins.
    #[must_use]
    pub fn has_replica(&self) -> bool {
        let info = self.cli(&["info", "replication"]);
        let of_replica = |line: &&str| line.starts_with("slave") && line.contains("state=online");
        info.lines().filter(of_replica).any(|line| !line.contains(",offset=0,"))
    }

    /// What `redis-cli` prints for a command.
    pub fn cli(&self, command: &[&str]) -> String {
        let port = self.port.to_string();
        let mut password = self.arguments.iter().skip_while(|arg| *arg != "--requirepass").skip(1);
        let mut client = Command::new("redis-cli");
        client.args(["-p", &port]).args(command).env_remove("REDISCLI_AUTH");
        // not an empty one: making a cluster would send it
        if let Some(password) = password.next() {
            client.env("REDISCLI_AUTH", password);
        }
        let output = client.output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Of the keys that begin with `prefix`: how many there are, how many without an end, and the seconds to the last end.
    #[must_use]
    pub fn keys_of(&self, prefix: &str) -> [u64; 3] {
        let script = "local keys, endless, longest = redis.call('KEYS', ARGV[1] .. '*'), 0, 0 \
            for _, key in ipairs(keys) do local left = redis.call('TTL', key) \
            if left < 0 then endless = endless + 1 else longest = math.max(longest, left) end end \
            return {#keys, endless, longest}";
        let answer = self.cli(&["eval", script, "0", prefix]);
        let numbers: Vec<u64> = answer.lines().map(|line| line.parse().unwrap()).collect();
        numbers.try_into().unwrap()
    }

    /// `kill -9`, by its keeper.
    pub fn kill(&mut self) {
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }

    /// After [`Self::kill`], with the files that it left.
    pub async fn restart(&mut self) {
        self.child = keep(&self.folder, &self.arguments, None);
        self.until("it answers again", || self.cli(&["ping"]).contains("PONG")).await;
    }

    /// `-STOP` freezes it, `-CONT` lets it go on.
    pub fn signal(&self, signal: &str) {
        let pid = fs::read_to_string(self.folder.join("server.pid")).unwrap();
        assert!(Command::new("kill").args([signal, pid.trim()]).status().unwrap().success());
    }

    /// Waits for something that takes the servers some time; half a minute at most.
    pub async fn until(&self, what: &str, holds: impl Fn() -> bool) {
        for _ in 0..300 {
            if holds() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let log = fs::read_to_string(self.folder.join("redis.log")).unwrap_or_default();
        panic!("redis on port {} did not come so far that {what}:\n{log}", self.port);
    }
}

fn keep(folder: &Path, arguments: &[String], removed: Option<&Path>) -> Child {
    let _ = fs::remove_file(folder.join("server.pid"));
    let log =
        fs::OpenOptions::new().create(true).append(true).open(folder.join("redis.log")).unwrap();
    Command::new("sh")
        .args(["-c", KEEPER, "sh"])
        .args(arguments)
        .env("REMOVED_AT_THE_END", removed.unwrap_or_else(|| Path::new("")))
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("port", &self.port).finish_non_exhaustive()
    }
}

/// Several servers that belong together, each in a folder of its own.
#[derive(Debug)]
pub struct Servers {
    /// The servers of the data.
    pub nodes: Vec<Redis>,
    /// Who watches them.
    pub sentinels: Vec<Redis>,
    _folder: TempDir,
}

impl Servers {
    /// A primary and a replica that has caught up.
    pub async fn replicated(what: &str) -> Option<Self> {
        if !is_installed(what) {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let primary = Redis::start_in(&subfolder(&folder, "a"), &[]).await;
        let of = primary.port.to_string();
        let replica =
            Redis::start_in(&subfolder(&folder, "b"), &["--replicaof", "127.0.0.1", &of]).await;
        primary.until("its replica has caught up", || primary.has_replica()).await;
        Some(Self { nodes: vec![primary, replica], sentinels: Vec::new(), _folder: folder })
    }

    /// The same with three sentinels that know each other.
    pub async fn watched(what: &str) -> Option<Self> {
        let mut servers = Self::replicated(what).await?;
        for name in ["s1", "s2", "s3"] {
            let folder = subfolder(&servers._folder, name);
            servers.sentinels.push(Redis::sentinel(&folder, &servers.nodes[0]).await);
        }
        for sentinel in &servers.sentinels {
            let knows = || {
                let told = sentinel.cli(&["sentinel", "master", "mymaster"]);
                let value =
                    |name: &str| told.lines().skip_while(|l| *l != name).nth(1).map(str::to_owned);
                value("num-slaves").as_deref() == Some("1")
                    && value("num-other-sentinels").as_deref() == Some("2")
            };
            sentinel.until("it knows replica and sentinels", knows).await;
        }
        Some(servers)
    }

    /// Three primaries with a replica each; the primaries come first.
    pub async fn cluster(what: &str) -> Option<Self> {
        if !is_installed(what) {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let mut nodes = Vec::new();
        for name in ["a", "b", "c", "d", "e", "f"] {
            let bus = free_port().to_string();
            let more = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
            let more: Vec<&str> = more.into_iter().chain(["--cluster-port", &bus]).collect();
            nodes.push(Redis::start_in(&subfolder(&folder, name), &more).await);
        }
        let addresses: Vec<String> =
            nodes.iter().map(|n| format!("127.0.0.1:{}", n.port)).collect();
        let mut create = vec!["--cluster", "create"];
        create.extend(addresses.iter().map(String::as_str));
        create.extend(["--cluster-replicas", "1", "--cluster-yes"]);
        let created = nodes[0].cli(&create);
        assert!(created.contains("All 16384 slots covered"), "{created}");
        nodes[0]
            .until("each primary has its replica", || {
                let rows = nodes[0].cli(&["cluster", "nodes"]);
                let serves = |r: &Redis| r.cli(&["cluster", "info"]).contains("cluster_state:ok");
                rows.matches(" connected").count() == 6
                    && nodes.iter().filter(|r| r.has_replica()).count() == 3
                    && nodes.iter().all(serves)
            })
            .await;
        nodes.sort_by_key(|node| !node.cli(&["role"]).starts_with("master"));
        Some(Self { nodes, sentinels: Vec::new(), _folder: folder })
    }

    /// What `sessions.url` names them by.
    #[must_use]
    pub fn url(&self) -> String {
        let list = |of: &[Redis]| {
            of.iter().map(|r| format!("127.0.0.1:{}", r.port)).collect::<Vec<_>>().join(",")
        };
        if !self.sentinels.is_empty() {
            return format!("redis+sentinel://{}/mymaster", list(&self.sentinels));
        }
        if self.nodes.len() > 2 {
            return format!("redis+cluster://{}", list(&self.nodes));
        }
        self.nodes[0].url()
    }
}

fn subfolder(folder: &TempDir, name: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::create_dir(&path).unwrap();
    path
}
