//! A PostgreSQL server as a process of its own on a free port. Skipped, with a printed line, where it is not installed.

use std::fmt;
use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::app::free_port;

/// One server with databases of its own; ends with this value, and with this process however that ends.
pub struct Postgres {
    /// On 127.0.0.1.
    pub port: u16,
    programs: PathBuf,
    folder: TempDir,
    keeper: Option<Child>,
    lasting: bool,
}

/// An empty database on a server; dropped with this value.
#[derive(Debug)]
pub struct Database {
    /// `postgres://…`
    pub url: String,
    name: String,
    port: String,
    dropdb: String,
}

/// The server refuses to run as root: then it runs as this user.
const USER: &str = "postgres";

/// The end of standard input ends the server as a crash does, so none outlives the tests.
const KEEPER: &str = r#"exec 3<&0
"$@" </dev/null 3<&- & server=$!
{ cat <&3 >/dev/null; kill -QUIT "$server"; } 2>/dev/null &
exec 3<&-
wait "$server"
[ -z "$REMOVED_AT_THE_END" ] || rm -rf "$REMOVED_AT_THE_END""#;

impl Postgres {
    /// A fresh server that takes every local connection.
    pub async fn start(what: &str) -> Option<Self> {
        Self::with(what, false).await
    }

    /// A server for as long as this process lives, which takes its folder with it: for a value that is never dropped. It
    /// never waits for the disk.
    pub async fn lasting() -> Option<Self> {
        let mut server = Self::with("everything", true).await?;
        server.folder.disable_cleanup(true);
        Some(server)
    }

    async fn with(what: &str, lasting: bool) -> Option<Self> {
        let Some(programs) = programs() else {
            println!(
                "skipped: {what}: PostgreSQL is not installed (see scripts/install-test-tools)"
            );
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        if is_root() {
            chown(folder.path(), Some(id_of_user()), None).unwrap();
        }
        let mut server = Self { port: free_port(), programs, folder, keeper: None, lasting };
        let data = server.data();
        let initdb = server.program("initdb");
        let made = as_user(&[
            &initdb,
            "-D",
            &data,
            "-A",
            "trust",
            "-U",
            USER,
            "-N",
            "-E",
            "UTF8",
            "--locale=C",
        ])
        .current_dir(server.folder.path())
        .stdout(Stdio::null())
        .status()
        .unwrap();
        assert!(made.success(), "initdb failed");
        server.restart().await;
        Some(server)
    }

    /// `postgres://…`
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// An empty database of its own.
    #[must_use]
    pub fn database(&self, name: &str) -> Database {
        let port = self.port.to_string();
        let made = Command::new(self.program("createdb")).args(client(&port)).arg(name).output();
        let made = made.unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let (name, dropdb) = (name.to_owned(), self.program("dropdb"));
        Database { url: self.url_of(&name), name, port, dropdb }
    }

    /// A database of a user who may do nothing else: `postgres://USER:PASSWORD@…`.
    #[must_use]
    pub fn database_of(&self, user: &str) -> Database {
        let port = self.port.to_string();
        let made = Command::new(self.program("createuser")).args(client(&port)).arg(user).status();
        assert!(made.unwrap().success());
        let mut database = self.database(user);
        let command = format!("ALTER DATABASE {user} OWNER TO {user}");
        let given = Command::new(self.program("psql"))
            .args(client(&port))
            .args(["-q", "-c", &command, "postgres"])
            .status();
        assert!(given.unwrap().success());
        database.url = format!("postgres://{user}@127.0.0.1:{port}/{user}");
        database
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// Ends it as a crash does: nothing is finished, nothing flushed.
    pub fn crash(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            drop(keeper.wait());
        }
    }

    /// After [`Self::crash`], with the files that it left.
    pub async fn restart(&mut self) {
        let (port, data) = (self.port.to_string(), self.data());
        let folder = self.folder.path().display().to_string();
        let postgres = self.program("postgres");
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        let mut command =
            vec!["sh", "-c", KEEPER, "sh", &postgres, "-D", &data, "-p", &port, "-k", &folder];
        command.extend(["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"]);
        if self.lasting {
            command.extend(["-c", "fsync=off"]);
        }
        let keeper = as_user(&command)
            .env("REMOVED_AT_THE_END", if self.lasting { &folder } else { "" })
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.keeper = Some(keeper);
        for _ in 0..300 {
            let ready = Command::new(self.program("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-p", &port])
                .status();
            if ready.unwrap().success() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("PostgreSQL did not start:\n{}", fs::read_to_string(self.log()).unwrap_or_default());
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }

    fn program(&self, name: &str) -> String {
        self.programs.join(name).display().to_string()
    }
}

/// How a program of PostgreSQL finds the server.
fn client(port: &str) -> [&str; 6] {
    ["-h", "127.0.0.1", "-p", port, "-U", USER]
}

/// The newest version that is installed where Debian installs it.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let bins = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    bins.filter(|bin| bin.join("initdb").exists()).max_by_key(|bin| version(bin))
}

fn version(bin: &Path) -> u32 {
    let name = bin.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    name.and_then(|name| name.parse().ok()).unwrap_or_default()
}

fn as_user(command: &[&str]) -> Command {
    let other = ["runuser", "-u", USER, "--"];
    let all: Vec<&str> = if is_root() { [&other, command].concat() } else { command.to_vec() };
    let mut process = Command::new(all[0]);
    process.args(&all[1..]);
    process
}

fn is_root() -> bool {
    number_from("id", &["-u"]) == 0
}

fn id_of_user() -> u32 {
    number_from("id", &["-u", USER])
}

fn number_from(program: &str, arguments: &[&str]) -> u32 {
    let output = Command::new(program).args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().parse().unwrap()
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.crash();
    }
}

/// A broker that is still on it loses it.
impl Drop for Database {
    fn drop(&mut self) {
        let mut command = Command::new(&self.dropdb);
        command.args(client(&self.port)).args(["--force", &self.name]).stderr(Stdio::null());
        drop(command.status());
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Postgres({})", self.port)
    }
}
