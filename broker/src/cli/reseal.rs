//! `homerealm keys reseal NEW_KEY_FILE`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use homerealm_certs::SystemRandom;
use secrecy::ExposeSecret as _;

use super::{load, say};
use crate::catalog::Catalog;
use crate::reseal::reseal;
use crate::seal::Sealer;
use crate::startup::data_folder::DataFolder;
use crate::startup::{master_key, sealer};

pub(super) async fn run(new_key: &Path, config: Option<PathBuf>) -> anyhow::Result<()> {
    let config = load(config.as_deref())?;
    if let Some(file) = config.database.file.as_ref().filter(|file| !file.exists()) {
        bail!("there is no database {}: nothing is sealed", file.display());
    }
    let _folder = config.database.folder().map(DataFolder::open).transpose()?;
    let from = sealer(&config, &SystemRandom)?;
    let to = Sealer::new(&master_key::read_file(new_key)?).context("the new master key")?;
    if from.key_id() == to.key_id() {
        bail!("{} holds the key that the database is sealed under", new_key.display());
    }
    let catalog = Catalog::open(config.database.url.expose_secret(), &from).await?;
    let resealed = reseal(&catalog, &from, &to).await.context("nothing was changed")?;
    catalog.close().await;
    say(&format!(
        "{} signing keys and {} connections are sealed under key {}: put {} in the place of {} before the next start; \
         logins that were under way start again",
        resealed.signing_keys,
        resealed.connections,
        to.key_id(),
        new_key.display(),
        master_key::path(&config).display(),
    ))
}
