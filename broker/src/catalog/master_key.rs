//! Whether the master key is the one that this database was made with (RULES 34).

use base64::{Engine as _, engine::general_purpose::STANDARD};

use sqlx::AnyConnection;

use super::error::{CatalogError, OpenError};
use super::resource::{execute, text};
use super::storage::Storage;
use crate::seal::{Purpose, SealError, Sealer};

/// Opens the check value; at the first start, before anything is sealed, writes it.
pub(super) async fn check(storage: &Storage, sealer: &Sealer) -> Result<(), OpenError> {
    let mut write = storage.begin().await?;
    let connection = &mut *write.transaction;
    let stored = text(connection, STORED, &[NAME]).await?;
    if let Some(stored) = stored {
        return open(sealer, &stored).map_err(OpenError::MasterKey);
    }
    let sealed = text(connection, SEALED, &[]).await?;
    if sealed.is_some() {
        return Err(OpenError::MasterKeyCheck);
    }
    let value = seal(sealer).map_err(OpenError::MasterKey)?;
    let insert = "INSERT INTO settings (name, value) VALUES ($1, $2)";
    execute(connection, insert, &[NAME, &value], NAME).await?;
    Ok(storage.commit(write, &[]).await?)
}

/// Puts the check value of another master key in the place of the one that `from` opens.
pub(super) async fn replace(
    connection: &mut AnyConnection,
    from: &Sealer,
    to: &Sealer,
) -> Result<Result<(), SealError>, CatalogError> {
    let stored = text(connection, STORED, &[NAME]).await?.unwrap_or_default();
    let value = match open(from, &stored).and_then(|()| seal(to)) {
        Ok(value) => value,
        Err(error) => return Ok(Err(error)),
    };
    let set = "UPDATE settings SET value = $2 WHERE name = $1";
    execute(connection, set, &[NAME, &value], NAME).await?;
    Ok(Ok(()))
}

fn seal(sealer: &Sealer) -> Result<String, SealError> {
    Ok(STANDARD.encode(sealer.seal(Purpose::Check, PLACE, sealer.key_id().as_bytes())?))
}

fn open(sealer: &Sealer, stored: &str) -> Result<(), SealError> {
    let value = STANDARD.decode(stored).map_err(|_| SealError::Broken)?;
    sealer.open(Purpose::Check, PLACE, &value).map(|_| ())
}

const NAME: &str = "master_key_check";
const STORED: &str = "SELECT value FROM settings WHERE name = $1";
const PLACE: &[u8] = b"settings/master_key_check";
/// Anything that may have been sealed under a master key.
const SEALED: &str = "SELECT kid FROM signing_keys UNION ALL SELECT id FROM connections LIMIT 1";
