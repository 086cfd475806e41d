//! The commands: each parses itself, does its work, and ends with one line and an exit code where it fails.

mod apply;
mod config;
mod demo;
mod doctor;
mod keys;
mod metadata;
mod reseal;
mod serve;
mod target;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, Problems};
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
    /// Try it: the broker with two sample IdPs, a sample site and a sample API, all on this machine
    Demo {
        /// First port to try; six are taken
        #[arg(long, default_value_t = 8080, value_parser = clap::value_parser!(u16).range(1024..))]
        port: u16,
    },
    /// What parties publish about themselves
    #[command(subcommand)]
    Metadata(metadata::Command),
    /// Signing keys, and the master key
    #[command(subcommand)]
    Keys(keys::Command),
    /// Bring organizations, connections, clients, APIs and grants to what a JSON document says
    Apply(apply::Command),
    /// Write them as such a document, without secrets
    Export {
        #[command(flatten)]
        target: target::Target,
    },
    /// What is wrong or about to be: ends with 1 where something is wrong
    Doctor(doctor::Command),
    /// The configuration
    #[command(subcommand)]
    Config(config::Command),
}

impl Cli {
    /// Runs the command.
    pub async fn run(self) -> ExitCode {
        let outcome = match self.command {
            Command::Serve { config, log } => serve::run(config.as_deref(), log).await,
            Command::Demo { port } => demo::run(port).await,
            Command::Apply(command) => return ended(apply::run(command).await),
            Command::Doctor(command) => return ended(doctor::run(&command).await),
            Command::Export { target } => apply::export(&target).await,
            Command::Metadata(command) => metadata::run(command),
            Command::Keys(command) => keys::run(command).await,
            Command::Config(command) => config::run(&command),
        };
        ended(outcome.map(|()| ExitCode::SUCCESS))
    }
}

fn ended(outcome: anyhow::Result<ExitCode>) -> ExitCode {
    outcome.unwrap_or_else(|error| {
        for line in lines(&error) {
            let _ = writeln!(std::io::stderr(), "homerealm: {line}");
        }
        ExitCode::FAILURE
    })
}

/// One line: what was being done and its causes, each said once. Problems of a configuration: one line each.
fn lines(error: &anyhow::Error) -> Vec<String> {
    if let Some(problems) = error.downcast_ref::<Problems>() {
        return problems.iter().map(ToString::to_string).collect();
    }
    let mut line = String::new();
    for cause in error.chain().map(|cause| cause.to_string().replace('\n', " ")) {
        if line.is_empty() {
            line = cause;
        } else if !line.contains(&cause) {
            line = format!("{line}: {cause}");
        }
    }
    vec![line]
}

/// The settings of a command that starts something.
fn load(file: Option<&Path>) -> anyhow::Result<Config> {
    Ok(Config::load(file, environment())?)
}

/// Token of the management API for commands that talk to a running broker; no setting.
const TOKEN_VARIABLE: &str = "HOMEREALM_TOKEN";

/// Variables whose name or value is not UTF-8 cannot be ours.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(n, v)| Some((n.into_string().ok()?, v.into_string().ok()?)))
        .filter(|(name, _)| name != TOKEN_VARIABLE)
}

/// A line on standard output.
fn say(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_key_id_may_start_with_a_hyphen() {
        let parsed = Cli::try_parse_from(["homerealm", "keys", "retire", "-x_Y", "--config", "f"]);
        let Command::Keys(keys::Command::Retire { kid, target }) = parsed.unwrap().command else {
            panic!("another command");
        };
        assert_eq!((kid.as_str(), target.config()), ("-x_Y", Some(Path::new("f"))));
    }

    #[test]
    fn an_error_is_one_line_that_says_nothing_twice() {
        let io = std::io::Error::other("disk\nfull");
        let error = Err::<(), _>(io).context("cannot write: disk full").context("stopped");

        assert_eq!(lines(&error.unwrap_err()), ["stopped: cannot write: disk full"]);
    }

    #[test]
    fn each_problem_of_a_configuration_is_a_line() {
        let problems = Config::from_toml("a = 1\nb = 2", []).unwrap_err();

        assert_eq!(lines(&problems.into()).len(), 2);
    }
}
