//! Upstream IdPs that we did not write, as processes of their own on free ports.
//!
//! `HOMEREALM_TEST_PEERS` names the folder that `scripts/install-test-tools` filled; where it is unset, tests say that they
//! were skipped.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;

use crate::app::free_port;

/// A running peer; ends with this value, and with this process however that ends.
pub struct Peer {
    /// `http://127.0.0.1:PORT`
    pub base: String,
    child: Child,
    folder: TempDir,
}

/// The folder of the peers' packages, or one printed line that says what was skipped.
#[must_use]
pub fn folder(what: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("HOMEREALM_TEST_PEERS").map(PathBuf::from);
    if folder.is_none() {
        println!(
            "skipped: {what}: HOMEREALM_TEST_PEERS is not set (see scripts/install-test-tools)"
        );
    }
    folder
}

/// A script of `tests/peers`.
#[must_use]
pub fn script(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name);
    path.canonicalize().unwrap().display().to_string()
}

/// The certified oidc-provider; `callback` is ours. Client `broker`, secret `broker-secret`.
pub async fn oidc_provider(callback: &str, shape: &str, fault: &str) -> Option<Peer> {
    let peers = folder("oidc-provider")?;
    let port = free_port().to_string();
    let program = script("upstream_op.mjs");
    let mut arguments = vec!["node", &program, "--port", &port, "--callback", callback];
    arguments.extend(["--shape", shape]);
    if !fault.is_empty() {
        arguments.extend(["--fault", fault]);
    }
    Some(Peer::start(&peers, &port, &arguments).await)
}

/// Auth0's own IdP library for one ACS.
pub async fn auth0_samlp(acs: &str, more: &[&str]) -> Option<Peer> {
    let peers = folder("samlp")?;
    let port = free_port().to_string();
    let program = script("upstream_auth0_saml.mjs");
    let mut arguments = vec!["node", &program, "--port", &port, "--acs", acs];
    arguments.extend(more);
    Some(Peer::start(&peers, &port, &arguments).await)
}

/// Debian's SimpleSAMLphp for one SP.
pub async fn simplesamlphp(sp_entity_id: &str, acs: &str) -> Option<Peer> {
    let peers = folder("SimpleSAMLphp")?;
    if !Path::new("/usr/share/simplesamlphp/www").exists() {
        println!("skipped: simplesamlphp is not installed");
        return None;
    }
    let port = free_port().to_string();
    let program = script("upstream_simplesamlphp.sh");
    let arguments = [program.as_str(), &port, "FOLDER", sp_entity_id, acs];
    Some(Peer::start(&peers, &port, &arguments).await)
}

/// An IdP made of samael, which `scripts/test` builds.
pub async fn samael(user: &str) -> Option<Peer> {
    let peers = folder("samael's IdP")?;
    let Some(program) = std::env::var("HOMEREALM_TEST_SAMAEL").ok() else {
        println!("skipped: samael's IdP: HOMEREALM_TEST_SAMAEL is not set (see scripts/test)");
        return None;
    };
    let port = free_port().to_string();
    Some(Peer::start(&peers, &port, &[program.as_str(), &port, user]).await)
}

/// pysaml2, one for all tests: it takes any number of SPs, and each request names what it wants.
pub async fn pysaml2() -> Option<&'static Peer> {
    static SHARED: OnceCell<Option<Peer>> = OnceCell::const_new();
    let started = SHARED.get_or_init(|| async {
        let peers = folder("pysaml2")?;
        let port = free_port().to_string();
        let (python, program) =
            (peers.join("venv/bin/python").display().to_string(), script("upstream_saml_idp.py"));
        let arguments = [python.as_str(), &program, "--port", &port, "--work", "FOLDER"];
        Some(Peer::start(&peers, &port, &arguments).await)
    });
    started.await.as_ref()
}

/// Auth0's express-openid-connect as a site of its own; `settings` has `port` and `base` already.
pub async fn express_openid_connect(settings: &serde_json::Value) -> Option<Peer> {
    let peers = folder("express-openid-connect")?;
    let (port, program) = (settings["port"].to_string(), script("clients/express_oidc.mjs"));
    let settings = settings.to_string();
    Some(Peer::start(&peers, &port, &["node", &program, &settings]).await)
}

/// Debian's Apache with mod_auth_openidc as a site; `client` is its id and secret.
pub async fn mod_auth_openidc(port: u16, issuer: &str, client: (&str, &str)) -> Option<Peer> {
    let peers = folder("mod_auth_openidc")?;
    if !Path::new("/usr/lib/apache2/modules/mod_auth_openidc.so").exists() {
        println!("skipped: mod_auth_openidc is not installed");
        return None;
    }
    let (port, program) = (port.to_string(), script("clients/mod_auth_openidc.sh"));
    let arguments = [program.as_str(), &port, "FOLDER", issuer, client.0, client.1];
    Some(Peer::start(&peers, &port, &arguments).await)
}

/// The end of standard input ends the peer, so none outlives the tests, not even a kill.
const KEEPER: &str = r#"exec 3<&0
"$@" </dev/null 3<&- & peer=$!
{ cat <&3 >/dev/null; kill "$peer"; } 2>/dev/null &
exec 3<&-
wait "$peer""#;

impl Peer {
    /// `FOLDER` among the arguments stands for a fresh folder of this peer.
    async fn start(peers: &Path, port: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display().to_string();
        let arguments =
            arguments.iter().map(|&argument| if argument == "FOLDER" { &path } else { argument });
        let log = File::create(folder.path().join("peer.log")).unwrap();
        let child = Command::new("sh")
            .args(["-c", KEEPER, "sh"])
            .args(arguments)
            .current_dir(peers)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut peer = Self { base: format!("http://127.0.0.1:{port}"), child, folder };
        peer.until_it_answers(port).await;
        peer
    }

    /// An address of this peer.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// What it printed so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("peer.log")).unwrap_or_default()
    }

    /// Three minutes at most; the machine may be busy.
    async fn until_it_answers(&mut self, port: &str) {
        for _ in 0..1800 {
            if TcpStream::connect(format!("127.0.0.1:{port}")).await.is_ok() {
                return;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the peer ended: {}", self.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the peer does not answer: {}", self.log());
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("base", &self.base).finish_non_exhaustive()
    }
}
