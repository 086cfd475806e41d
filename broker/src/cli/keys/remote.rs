//! The same through the management API of a running broker.

use homerealm_certs::JwsAlgorithm;
use serde_json::{Value, json};

use crate::cli::say;
use crate::cli::target::Target;

pub(super) async fn list(target: &Target) -> anyhow::Result<()> {
    let api = target.open().await?;
    for key in keys(&api.get("/signing-keys").await?.body) {
        say(&line(key))?;
    }
    Ok(())
}

pub(super) async fn rotate(
    target: &Target,
    algorithm: JwsAlgorithm,
    now: bool,
) -> anyhow::Result<()> {
    let api = target.open().await?;
    let body = json!({"alg": algorithm.as_str(), "now": now});
    let answer = api.post("/signing-keys/rotate", &body).await?;
    let active = keys(&answer.body)
        .find(|key| text(key, "alg") == algorithm.as_str() && text(key, "state") == "active");
    let kid = active.map(|key| text(key, "kid")).unwrap_or_default();
    say(&format!("{algorithm} is signed with {kid} from now on"))
}

pub(super) async fn retire(target: &Target, kid: &str) -> anyhow::Result<()> {
    let api = target.open().await?;
    api.post(&format!("/signing-keys/{kid}/retire"), &json!({})).await?;
    say(&format!("{kid} is gone"))
}

fn keys(body: &Value) -> impl Iterator<Item = &Value> {
    body.get("items").and_then(Value::as_array).into_iter().flatten()
}

fn line(key: &Value) -> String {
    ["kid", "alg", "state", "since"].map(|name| text(key, name)).join(" ")
}

fn text<'a>(key: &'a Value, name: &str) -> &'a str {
    key.get(name).and_then(Value::as_str).unwrap_or_default()
}
