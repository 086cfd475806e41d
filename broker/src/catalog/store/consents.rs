//! What users allowed third-party clients.

use std::sync::Arc;

use sqlx::Any;

use super::Catalog;
use crate::catalog::cache::Key;
use crate::catalog::error::{CatalogError, refused, unavailable};
use crate::catalog::resource::text;
use crate::catalog::storage::{Storage, to_its_end};

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
        let key = Key::Consent(user_id.to_owned(), client_id.to_owned());
        self.storage
            .cached(key, async |connection| {
                let doc = text(connection, ALLOWED, &[user_id, client_id]).await?;
                let scopes = read(doc.as_deref())?;
                Ok((scopes.into(), doc.map_or(0, |doc| doc.len())))
            })
            .await
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
    ) -> Result<(), CatalogError> {
        let storage = Arc::clone(&self.storage);
        let (user, client, scopes) = (user_id.to_owned(), client_id.to_owned(), scopes.to_vec());
        to_its_end(async move { remember(&storage, user, client, scopes).await }).await
    }
}

async fn remember(
    storage: &Storage,
    user: String,
    client: String,
    new: Vec<String>,
) -> Result<(), CatalogError> {
    let mut write = storage.begin().await?;
    let connection = &mut *write.transaction;
    let doc = text(connection, ALLOWED, &[&user, &client]).await?;
    let mut scopes = read(doc.as_deref())?;
    scopes.extend(new);
    scopes.sort();
    scopes.dedup();
    sqlx::query::<Any>(ALLOW)
        .bind(user.clone())
        .bind(client.clone())
        .bind(write.revision)
        .bind(serde_json::to_string(&scopes).map_err(unavailable)?)
        .execute(connection)
        .await
        .map_err(|e| refused(e, "client_id", "client_id"))?;
    storage.commit(write, &[Key::Consent(user, client)]).await
}

fn read(doc: Option<&str>) -> Result<Vec<String>, CatalogError> {
    doc.map_or(Ok(Vec::new()), |doc| serde_json::from_str(doc).map_err(unavailable))
}

pub(super) const ALLOWED: &str =
    "SELECT scopes FROM consents WHERE user_id = $1 AND client_id = $2";
const ALLOW: &str = "INSERT INTO consents (user_id, client_id, revision, scopes) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (user_id, client_id) \
     DO UPDATE SET revision = excluded.revision, scopes = excluded.scopes";
