//! What docker-compose.yml describes, without containers: two processes of the program, PostgreSQL, Redis and HAProxy with the
//! file's own environment, commands and configuration. Only host names, ports, paths and secrets are put in their places.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::app::{ADMIN_TOKEN, BinaryApp, TestApp, command, free_port};
use testkit::clock::ShiftedClock;
use testkit::peers;
use testkit::postgres::{Database, Postgres};
use testkit::redis::Redis;
use testkit::scene::Scene;
use testkit::state;

use crate::BINARY;

/// Reads YAML as Compose does, by a library that is not ours; prints JSON.
const READER: &str = "import json, sys; from ruamel.yaml import YAML; \
    json.dump(YAML(typ='safe').load(open(sys.argv[1])), sys.stdout)";

/// Everything under the load balancer's address; ends with this value.
struct Site {
    brokers: Vec<BinaryApp>,
    balancer: Child,
    scene: Scene,
    postgres: Postgres,
    _database: Database,
    _redis: Redis,
    _folder: tempfile::TempDir,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_composed_site_serves_logins_at_both_brokers_and_goes_on_with_one() {
    let Some(mut site) = Site::start().await else { return };
    let callback = site.scene.app.url("/callback/acme-oidc");
    let Some(op) = peers::oidc_provider(&callback, "plain", "").await else { return };
    site.scene.oidc("acme-oidc", &op.base, &json!({})).await;

    for _ in 0..3 {
        site.log_in().await;
    }
    let (rest, ended) = (site.brokers.split_off(1), site.brokers[0].terminate());
    site.brokers = rest;

    assert_eq!(ended, Some(0));
    for _ in 0..3 {
        site.log_in().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_composed_site_says_503_while_its_database_is_away_and_comes_back() {
    let Some(mut site) = Site::start().await else { return };
    let organizations = site.scene.app.url("/api/v1/organizations");

    site.postgres.crash();

    // no broker is ready then: the balancer asks them all the same, and they answer for themselves
    site.until(&organizations, 503).await;
    site.postgres.restart().await;
    site.until(&organizations, 200).await;
}

#[test]
fn its_healthy_settings_are_complete() {
    let Some(file) = compose() else { return };

    let environment = environment(&file, "broker-1", &HashMap::from(SECRETS));

    let folder = tempfile::tempdir().unwrap();
    let mut check = command(BINARY, folder.path());
    let checked = check.args(["config", "check"]).envs(&environment).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    assert_eq!(file["services"]["broker-1"], file["services"]["broker-2"], "nodes are the same");
}

/// What a site's `.env` holds.
const SECRETS: [(&str, &str); 3] = [
    ("POSTGRES_PASSWORD", "a-password-of-postgresql"),
    ("REDIS_PASSWORD", "a-password-of-redis"),
    ("HOMEREALM_ADMIN_TOKEN", ADMIN_TOKEN),
];

impl Site {
    async fn start() -> Option<Self> {
        let what = "the composed site";
        let there = Command::new("haproxy").arg("-v").stdout(Stdio::null()).status().is_ok();
        if !there {
            println!("skipped: {what}: haproxy is not installed (see scripts/install-test-tools)");
        }
        if !there || !state::is_embedded(what) {
            return None;
        }
        let file = compose()?;
        let secrets = HashMap::from(SECRETS);
        let folder = tempfile::tempdir().unwrap();
        let postgres = Postgres::start(what).await?;
        let redis = texts(&file["services"]["redis"]["command"]);
        let redis: Vec<String> = redis.iter().skip(1).map(|text| expand(text, &secrets)).collect();
        let redis: Vec<&str> = redis.iter().map(String::as_str).collect();
        let redis = Redis::start(what, &redis).await?;
        let user = &file["services"]["postgres"]["environment"]["POSTGRES_USER"];
        let database = postgres.database_of(user.as_str().unwrap());
        let key = folder.path().join("master.key");
        std::fs::write(&key, "5a".repeat(32)).unwrap();
        let ports = [free_port(), free_port(), free_port()];
        let placed = [
            ("@postgres:5432", format!("@127.0.0.1:{}", postgres.port)),
            ("@redis:6379", format!("@127.0.0.1:{}", redis.port)),
            ("/run/secrets/master_key", key.display().to_string()),
            ("localhost:8080", format!("localhost:{}", ports[0])),
            ("172.29.80.2/32", "127.0.0.1/32".to_owned()),
        ];
        let brokers = [("broker-1", ports[1]), ("broker-2", ports[2])].map(|(name, port)| {
            let mut environment = environment(&file, name, &secrets);
            for (text, own) in &placed {
                environment.values_mut().for_each(|value| *value = value.replace(text, own));
            }
            broker(folder.path(), name, port, &environment)
        });
        let balancer = balancer(folder.path(), ports);
        let issuer = format!("http://localhost:{}", ports[0]);
        assert!(brokers.iter().all(|broker| broker.issuer == issuer));
        let app = TestApp::at(&issuer, Arc::new(ShiftedClock::default()));
        until(&app, &app.url("/readyz"), 200).await;
        let scene = Scene::with(app).await;
        let brokers = brokers.into();
        Some(Self {
            brokers,
            balancer,
            scene,
            postgres,
            _database: database,
            _redis: redis,
            _folder: folder,
        })
    }

    async fn log_in(&self) {
        let landing = self.scene.start(&mut self.scene.browser(), "acme-oidc").await;
        self.scene.tokens(landing).await;
    }

    async fn until(&self, url: &str, status: u16) {
        until(&self.scene.app, url, status).await;
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        drop(self.balancer.kill());
        drop(self.balancer.wait());
    }
}

/// As the Dockerfile starts it, but on a port of its own, and with upstreams on loopback.
fn broker(
    folder: &Path,
    name: &str,
    port: u16,
    environment: &HashMap<String, String>,
) -> BinaryApp {
    let own = folder.join(name);
    std::fs::create_dir(&own).unwrap();
    let mut command = command(BINARY, &own);
    command
        .arg("serve")
        .envs(environment)
        .env("HOMEREALM_LISTEN", format!("127.0.0.1:{port}"))
        .env("HOMEREALM_UPSTREAM__ALLOW_HTTP", "true")
        .env("HOMEREALM_UPSTREAM__ALLOW_PRIVATE_ADDRESSES", "true");
    BinaryApp::serve(&mut command, &own.join("serve.log"))
}

/// With the configuration that the file mounts.
fn balancer(folder: &Path, [own, first, second]: [u16; 3]) -> Child {
    let text = std::fs::read_to_string(repository("deploy/haproxy.cfg")).unwrap();
    let text = text
        .replace("bind :8080", &format!("bind 127.0.0.1:{own}"))
        .replace(" broker-1:8080", &format!(" 127.0.0.1:{first}"))
        .replace(" broker-2:8080", &format!(" 127.0.0.1:{second}"));
    let file = folder.join("haproxy.cfg");
    std::fs::write(&file, text).unwrap();
    let log = std::fs::File::create(folder.join("haproxy.log")).unwrap();
    let mut command = Command::new("haproxy");
    command.args(["-db", "-f"]).arg(&file).stdin(Stdio::null());
    command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}

/// The file as JSON.
fn compose() -> Option<Value> {
    let python = peers::folder("the compose file")?.join("venv/bin/python");
    let file = repository("docker-compose.yml");
    let read = Command::new(python).args(["-c", READER, &file]).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    Some(serde_json::from_slice(&read.stdout).unwrap())
}

fn repository(path: &str) -> String {
    format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))
}

/// What Compose gives a service.
fn environment(
    file: &Value,
    service: &str,
    secrets: &HashMap<&str, &str>,
) -> HashMap<String, String> {
    let environment = file["services"][service]["environment"].as_object().unwrap();
    let text = |value: &Value| expand(value.as_str().unwrap(), secrets);
    environment.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

/// `${NAME:-default}` and `${NAME:?message}`.
fn expand(text: &str, variables: &HashMap<&str, &str>) -> String {
    let Some((before, rest)) = text.split_once("${") else { return text.to_owned() };
    let (inside, after) = rest.split_once('}').unwrap();
    let (name, otherwise) = inside.split_once(':').unwrap();
    let value = match (variables.get(name), otherwise.split_at(1)) {
        (Some(value), _) => *value,
        (None, ("-", default)) => default,
        (None, (_, message)) => panic!("{name}: {message}"),
    };
    format!("{before}{value}{}", expand(after, variables))
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// Half a minute at most.
async fn until(app: &TestApp, url: &str, status: u16) {
    for _ in 0..600 {
        let request = app.http.get(url).bearer_auth(ADMIN_TOKEN);
        if request.send().await.is_ok_and(|answer| answer.status() == status) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{url} does not come to answer {status}");
}
