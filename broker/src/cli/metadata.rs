//! `homerealm metadata inspect FILE|-`.

use std::io::Read as _;
use std::path::PathBuf;

use anyhow::Context as _;
use homerealm_metadata::saml_idp::SamlIdpMetadata;

use super::say;
use crate::clock::{Clock as _, SystemClock};

/// More than any single IdP's document; the reader's own limit is below it.
const MAX_BYTES: u64 = 32 * 1024 * 1024;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// What an IdP's metadata says, as JSON
    Inspect {
        /// XML file, or - for standard input
        file: PathBuf,
    },
}

pub(super) fn run(command: Command) -> anyhow::Result<()> {
    let Command::Inspect { file } = command;
    let xml = read(&file)?;
    let metadata = SamlIdpMetadata::read(&xml, None, SystemClock.now())
        .map_err(|refusal| anyhow::anyhow!("{refusal} ({})", refusal.code()))?;
    say(&serde_json::to_string_pretty(&metadata.to_json())?)
}

fn read(file: &std::path::Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file.as_os_str() == "-" {
        std::io::stdin().take(MAX_BYTES).read_to_end(&mut bytes).context("standard input")?;
    } else {
        let named = || file.display().to_string();
        let file = std::fs::File::open(file).with_context(named)?;
        file.take(MAX_BYTES).read_to_end(&mut bytes).with_context(named)?;
    }
    Ok(bytes)
}
