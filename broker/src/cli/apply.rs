//! `homerealm apply FILE` and `homerealm export`: the configuration of customers, clients and APIs as one document.
//!
//! The document is one JSON object; its members are named like the paths of the management API and hold arrays of the
//! bodies that a POST there takes. `apply` creates what is missing and patches what differs; members that an object leaves
//! out are left as they are, and nothing is deleted unless `--prune` says so.

mod difference;
mod document;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::{Map, Value};

use self::difference::{changes, patch};
use self::document::{Document, KINDS, Kind};
use super::say;
use super::target::{Answer, Api, Target};

/// What `apply` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Command {
    /// JSON file, or - for standard input
    file: PathBuf,
    /// Change nothing; print the difference, and end with 3 where there is one
    #[arg(long)]
    dry_run: bool,
    /// Delete objects that the file does not have, of those kinds that the file names
    #[arg(long)]
    prune: bool,
    /// Send the secrets in the file to objects that are there already, too
    #[arg(long)]
    secrets: bool,
    #[command(flatten)]
    target: Target,
}

/// The exit code of a dry run that found a difference.
const DIFFERS: u8 = 3;

#[derive(Debug, Default)]
struct Tally {
    created: usize,
    changed: usize,
    deleted: usize,
    unchanged: usize,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let document = Document::read(&command.file)?;
    let api = command.target.open().await?;
    let outcome = apply(&api, &document, &command).await;
    api.close().await;
    let Tally { created, changed, deleted, unchanged } = outcome?;
    let verb = if command.dry_run { "to be " } else { "" };
    say(&format!(
        "{created} {verb}created, {changed} {verb}changed, {deleted} {verb}deleted, {unchanged} unchanged"
    ))?;
    let differs = created + changed + deleted > 0;
    Ok(if command.dry_run && differs { ExitCode::from(DIFFERS) } else { ExitCode::SUCCESS })
}

/// `homerealm export`: everything, in the form that `apply` takes, without secrets.
pub(super) async fn export(target: &Target) -> anyhow::Result<()> {
    let api = target.open().await?;
    let outcome = exported(&api).await;
    api.close().await;
    say(&serde_json::to_string_pretty(&outcome?)?)
}

async fn exported(api: &Api) -> anyhow::Result<Value> {
    let mut document = Map::new();
    for kind in &KINDS {
        let objects = api.all(kind.path).await?;
        let bodies = objects.into_iter().map(document::body_of).collect();
        document.insert(kind.member().to_owned(), Value::Array(bodies));
    }
    Ok(Value::Object(document))
}

async fn apply(api: &Api, document: &Document, command: &Command) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    for kind in &KINDS {
        let Some(wanted) = document.of(kind) else { continue };
        let listed = if kind.is_listed() { Some(api.all(kind.path).await?) } else { None };
        for body in wanted {
            let name = kind.name(body);
            let found = find(api, kind, body, listed.as_deref()).await?;
            bring_about(api, kind, (body, found), command, &mut tally)
                .await
                .with_context(|| format!("{} {name}", kind.word))?;
        }
    }
    if command.prune {
        prune(api, document, command, &mut tally).await?;
    }
    Ok(tally)
}

async fn find(
    api: &Api,
    kind: &Kind,
    body: &Map<String, Value>,
    listed: Option<&[Value]>,
) -> anyhow::Result<Option<Answer>> {
    match listed {
        Some(all) => {
            let found = all.iter().filter_map(Value::as_object).find(|o| kind.is_same(o, body));
            Ok(found.map(|o| Answer { body: Value::Object(o.clone()), etag: None }))
        }
        None => api.find(&kind.one(&kind.name(body))).await,
    }
}

async fn bring_about(
    api: &Api,
    kind: &Kind,
    (wanted, found): (&Map<String, Value>, Option<Answer>),
    command: &Command,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let name = kind.name(wanted);
    let Some(Answer { body: Value::Object(found), etag }) = found else {
        say(&format!("+ {} {name}", kind.word))?;
        tally.created += 1;
        if !command.dry_run {
            let made = api.post(kind.path, &Value::Object(wanted.clone())).await?;
            show_secret(&made.body)?;
        }
        return Ok(());
    };
    let wanted = difference::leaving_dns_alone(wanted, &found);
    let patch = patch(&wanted, &found, command.secrets);
    if patch.is_empty() {
        tally.unchanged += 1;
        return Ok(());
    }
    if !command.dry_run {
        let id = found.get("id").and_then(Value::as_str).unwrap_or(&name);
        let made = api.patch(&kind.one(id), patch.clone(), etag.as_deref()).await?;
        // the file says the same in other words
        if etag.is_some() && made.etag == etag {
            tally.unchanged += 1;
            return Ok(());
        }
    }
    tally.changed += 1;
    say(&format!("~ {} {name}", kind.word))?;
    for line in changes(&patch, &found) {
        say(&format!("    {line}"))?;
    }
    Ok(())
}

/// The secret that was made for a new client is in this answer only.
fn show_secret(made: &Value) -> anyhow::Result<()> {
    match made.get("client_secret").and_then(Value::as_str) {
        Some(secret) => say(&format!("    client_secret, shown this once: {secret}")),
        None => Ok(()),
    }
}

/// What refers to others goes first.
async fn prune(
    api: &Api,
    document: &Document,
    command: &Command,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    for kind in KINDS.iter().rev() {
        let Some(wanted) = document.of(kind) else { continue };
        for found in api.all(kind.path).await? {
            let Some(found) = found.as_object() else { continue };
            if wanted.iter().any(|body| kind.is_same(found, body)) {
                continue;
            }
            let name = kind.name(found);
            say(&format!("- {} {name}", kind.word))?;
            tally.deleted += 1;
            if !command.dry_run {
                let id = found.get("id").and_then(Value::as_str).unwrap_or(&name);
                let deleted = api.delete(&kind.one(id)).await;
                deleted.with_context(|| format!("{} {name}", kind.word))?;
            }
        }
    }
    Ok(())
}
