//! `homerealm doctor`: what is wrong or about to be.

use std::process::ExitCode;

use anyhow::Context as _;

use super::say;
use super::target::Target;
use crate::doctor::{Finding, Level};

/// What `doctor` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Command {
    /// JSON instead of lines for people
    #[arg(long)]
    json: bool,
    /// Do not call on the identity providers
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    target: Target,
}

/// Ends with 1 where something is wrong.
pub(super) async fn run(command: &Command) -> anyhow::Result<ExitCode> {
    let api = command.target.open().await?;
    let path = if command.offline { "/doctor?reach=false" } else { "/doctor" };
    let answer = api.get(path).await;
    api.close().await;
    let mut body = answer?.body;
    let items = body.get_mut("items").map(serde_json::Value::take).unwrap_or_default();
    let findings: Vec<Finding> = serde_json::from_value(items).context("the broker's findings")?;
    if command.json {
        say(&serde_json::to_string_pretty(&findings)?)?;
    } else {
        for line in lines(&findings) {
            say(&line)?;
        }
    }
    let wrong = findings.iter().any(|finding| finding.level == Level::Wrong);
    Ok(if wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn lines(findings: &[Finding]) -> Vec<String> {
    if findings.is_empty() {
        return vec!["nothing is wrong".to_owned()];
    }
    let line = |finding: &Finding| {
        let Finding { level, check, object, message, fix } = finding;
        let level = match level {
            Level::Wrong => "WRONG  ",
            Level::Warning => "warning",
            Level::Note => "note   ",
        };
        let object = object.as_deref().map(|o| format!(" {o}:")).unwrap_or_default();
        format!("{level} {check}:{object} {message}; {fix}")
    };
    findings.iter().map(line).collect()
}
