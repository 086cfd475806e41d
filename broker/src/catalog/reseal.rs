//! Every sealed value anew, in one transaction: nothing is ever sealed half under one master key, half under another.

use sqlx::{Any, AnyConnection, Row as _};

use super::cache::Key;
use super::error::{CatalogError, unavailable};
use super::master_key;
use super::resource::{execute, find};
use super::store::touched;
use super::{Catalog, Connection, Resource as _, Versioned};
use crate::seal::{SealError, Sealer};

/// Seals the value of a signing key (its id, the sealed value) anew.
type ResealKey<'a> = &'a (dyn Fn(&str, &str) -> Result<String, SealError> + Sync);
/// Seals every secret of a connection anew; `None` where it has none.
type ResealConnection<'a> =
    &'a (dyn Fn(&Connection) -> Result<Option<Connection>, SealError> + Sync);

/// How each kind of value is sealed anew.
#[expect(missing_debug_implementations, reason = "it holds functions")]
#[derive(Clone, Copy)]
pub struct Anew<'a> {
    /// Under the master key that opens the database now.
    pub from: &'a Sealer,
    /// Under the one that opens it from then on.
    pub to: &'a Sealer,
    /// A signing key.
    pub key: ResealKey<'a>,
    /// A connection.
    pub connection: ResealConnection<'a>,
}

/// What was sealed anew.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Resealed {
    /// Signing keys.
    pub signing_keys: usize,
    /// Connections that hold secrets.
    pub connections: usize,
}

/// Why nothing was sealed anew.
#[derive(Debug, thiserror::Error)]
pub enum ResealError {
    /// The database did not do it.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// Something does not open under the old master key.
    #[error("{what}: {source}")]
    Seal {
        /// Kind and name.
        what: String,
        /// Why.
        source: SealError,
    },
}

impl Catalog {
    /// Opens every sealed value and seals it under another master key; all of them, or none.
    ///
    /// # Errors
    /// [`ResealError`]; then nothing has changed.
    pub async fn reseal(&self, anew: Anew<'_>) -> Result<Resealed, ResealError> {
        let mut write = self.storage.begin().await?;
        let connection = &mut *write.transaction;
        let sealing = |source| ResealError::Seal { what: "the check value".to_owned(), source };
        master_key::replace(connection, anew.from, anew.to).await?.map_err(sealing)?;
        let signing_keys = signing_keys(connection, anew).await?;
        let mut gone = vec![Key::SigningKeys];
        let connections = connections(connection, anew, write.revision, &mut gone).await?;
        self.storage.commit(write, &gone).await?;
        Ok(Resealed { signing_keys, connections })
    }
}

async fn signing_keys(
    connection: &mut AnyConnection,
    anew: Anew<'_>,
) -> Result<usize, ResealError> {
    let rows = sqlx::query::<Any>("SELECT kid, sealed FROM signing_keys")
        .fetch_all(&mut *connection)
        .await
        .map_err(unavailable)?;
    for row in &rows {
        let kid: String = row.try_get(0).map_err(unavailable)?;
        let sealed: String = row.try_get(1).map_err(unavailable)?;
        let sealed = (anew.key)(&kid, &sealed)
            .map_err(|source| ResealError::Seal { what: format!("signing key {kid}"), source })?;
        execute(connection, SET_KEY, &[&kid, &sealed], "sealed").await?;
    }
    Ok(rows.len())
}

/// One after the other, by id: however many there are, one is in memory.
async fn connections(
    connection: &mut AnyConnection,
    anew: Anew<'_>,
    revision: i64,
    touched_keys: &mut Vec<Key>,
) -> Result<usize, ResealError> {
    let (mut after, mut resealed) = (String::new(), 0);
    while let Some((found, _)) = find::<Connection>(connection, NEXT, &after).await? {
        let Versioned { object: old, .. } = found;
        let name = old.name().to_owned();
        let new = (anew.connection)(&old)
            .map_err(|source| ResealError::Seal { what: format!("connection {name}"), source })?;
        if let Some(new) = new {
            sqlx::query::<Any>(SET_CONNECTION)
                .bind(new.id().to_owned())
                .bind(revision)
                .bind(serde_json::to_string(&new).map_err(unavailable)?)
                .execute(&mut *connection)
                .await
                .map_err(unavailable)?;
            touched_keys.extend(touched(&[&new]));
            resealed += 1;
        }
        old.id().clone_into(&mut after);
    }
    Ok(resealed)
}

const SET_KEY: &str = "UPDATE signing_keys SET sealed = $2 WHERE kid = $1";
const NEXT: &str = "SELECT revision, doc FROM connections WHERE id > $1 ORDER BY id LIMIT 1";
const SET_CONNECTION: &str = "UPDATE connections SET revision = $2, doc = $3 WHERE id = $1";
