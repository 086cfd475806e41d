//! What the process tells about itself: lines on standard error, for people or as JSON.
//!
//! Queries, bodies, cookies and tokens are never logged: no part of the broker hands them to a log line, and the HTTP
//! server's own access log, which would hold the query of `/login/continue`, is not installed.

use std::io::IsTerminal as _;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// The form of a line.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// The server's own news about its workers are for those who ask.
const DEFAULT: &str = "info,actix_server=warn";

/// For someone who tries it: how logins end, and what is wrong.
const DEMO: &str = "warn,broker::login=info,actix_server=error";

/// Starts telling; the level is `RUST_LOG`, else `info`. A second call changes nothing.
pub fn start(format: LogFormat) {
    start_with(format, DEFAULT);
}

/// As [`start`], without what only an operator wants to know.
pub fn start_for_demo() {
    start_with(LogFormat::Human, DEMO);
}

fn start_with(format: LogFormat, default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Human => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    if started.is_err() {
        tracing::debug!("telling was started before");
    }
}
