//! `homerealm keys list|rotate|retire|generate-master`.

mod remote;

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use homerealm_certs::{JwsAlgorithm, KeyState, SystemRandom};
use secrecy::ExposeSecret as _;

use super::target::Target;
use super::{load, say};
use crate::catalog::{Actor, ActorKind, Author, Catalog};
use crate::clock::{Clock as _, SystemClock};
use crate::ids;
use crate::keys::KeyRing;
use crate::seal::MasterKey;
use crate::startup::data_folder::DataFolder;
use crate::startup::{master_key, sealer};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Every signing key, one a line: id, algorithm, state, since when
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Sign with the next key, if it has been published for a day; publish the old one on, make a new next one; with SQLite the broker must be stopped, or named by --url
    Rotate {
        /// ES256, RS256 or EdDSA
        algorithm: JwsAlgorithm,
        /// However long the next key has been published: for a key that somebody may have stolen
        #[arg(long)]
        now: bool,
        #[command(flatten)]
        target: Target,
    },
    /// Take a retiring key away: what it signed is refused from then on; with SQLite the broker must be stopped, or named by --url
    Retire {
        /// Its id, as `list` shows it; it may start with a hyphen
        #[arg(allow_hyphen_values = true)]
        kid: String,
        #[command(flatten)]
        target: Target,
    },
    /// Seal everything in the database under another master key; every broker on it must be stopped
    Reseal {
        /// File of the new key, as `generate-master` wrote it
        new_key: PathBuf,
        /// TOML file, as for `serve`, with the key that opens the database now
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Write a new master key to a file that does not exist yet
    GenerateMaster {
        /// The file, made readable for this user only
        file: PathBuf,
    },
}

pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { target } if target.is_remote() => remote::list(&target).await,
        Command::Rotate { algorithm, now, target } if target.is_remote() => {
            remote::rotate(&target, algorithm, now).await
        }
        Command::Retire { kid, target } if target.is_remote() => {
            remote::retire(&target, &kid).await
        }
        Command::List { target } => {
            let keys = open(&target, Needs::Reading).await?;
            for key in keys.ring.list().await? {
                let state = state(key.state);
                let since = key.since.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
                say(&format!("{} {} {state} {since}", key.kid, key.algorithm))?;
            }
            Ok(())
        }
        Command::Rotate { algorithm, now: at_once, target } => {
            let keys = open(&target, Needs::Writing).await?;
            let (now, author) = (SystemClock.now(), Some(author()));
            if at_once {
                keys.ring.rotate(algorithm, now, author).await?;
            } else {
                let rotated = keys.ring.rotate_published(algorithm, now, author).await;
                rotated.context("nothing was changed; --now does not wait")?;
            }
            let active = keys.ring.current();
            let kid = active.active(algorithm).map_or("", |key| key.kid());
            say(&format!("{algorithm} is signed with {kid} from now on"))
        }
        Command::Retire { kid, target } => {
            let keys = open(&target, Needs::Writing).await?;
            keys.ring
                .retire(&kid, Some(author()))
                .await
                .with_context(|| format!("no retiring key {kid}"))?;
            say(&format!("{kid} is gone"))
        }
        Command::Reseal { new_key, config } => super::reseal::run(&new_key, config).await,
        Command::GenerateMaster { file } => {
            master_key::write(&file, &MasterKey::generate(&SystemRandom))?;
            say(&format!(
                "a master key is in {}; keep a copy apart from the database",
                file.display()
            ))
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Needs {
    /// Also beside a running broker.
    Reading,
    /// Only without one: it would go on signing with the keys that it has in memory.
    Writing,
}

struct Opened {
    ring: KeyRing,
    _folder: Option<DataFolder>,
}

/// The keys of an existing database; nothing is made up for a database that is not there.
async fn open(target: &Target, needs: Needs) -> anyhow::Result<Opened> {
    let config = load(target.config())?;
    if let Some(file) = config.database.file.as_ref().filter(|file| !file.exists()) {
        bail!("there is no database {} yet: `homerealm serve` makes one", file.display());
    }
    let folder = match config.database.folder().map(DataFolder::open).transpose() {
        Ok(folder) => folder,
        Err(_) if needs == Needs::Reading => None,
        Err(error) => return Err(error.into()),
    };
    let sealer = sealer(&config, &SystemRandom)?;
    let catalog = Catalog::open(config.database.url.expose_secret(), &sealer).await?;
    let ring = KeyRing::load_or_create(&catalog, &sealer, SystemClock.now()).await?;
    Ok(Opened { ring, _folder: folder })
}

/// A person at this machine.
fn author() -> Author {
    Author {
        id: ids::id("aud", &SystemRandom),
        actor: Actor::new(ActorKind::Cli, "cli"),
        address: None,
        at: SystemClock.now(),
    }
}

const fn state(state: KeyState) -> &'static str {
    match state {
        KeyState::Next => "next",
        KeyState::Active => "active",
        KeyState::Retiring => "retiring",
    }
}
