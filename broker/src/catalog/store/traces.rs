//! Login traces: written with others in one commit, read by id, reference or page.

use chrono::{DateTime, Utc};
use sqlx::{Any, AnyConnection, Row as _};

use super::Catalog;
use super::timeline::{Dated, delete_all, page, position};
use crate::catalog::error::{CatalogError, refused, unavailable};
use crate::catalog::group_commit::Item;
use crate::catalog::resource::{Listed, can_be_stored, text};
use crate::catalog::{Behind, EndedLogin, LoginTrace};

impl Catalog {
    /// Writes how a login ended: its trace, and its audit entry where it has one, in one transaction.
    ///
    /// # Errors
    /// [`CatalogError::Conflict`] where the trace's reference is taken, or [`CatalogError::Unavailable`].
    pub async fn record_end(&self, ended: EndedLogin) -> Result<(), CatalogError> {
        self.writer.submit(|reply| Item::Trace(Box::new(ended), reply)).await
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
        page(&rows, limit)
    }

    /// Deletes the traces from before `at`, a thousand in a transaction so that logins need not wait; how many.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`]; what was deleted until then stays deleted.
    pub async fn delete_traces_before(&self, at: DateTime<Utc>) -> Result<u64, CatalogError> {
        delete_all(&self.storage, DELETE_BEFORE, &[at.timestamp_millis()]).await
    }

    /// Deletes the oldest traces with this little behind them, beyond the latest `most`; how many. Those of one moment go
    /// together.
    ///
    /// # Errors
    /// As [`Self::delete_traces_before`].
    pub async fn delete_traces_beyond(
        &self,
        behind: Behind,
        most: u32,
    ) -> Result<u64, CatalogError> {
        let first_beyond = sqlx::query::<Any>(NTH_LATEST)
            .bind(behind.number())
            .bind(i64::from(most))
            .fetch_optional(&mut *self.storage.reader().await?)
            .await
            .map_err(unavailable)?;
        let Some(row) = first_beyond else { return Ok(0) };
        let at: i64 = row.try_get(0).map_err(unavailable)?;
        delete_all(&self.storage, DELETE_UNPROVEN, &[behind.number(), at]).await
    }
}

/// Inserts the row of a trace.
pub(in crate::catalog) async fn write_trace(
    connection: &mut AnyConnection,
    trace: &LoginTrace,
    behind: Behind,
) -> Result<(), CatalogError> {
    sqlx::query::<Any>(INSERT)
        .bind(trace.id.clone())
        .bind(trace.reference.clone())
        .bind(trace.at.timestamp_millis())
        .bind(behind.number())
        .bind(trace.user_id.clone().unwrap_or_default())
        .bind(serde_json::to_string(trace).map_err(unavailable)?)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(|e| refused(e, "reference", "reference"))
}

impl Dated for LoginTrace {
    fn place(&self) -> (DateTime<Utc>, &str) {
        (self.at, &self.id)
    }
}

const INSERT: &str = "INSERT INTO login_traces (id, reference, at, proof, user_id, doc) VALUES ($1, $2, $3, $4, $5, $6)";
pub(super) const BY_ID: &str = "SELECT doc FROM login_traces WHERE id = $1";
pub(super) const BY_REFERENCE: &str = "SELECT doc FROM login_traces WHERE reference = $1";
pub(super) const LATEST: &str =
    "SELECT doc FROM login_traces WHERE (at, id) < ($1, $2) ORDER BY at DESC, id DESC LIMIT $3";
const DELETE_BEFORE: &str = "DELETE FROM login_traces WHERE id IN \
     (SELECT id FROM login_traces WHERE at < $1 ORDER BY at, id LIMIT 1000)";
pub(super) const NTH_LATEST: &str =
    "SELECT at FROM login_traces WHERE proof = $1 AND proof < 2 ORDER BY at DESC LIMIT 1 OFFSET $2";
const DELETE_UNPROVEN: &str = "DELETE FROM login_traces WHERE id IN \
     (SELECT id FROM login_traces WHERE proof = $1 AND proof < 2 AND at <= $2 LIMIT 1000)";
