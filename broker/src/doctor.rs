//! What is wrong with this broker, or about to be: each finding says what, and what to do.

mod certificates;
mod clock;
mod domains;
mod surroundings;
#[cfg(test)]
mod tests;
mod upstream;

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use futures_util::stream;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::catalog::{CatalogError, Connection};

/// One thing that somebody should know.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// Stable word for the check, e.g. `idp_certificate`.
    pub check: String,
    /// What it is about, e.g. `connection acme-saml`.
    pub object: Option<String>,
    /// What is the case.
    pub message: String,
    /// What to do.
    pub fix: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Something does not work, or will not within a week.
    Wrong,
    /// Should be changed soon.
    Warning,
    /// Good to know.
    Note,
}

/// Identity providers that are called on at once.
const AT_ONCE: usize = 16;
/// What calling on all of them may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Examines everything; calls on the identity providers only where `reach` says so. The worst comes first.
///
/// # Errors
/// [`CatalogError`] where the connections cannot be read.
pub async fn examine(app: &App, reach: bool) -> Result<Vec<Finding>, CatalogError> {
    let now = app.now();
    let mut findings = surroundings::examine(app, now).await;
    findings.extend(domains::examine(app).await?);
    let connections = enabled_connections(app).await?;
    for connection in &connections {
        findings.extend(certificates::of_connection(connection, now));
    }
    if reach {
        findings.extend(call_on_all(app, &connections).await);
    }
    findings.sort_by(|a, b| (a.level, &a.check, &a.object).cmp(&(b.level, &b.check, &b.object)));
    Ok(findings)
}

async fn enabled_connections(app: &App) -> Result<Vec<Connection>, CatalogError> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = app.catalog.list::<Connection>(200, cursor.as_deref()).await?;
        let enabled = page.items.iter().filter(|c| c.enabled);
        all.extend(enabled.map(|c| Connection::clone(&c.object)));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

/// Those that did not answer in time are counted, so that nobody takes silence for health.
async fn call_on_all(app: &App, connections: &[Connection]) -> Vec<Finding> {
    let mut visits =
        stream::iter(connections).map(|c| upstream::visit(app, c)).buffer_unordered(AT_ONCE);
    let (mut findings, mut differences, mut visited) = (Vec::new(), Vec::new(), 0);
    let all = async {
        while let Some(visit) = visits.next().await {
            visited += 1;
            findings.extend(visit.findings);
            differences.extend(visit.clock_difference);
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, all).await.is_ok();
    findings.extend(clock::judge(differences));
    if !in_time {
        findings.push(Finding::new(
            Level::Warning,
            "idp_unvisited",
            None,
            format!("{} connections were not called on in time", connections.len() - visited),
            "run it again at a quieter time",
        ));
    }
    findings
}

impl Finding {
    fn new(
        level: Level,
        check: &str,
        object: Option<String>,
        message: impl Into<String>,
        fix: &str,
    ) -> Self {
        let (check, message, fix) = (check.to_owned(), message.into(), fix.to_owned());
        Self { level, check, object, message, fix }
    }
}

fn connection_name(connection: &Connection) -> Option<String> {
    Some(format!("connection {}", connection.name))
}

/// Days ahead that something that ends is worth a note, a warning, and a call to act.
const NOTICE: [(i64, Level); 3] = [(7, Level::Wrong), (30, Level::Warning), (60, Level::Note)];

/// How bad it is that something ends at `end`; `None` where that is far away.
fn ending(end: DateTime<Utc>, now: DateTime<Utc>) -> Option<Level> {
    let left = end.signed_duration_since(now);
    NOTICE.iter().find(|(days, _)| left <= chrono::TimeDelta::days(*days)).map(|(_, level)| *level)
}

/// `ends at …` or `ended at …`.
fn ends(end: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let verb = if end <= now { "ended" } else { "ends" };
    format!("{verb} at {}", moment(end))
}

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
