//! Erasure: what stays of a user after deletion is their id, which is random and leads to nobody any more.

use sqlx::{Any, AnyConnection, Row as _};

use super::{Catalog, TOMBSTONE};
use crate::catalog::Invitation;
use crate::catalog::audit::{AuditEntry, LOGIN};
use crate::catalog::error::{CatalogError, unavailable};
use crate::catalog::resource::{Resource, execute, text};
use crate::catalog::storage::Storage;

/// What was found of a user and taken away.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Erased {
    /// Entries of the audit log that were emptied.
    pub audit_entries: u64,
    /// Login traces that were deleted.
    pub login_traces: u64,
}

impl Catalog {
    /// Whether there was such an object once.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn was_deleted<T: Resource>(&self, id: &str) -> Result<bool, CatalogError> {
        let mut reader = self.storage.reader().await?;
        Ok(text(&mut reader, TOMBSTONE, &[T::KIND, id]).await?.is_some())
    }

    /// Empties what a deleted user has left behind: in the audit log who did something to what stays, without addresses and
    /// documents; traces and the invitation that they came by go. It can be repeated where it was broken off.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`]; what was erased until then stays so.
    pub async fn erase_traces_of(&self, user_id: &str) -> Result<Erased, CatalogError> {
        let mut erased = Erased::default();
        let own = self.entries(BY_ACTOR, user_id).await?;
        let invitations = own.iter().filter(|entry| entry.object.kind == Invitation::KIND);
        let mut all = Vec::new();
        for id in invitations.map(|entry| entry.object.id.clone()) {
            all.extend(self.entries(ABOUT, &id).await?);
            match self.delete::<Invitation>(&id, None).await {
                Ok(()) | Err(CatalogError::NotFound) => {}
                Err(other) => return Err(other),
            }
        }
        all.extend(own);
        all.extend(self.entries(ABOUT, user_id).await?);
        for chunk in all.chunks(AT_ONCE) {
            empty(&self.storage, chunk, user_id).await?;
        }
        erased.audit_entries = all.len() as u64;
        for (statement, value) in
            [(TRACES, user_id.to_owned()), (OLD_TRACES, format!("%\"user_id\":\"{user_id}\"%"))]
        {
            let mut transaction = self.storage.begin_apart().await?;
            let deleted =
                sqlx::query::<Any>(statement).bind(value).execute(&mut *transaction).await;
            erased.login_traces += deleted.map_err(unavailable)?.rows_affected();
            transaction.commit().await.map_err(unavailable)?;
        }
        Ok(erased)
    }

    async fn entries(
        &self,
        statement: &'static str,
        value: &str,
    ) -> Result<Vec<AuditEntry>, CatalogError> {
        let query = sqlx::query::<Any>(statement).bind(value.to_owned());
        let rows = query.fetch_all(&mut *self.storage.reader().await?).await;
        let docs = rows.map_err(unavailable)?;
        let read = |row: &sqlx::any::AnyRow| {
            let doc: String = row.try_get(0).map_err(unavailable)?;
            serde_json::from_str(&doc).map_err(unavailable)
        };
        docs.iter().map(read).collect()
    }
}

/// Other writers need not wait for all of it.
const AT_ONCE: usize = 200;

async fn empty(
    storage: &Storage,
    entries: &[AuditEntry],
    user_id: &str,
) -> Result<(), CatalogError> {
    let mut transaction = storage.begin_apart().await?;
    for entry in entries {
        write(&mut transaction, emptied(entry.clone(), user_id)).await?;
    }
    transaction.commit().await.map_err(unavailable)
}

async fn write(connection: &mut AnyConnection, entry: AuditEntry) -> Result<(), CatalogError> {
    let doc = serde_json::to_string(&entry).map_err(unavailable)?;
    execute(connection, REWRITE, &[&entry.id, &doc], "id").await
}

/// Without the documents, which say who somebody is, and without where the user was. Of a login the client, the connection
/// and the outcome stay.
fn emptied(entry: AuditEntry, user_id: &str) -> AuditEntry {
    let address = entry.address.filter(|_| entry.actor.name != user_id);
    if entry.object.kind == LOGIN {
        return AuditEntry { address, ..entry };
    }
    AuditEntry { before: None, after: None, address, ..entry }
}

const BY_ACTOR: &str = "SELECT doc FROM audit_entries WHERE actor = $1";
const ABOUT: &str = "SELECT doc FROM audit_entries WHERE object_id = $1 AND kind <> 'login'";
const REWRITE: &str = "UPDATE audit_entries SET doc = $2 WHERE id = $1";
const TRACES: &str = "DELETE FROM login_traces WHERE user_id = $1 AND user_id <> ''";
const OLD_TRACES: &str =
    "DELETE FROM login_traces WHERE user_id = '?' AND user_id <> '' AND doc LIKE $1";
