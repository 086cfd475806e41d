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

/// Starts telling; the level is `RUST_LOG`, else `info`. A second call changes nothing.
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT));
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
