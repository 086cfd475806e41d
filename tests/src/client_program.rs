//! Client programs of other ecosystems: real libraries, one process each, and a browser that goes where they send it.
//!
//! One JSON value a line (`tests/peers/clients/lines.mjs`): the settings in, `{"open": URL}` out, `{"at": URL}` in where the
//! browser came to rest, and at the end `{"done": …}` or `{"failed": …}`.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::peers;

/// A client's library, and how its program is started.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Library {
    /// Python.
    Authlib,
    /// golang.org/x/oauth2 and go-oidc.
    Go,
    /// Java: the Nimbus OAuth SDK.
    Nimbus,
    /// Node.
    Oauth4webapi,
    /// Node.
    OpenidClient,
    /// Python.
    RequestsOauthlib,
}

/// A running client.
#[derive(Debug)]
pub struct ClientProgram {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

/// What a client says.
#[derive(Debug)]
pub enum Said {
    /// The user's browser goes there.
    Open(String),
    /// The end: what it has.
    Done(Value),
}

impl ClientProgram {
    /// Starts it with its settings; `None` (and one printed line) where it is not installed.
    ///
    /// # Panics
    /// Where it cannot be started.
    #[must_use]
    pub fn start(library: Library, settings: &Value) -> Option<Self> {
        let folder = peers::folder(library.name())?;
        let (program, arguments) = library.command(&folder);
        if !program.starts_with("node") && !Path::new(&program).exists() && program != "java" {
            println!("skipped: {}: it could not be installed here", library.name());
            return None;
        }
        if library == Library::Nimbus && !folder.join("java/classes").exists() {
            println!("skipped: Nimbus: it could not be built here");
            return None;
        }
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut client = Self { child, input, lines };
        client.tell(settings);
        Some(client)
    }

    /// The next thing that it wants.
    ///
    /// # Panics
    /// Where it failed, with its error.
    pub fn says(&mut self) -> Said {
        let line = tokio::task::block_in_place(|| self.lines.next());
        let line = line.expect("the client ended without a word").unwrap();
        let mut said: Value = serde_json::from_str(&line).unwrap();
        if let Some(url) = said["open"].as_str() {
            return Said::Open(url.to_owned());
        }
        assert!(said["failed"].is_null(), "the client failed: {:#}", said["failed"]);
        Said::Done(said["done"].take())
    }

    /// Where the browser came to rest.
    pub fn came_to(&mut self, url: &str) {
        self.tell(&json!({"at": url}));
    }

    fn tell(&mut self, value: &Value) {
        writeln!(self.input, "{value}").unwrap();
    }
}

impl Drop for ClientProgram {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Library {
    const fn name(self) -> &'static str {
        match self {
            Self::Authlib => "Authlib",
            Self::Go => "golang.org/x/oauth2 and go-oidc",
            Self::Nimbus => "Nimbus",
            Self::Oauth4webapi => "oauth4webapi",
            Self::OpenidClient => "openid-client",
            Self::RequestsOauthlib => "requests-oauthlib",
        }
    }

    fn command(self, peers: &Path) -> (String, Vec<String>) {
        let script = |name: &str| peers::script(&format!("clients/{name}"));
        let python = || peers.join("venv/bin/python").display().to_string();
        match self {
            Self::Authlib => (python(), vec![script("authlib_client.py")]),
            Self::RequestsOauthlib => (python(), vec![script("requests_oauthlib_client.py")]),
            Self::OpenidClient => ("node".to_owned(), vec![script("openid_client.mjs")]),
            Self::Oauth4webapi => ("node".to_owned(), vec![script("oauth4webapi.mjs")]),
            Self::Go => (peers.join("go-client").display().to_string(), Vec::new()),
            Self::Nimbus => {
                let java = peers.join("java");
                let path = format!("{0}/classes:{0}/lib/*", java.display());
                ("java".to_owned(), vec!["-cp".to_owned(), path, "NimbusClient".to_owned()])
            }
        }
    }
}
