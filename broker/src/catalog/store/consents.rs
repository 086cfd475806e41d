//! What users allowed third-party clients.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, Row as _};

use super::audit::{Audited, write_change};
use super::{Catalog, execute};
use crate::catalog::audit::{Action, AuditObject, Author};
use crate::catalog::cache::Key;
use crate::catalog::error::{CatalogError, refused, unavailable};
use crate::catalog::resource::can_be_stored;
use crate::catalog::storage::{Storage, to_its_end};

/// The kind of audit entries about consents; their object's id is the user's, its name the client's.
pub const CONSENT: &str = "consent";

/// What a user allows a client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Consent {
    /// The client.
    pub client_id: String,
    /// As [`crate::oauth::consent`] names them, sorted.
    pub scopes: Arc<[String]>,
    /// Since when anything is allowed without a break. What was issued before belongs to a consent that was withdrawn.
    pub since: DateTime<Utc>,
}

impl Catalog {
    /// The scopes that a user allowed a client; none where it was never asked.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn consent(
        &self,
        user_id: &str,
        client_id: &str,
    ) -> Result<Arc<[String]>, CatalogError> {
        let found = self.consented(user_id, client_id).await?;
        Ok(found.map_or_else(Arc::default, |consent| Arc::clone(&consent.scopes)))
    }

    /// What a user allows a client, if anything.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn consented(
        &self,
        user_id: &str,
        client_id: &str,
    ) -> Result<Option<Arc<Consent>>, CatalogError> {
        if !can_be_stored(user_id) || !can_be_stored(client_id) {
            return Ok(None);
        }
        let key = Key::Consent(user_id.to_owned(), client_id.to_owned());
        self.storage
            .cached(key, async |connection| {
                let found = find(connection, user_id, client_id).await?;
                let bytes = found.iter().flat_map(|c| c.scopes.iter()).map(String::len).sum();
                Ok((found.map(Arc::new), bytes))
            })
            .await
    }

    /// Everything that a user allows clients, by client.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn consents_of(&self, user_id: &str) -> Result<Vec<Consent>, CatalogError> {
        let query = sqlx::query::<Any>(OF_USER).bind(user_id.to_owned());
        let rows = query.fetch_all(&mut *self.storage.reader().await?).await;
        rows.map_err(unavailable)?.iter().map(read).collect()
    }

    /// Adds scopes to those that a user allowed a client.
    ///
    /// # Errors
    /// [`CatalogError::Missing`] where user or client is gone, or [`CatalogError::Unavailable`].
    pub async fn remember_consent(
        &self,
        user_id: &str,
        client_id: &str,
        scopes: &[String],
        now: DateTime<Utc>,
    ) -> Result<(), CatalogError> {
        let storage = Arc::clone(&self.storage);
        let (user, client, scopes) = (user_id.to_owned(), client_id.to_owned(), scopes.to_vec());
        to_its_end(async move { remember(&storage, (user, client), scopes, now).await }).await
    }
}

impl Audited<'_> {
    /// Ends what a user allows a client: the client is asked for again, and what was issued to it counts no longer where that
    /// is asked.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] where nothing is allowed, or [`CatalogError::Unavailable`].
    pub async fn withdraw_consent(
        self,
        user_id: &str,
        client_id: &str,
    ) -> Result<(), CatalogError> {
        let (storage, author) = self.parts();
        let (user, client) = (user_id.to_owned(), client_id.to_owned());
        to_its_end(async move { withdraw(&storage, user, client, author).await }).await
    }
}

async fn withdraw(
    storage: &Storage,
    user: String,
    client: String,
    author: Author,
) -> Result<(), CatalogError> {
    let mut write = storage.begin().await?;
    let connection = &mut *write.transaction;
    let found = find(connection, &user, &client).await?.ok_or(CatalogError::NotFound)?;
    execute(connection, WITHDRAW, &[&user, &client], "client_id").await?;
    let object = AuditObject { kind: CONSENT.to_owned(), id: user.clone(), name: client.clone() };
    let before = serde_json::json!({"scopes": &*found.scopes, "since": found.since});
    let entry = author.entry(Action::Deleted, object, Some(before), None);
    write_change(connection, Some(entry)).await?;
    storage.commit(write, &[Key::Consent(user, client)]).await
}

async fn remember(
    storage: &Storage,
    (user, client): (String, String),
    new: Vec<String>,
    now: DateTime<Utc>,
) -> Result<(), CatalogError> {
    let mut write = storage.begin().await?;
    let connection = &mut *write.transaction;
    let before = find(connection, &user, &client).await?;
    let mut scopes = before.map(|consent| consent.scopes.to_vec()).unwrap_or_default();
    scopes.extend(new);
    scopes.sort();
    scopes.dedup();
    sqlx::query::<Any>(ALLOW)
        .bind(user.clone())
        .bind(client.clone())
        .bind(write.revision)
        .bind(serde_json::to_string(&scopes).map_err(unavailable)?)
        .bind(now.timestamp_millis())
        .execute(connection)
        .await
        .map_err(|e| refused(e, "client_id", "client_id"))?;
    storage.commit(write, &[Key::Consent(user, client)]).await
}

async fn find(
    connection: &mut AnyConnection,
    user: &str,
    client: &str,
) -> Result<Option<Consent>, CatalogError> {
    let query = sqlx::query::<Any>(ALLOWED).bind(user.to_owned()).bind(client.to_owned());
    let row = query.fetch_optional(connection).await.map_err(unavailable)?;
    row.as_ref().map(read).transpose()
}

/// A row `client_id, scopes, since`.
fn read(row: &AnyRow) -> Result<Consent, CatalogError> {
    let scopes: String = row.try_get(1).map_err(unavailable)?;
    let scopes: Vec<String> = serde_json::from_str(&scopes).map_err(unavailable)?;
    let since: i64 = row.try_get(2).map_err(unavailable)?;
    Ok(Consent {
        client_id: row.try_get(0).map_err(unavailable)?,
        scopes: scopes.into(),
        since: DateTime::from_timestamp_millis(since).ok_or_else(|| unavailable("a time"))?,
    })
}

pub(super) const ALLOWED: &str =
    "SELECT client_id, scopes, since FROM consents WHERE user_id = $1 AND client_id = $2";
pub(super) const OF_USER: &str =
    "SELECT client_id, scopes, since FROM consents WHERE user_id = $1 ORDER BY client_id";
const ALLOW: &str = "INSERT INTO consents (user_id, client_id, revision, scopes, since) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (user_id, client_id) \
     DO UPDATE SET revision = excluded.revision, scopes = excluded.scopes";
const WITHDRAW: &str = "DELETE FROM consents WHERE user_id = $1 AND client_id = $2";
