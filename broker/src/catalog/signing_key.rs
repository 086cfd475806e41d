//! Our signing keys at rest: sealed, each in its state, changed in one transaction.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use homerealm_certs::{JwsAlgorithm, KeyState};
use serde_json::json;
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, Row as _};

use super::Catalog;
use super::audit::{Action, AuditObject, Author};
use super::cache::Key;
use super::error::{CatalogError, refused, unavailable};
use super::resource::{execute, text};
use super::storage::to_its_end;
use super::store::write_change;

/// A signing key as it is stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredKey {
    /// RFC 7638 thumbprint.
    pub kid: String,
    /// What it signs.
    pub algorithm: JwsAlgorithm,
    /// Where it stands in its life.
    pub state: KeyState,
    /// Since when it is in this state, to the millisecond.
    pub since: DateTime<Utc>,
    /// PKCS#8, sealed and bound to `kid`, base64.
    pub sealed: String,
}

impl Catalog {
    /// Every signing key, by algorithm and state.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn signing_keys(&self) -> Result<Vec<StoredKey>, CatalogError> {
        let query = sqlx::query::<Any>(ALL);
        let rows =
            query.fetch_all(&mut *self.storage.reader().await?).await.map_err(unavailable)?;
        rows.iter().map(read).collect()
    }

    /// Adds those of `fresh` whose place (algorithm and state) is free, so that of two nodes that start at once one makes
    /// the keys.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn add_missing_signing_keys(
        &self,
        fresh: Vec<StoredKey>,
    ) -> Result<(), CatalogError> {
        let storage = Arc::clone(&self.storage);
        to_its_end(async move {
            let mut write = storage.begin().await?;
            for key in &fresh {
                let place = [key.algorithm.as_str(), state_text(key.state)];
                if text(&mut write.transaction, AT_PLACE, &place).await?.is_none() {
                    add(&mut write.transaction, key, write.revision).await?;
                }
            }
            storage.commit(write, &[Key::SigningKeys]).await
        })
        .await
    }

    /// The active key of `next`'s algorithm retires, the next one becomes active, and `next` takes its place.
    ///
    /// # Errors
    /// [`CatalogError::Stale`] unless the next key so far is `expected`, [`CatalogError::Unavailable`].
    pub async fn rotate_signing_key(
        &self,
        expected: String,
        next: StoredKey,
        author: Option<Author>,
    ) -> Result<(), CatalogError> {
        let storage = Arc::clone(&self.storage);
        to_its_end(async move {
            let mut write = storage.begin().await?;
            let connection = &mut *write.transaction;
            let algorithm = next.algorithm.as_str();
            let so_far = text(connection, AT_PLACE, &[algorithm, "next"]).await?;
            if so_far.as_ref() != Some(&expected) {
                return Err(CatalogError::Stale);
            }
            for (from, to) in [("active", "retiring"), ("next", "active")] {
                sqlx::query::<Any>(MOVE)
                    .bind(algorithm)
                    .bind(from)
                    .bind(to)
                    .bind(next.since.timestamp_millis())
                    .bind(write.revision)
                    .execute(&mut *connection)
                    .await
                    .map_err(unavailable)?;
            }
            add(connection, &next, write.revision).await?;
            let rotated = author.map(|author| {
                let after = json!({"alg": algorithm, "active": expected, "next": next.kid});
                author.entry(Action::Rotated, key_object(&expected), None, Some(after))
            });
            write_change(connection, rotated).await?;
            storage.commit(write, &[Key::SigningKeys]).await
        })
        .await
    }

    /// Deletes a retiring key.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] where there is no retiring key with this id, or [`CatalogError::Unavailable`].
    pub async fn delete_retiring_key(
        &self,
        kid: &str,
        author: Option<Author>,
    ) -> Result<(), CatalogError> {
        let (storage, kid) = (Arc::clone(&self.storage), kid.to_owned());
        to_its_end(async move {
            let mut write = storage.begin().await?;
            if text(&mut write.transaction, RETIRING, &[&kid]).await?.is_none() {
                return Err(CatalogError::NotFound);
            }
            execute(&mut write.transaction, DELETE, &[&kid], "kid").await?;
            let retired = author.map(|a| a.entry(Action::Retired, key_object(&kid), None, None));
            write_change(&mut write.transaction, retired).await?;
            storage.commit(write, &[Key::SigningKeys]).await
        })
        .await
    }
}

fn key_object(kid: &str) -> AuditObject {
    AuditObject { kind: "signing key".to_owned(), id: kid.to_owned(), name: kid.to_owned() }
}

async fn add(
    connection: &mut AnyConnection,
    key: &StoredKey,
    revision: i64,
) -> Result<(), CatalogError> {
    sqlx::query::<Any>(ADD)
        .bind(key.kid.clone())
        .bind(key.algorithm.as_str())
        .bind(state_text(key.state))
        .bind(key.since.timestamp_millis())
        .bind(revision)
        .bind(key.sealed.clone())
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(|e| refused(e, "kid", "kid"))
}

fn read(row: &AnyRow) -> Result<StoredKey, CatalogError> {
    let column = |i: usize| row.try_get::<String, _>(i).map_err(unavailable);
    let since: i64 = row.try_get(3).map_err(unavailable)?;
    Ok(StoredKey {
        kid: column(0)?,
        algorithm: column(1)?.parse().map_err(unavailable)?,
        state: read_state(&column(2)?)?,
        since: DateTime::from_timestamp_millis(since).ok_or_else(|| unavailable("bad time"))?,
        sealed: column(4)?,
    })
}

const fn state_text(state: KeyState) -> &'static str {
    match state {
        KeyState::Active => "active",
        KeyState::Next => "next",
        KeyState::Retiring => "retiring",
    }
}

fn read_state(text: &str) -> Result<KeyState, CatalogError> {
    [KeyState::Active, KeyState::Next, KeyState::Retiring]
        .into_iter()
        .find(|state| state_text(*state) == text)
        .ok_or_else(|| unavailable("a signing key has an unknown state"))
}

const ALL: &str =
    "SELECT kid, alg, state, since, sealed FROM signing_keys ORDER BY alg, state, since";
const AT_PLACE: &str = "SELECT kid FROM signing_keys WHERE alg = $1 AND state = $2";
const RETIRING: &str = "SELECT kid FROM signing_keys WHERE kid = $1 AND state = 'retiring'";
const ADD: &str = "INSERT INTO signing_keys (kid, alg, state, since, revision, sealed) \
     VALUES ($1, $2, $3, $4, $5, $6)";
const MOVE: &str = "UPDATE signing_keys SET state = $3, since = $4, revision = $5 \
     WHERE alg = $1 AND state = $2";
const DELETE: &str = "DELETE FROM signing_keys WHERE kid = $1";
