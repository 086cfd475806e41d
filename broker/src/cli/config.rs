//! `homerealm config check [FILE]`.

use std::path::PathBuf;

use super::{load, say};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Every problem of the configuration, with key and fix
    Check {
        /// TOML file; without it the environment alone is checked
        file: Option<PathBuf>,
    },
}

pub(super) fn run(command: &Command) -> anyhow::Result<()> {
    let Command::Check { file } = command;
    let config = load(file.as_deref())?;
    say(&format!("The configuration is good: {} on {}.", config.issuer, config.listen))
}
