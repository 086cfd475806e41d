//! The commands: each parses itself, does its work, and ends with one line and an exit code where it fails.

mod config;
mod metadata;
mod serve;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::telemetry::LogFormat;

/// Homerealm, a federation broker: SAML and OIDC in, local API tokens out.
#[derive(Debug, Parser)]
#[command(name = "homerealm", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the broker
    Serve {
        /// TOML file; without it embedded defaults, state under ./data
        #[arg(long)]
        config: Option<PathBuf>,
        /// Form of the log lines on standard error
        #[arg(long, value_enum, default_value_t)]
        log: LogFormat,
    },
    /// What parties publish about themselves
    #[command(subcommand)]
    Metadata(metadata::Command),
    /// The configuration
    #[command(subcommand)]
    Config(config::Command),
}

impl Cli {
    /// Runs the command.
    pub async fn run(self) -> ExitCode {
        let outcome = match self.command {
            Command::Serve { config, log } => serve::run(config.as_deref(), log).await,
            Command::Metadata(command) => metadata::run(command),
            Command::Config(command) => config::run(&command),
        };
        match outcome {
            Ok(()) => ExitCode::SUCCESS,
            Err(lines) => {
                // `{:#}` is the whole chain of causes on one line
                let _ = writeln!(std::io::stderr(), "homerealm: {lines:#}");
                ExitCode::FAILURE
            }
        }
    }
}

/// The settings of a command that starts something.
fn load(file: Option<&Path>) -> anyhow::Result<Config> {
    Ok(Config::load(file, environment())?)
}

/// Variables whose name or value is not UTF-8 cannot be ours.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(n, v)| Some((n.into_string().ok()?, v.into_string().ok()?)))
}

/// A line on standard output.
fn say(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
