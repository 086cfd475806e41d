//! Login traces: written with others in one commit, read by id, reference or page.

use chrono::{DateTime, Utc};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use sqlx::{Any, Row as _};

use super::Catalog;
use crate::catalog::error::{CatalogError, refused, unavailable};
use crate::catalog::group_commit::Item;
use crate::catalog::resource::{Listed, can_be_stored, cursor, read_cursor, text};
use crate::catalog::{AuditEntry, LoginTrace};

impl Catalog {
    /// Writes the trace of a login.
    ///
    /// # Errors
    /// [`CatalogError::Conflict`] where its reference is taken, or [`CatalogError::Unavailable`].
    pub async fn insert_trace(&self, trace: &LoginTrace) -> Result<(), CatalogError> {
        self.insert_audited_trace(trace, None).await
    }

    /// As [`Self::insert_trace`], with the audit entry of the login in the same transaction.
    ///
    /// # Errors
    /// As [`Self::insert_trace`].
    pub async fn insert_audited_trace(
        &self,
        trace: &LoginTrace,
        entry: Option<&AuditEntry>,
    ) -> Result<(), CatalogError> {
        let ended = Box::new((trace.clone(), entry.cloned()));
        self.writer.submit(|reply| Item::Trace(ended, reply)).await
    }

    /// A trace by its id or reference.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn trace(&self, id_or_reference: &str) -> Result<Option<LoginTrace>, CatalogError> {
        if !can_be_stored(id_or_reference) {
            return Ok(None);
        }
        let by_id = id_or_reference.starts_with("ltr_");
        let statement = if by_id { BY_ID } else { BY_REFERENCE };
        let mut reader = self.storage.reader().await?;
        let doc = text(&mut reader, statement, &[id_or_reference]).await?;
        doc.map(|doc| serde_json::from_str(&doc).map_err(unavailable)).transpose()
    }

    /// A page of at most `limit` traces (1-200), the latest first.
    ///
    /// # Errors
    /// [`CatalogError::Cursor`] or [`CatalogError::Unavailable`].
    pub async fn list_traces(
        &self,
        limit: u32,
        from: Option<&str>,
    ) -> Result<Listed<LoginTrace>, CatalogError> {
        let limit = limit.clamp(1, 200);
        let (at, id) = from.map_or(Ok((i64::MAX, String::new())), position)?;
        let rows = sqlx::query::<Any>(LATEST)
            .bind(at)
            .bind(id)
            .bind(i64::from(limit) + 1)
            .fetch_all(&mut *self.storage.reader().await?)
            .await
            .map_err(unavailable)?;
        let items: Vec<LoginTrace> =
            rows.iter().take(limit as usize).map(read).collect::<Result<_, _>>()?;
        let more = rows.len() > items.len();
        let next = items
            .last()
            .filter(|_| more)
            .map(|last| cursor(&format!("{} {}", last.at.timestamp_millis(), last.id)));
        Ok(Listed { items, next })
    }

    /// Deletes the traces from before `at`, a thousand in a transaction so that logins need not wait; how many.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`]; what was deleted until then stays deleted.
    pub async fn delete_traces_before(&self, at: DateTime<Utc>) -> Result<u64, CatalogError> {
        let mut deleted = 0;
        loop {
            let mut transaction = self.storage.begin_apart().await?;
            let query = sqlx::query::<Any>(DELETE_BEFORE).bind(at.timestamp_millis());
            let done = query.execute(&mut *transaction).await.map_err(unavailable)?;
            transaction.commit().await.map_err(unavailable)?;
            deleted += done.rows_affected();
            if done.rows_affected() == 0 {
                return Ok(deleted);
            }
        }
    }
}

/// Inserts the row of a trace.
pub(in crate::catalog) async fn write_trace(
    connection: &mut AnyConnection,
    trace: &LoginTrace,
) -> Result<(), CatalogError> {
    sqlx::query::<Any>(INSERT)
        .bind(trace.id.clone())
        .bind(trace.reference.clone())
        .bind(trace.at.timestamp_millis())
        .bind(serde_json::to_string(trace).map_err(unavailable)?)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(|e| refused(e, "reference", "reference"))
}

fn read(row: &AnyRow) -> Result<LoginTrace, CatalogError> {
    let doc: String = row.try_get(0).map_err(unavailable)?;
    serde_json::from_str(&doc).map_err(unavailable)
}

pub(super) fn position(from: &str) -> Result<(i64, String), CatalogError> {
    let text = read_cursor(from)?;
    let (at, id) = text.split_once(' ').ok_or(CatalogError::Cursor)?;
    Ok((at.parse().map_err(|_| CatalogError::Cursor)?, id.to_owned()))
}

const INSERT: &str = "INSERT INTO login_traces (id, reference, at, doc) VALUES ($1, $2, $3, $4)";
pub(super) const BY_ID: &str = "SELECT doc FROM login_traces WHERE id = $1";
pub(super) const BY_REFERENCE: &str = "SELECT doc FROM login_traces WHERE reference = $1";
pub(super) const LATEST: &str =
    "SELECT doc FROM login_traces WHERE (at, id) < ($1, $2) ORDER BY at DESC, id DESC LIMIT $3";
const DELETE_BEFORE: &str = "DELETE FROM login_traces WHERE id IN \
     (SELECT id FROM login_traces WHERE at < $1 LIMIT 1000)";
