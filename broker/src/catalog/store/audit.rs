//! The audit log: written in the transaction of the change that it tells of, read page by page.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::{Any, AnyConnection};

use super::timeline::{Dated, delete_all, page, position};
use super::{Catalog, delete, insert, put, update};
use crate::catalog::audit::{AuditEntry, Author};
use crate::catalog::error::{CatalogError, refused, unavailable};
use crate::catalog::resource::{Listed, Resource, Versioned, can_be_stored, text};
use crate::catalog::storage::{Storage, to_its_end};

/// Which entries; all that is given must fit.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// The kind of object, e.g. `connection`.
    pub kind: Option<String>,
    /// Id or name of the object; changes only, no logins.
    pub object: Option<String>,
    /// The actor's name.
    pub actor: Option<String>,
    /// At this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Before this time.
    pub to: Option<DateTime<Utc>>,
}

/// The catalog as somebody changes it: each write leaves its audit entry in the same transaction, or does not happen.
#[derive(Debug)]
pub struct Audited<'a> {
    catalog: &'a Catalog,
    author: Author,
}

impl Catalog {
    /// For one write of this author.
    pub const fn audited(&self, author: Author) -> Audited<'_> {
        Audited { catalog: self, author }
    }

    /// Replaces several objects in one transaction, in this order, each by its author and where it still has its revision: all,
    /// or none.
    ///
    /// # Errors
    /// As [`Self::update`], of the first object that is refused.
    pub async fn update_together<T: Resource>(
        &self,
        changes: Vec<(Author, T, i64)>,
    ) -> Result<(), CatalogError> {
        let storage = Arc::clone(&self.storage);
        to_its_end(async move {
            let (mut write, mut touched) = (storage.begin().await?, Vec::new());
            for (author, object, revision) in changes {
                touched.extend(put(&mut write, &object, Some(revision), Some(author)).await?);
            }
            storage.commit(write, &touched).await
        })
        .await
    }

    /// Writes an entry about something that is not in the catalog.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn record_audit(&self, entry: &AuditEntry) -> Result<(), CatalogError> {
        let (storage, entry) = (Arc::clone(&self.storage), entry.clone());
        to_its_end(async move {
            let mut transaction = storage.begin_apart().await?;
            write_entry(&mut transaction, &entry).await?;
            transaction.commit().await.map_err(unavailable)
        })
        .await
    }

    /// A page of at most `limit` entries (1-200), the latest first.
    ///
    /// # Errors
    /// [`CatalogError::Cursor`] or [`CatalogError::Unavailable`].
    pub async fn list_audit(
        &self,
        filter: &AuditFilter,
        limit: u32,
        from: Option<&str>,
    ) -> Result<Listed<AuditEntry>, CatalogError> {
        let limit = limit.clamp(1, 200);
        let end = filter.to.map_or(i64::MAX, |to| to.timestamp_millis());
        let (at, id) = from.map_or(Ok((end, String::new())), position)?;
        let (statement, key) = filter.statement();
        if !can_be_stored(&key) {
            return Ok(Listed { items: Vec::new(), next: None });
        }
        let rows = sqlx::query::<Any>(statement)
            .bind(at)
            .bind(id)
            .bind(i64::from(limit) + 1)
            .bind(filter.from.map_or(i64::MIN, |from| from.timestamp_millis()))
            .bind(storable(filter.kind.as_deref()))
            .bind(storable(filter.actor.as_deref()))
            .bind(key)
            .fetch_all(&mut *self.storage.reader().await?)
            .await
            .map_err(unavailable)?;
        page(&rows, limit)
    }

    /// An entry by its id.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn audit_entry(&self, id: &str) -> Result<Option<AuditEntry>, CatalogError> {
        if !can_be_stored(id) {
            return Ok(None);
        }
        let doc = text(&mut *self.storage.reader().await?, BY_ID, &[id]).await?;
        doc.map(|doc| serde_json::from_str(&doc).map_err(unavailable)).transpose()
    }

    /// Deletes the entries from before `at`, a thousand in a transaction so that others need not wait; how many.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`]; what was deleted until then stays deleted.
    pub async fn delete_audit_before(&self, at: DateTime<Utc>) -> Result<u64, CatalogError> {
        delete_all(&self.storage, DELETE_BEFORE, &[at.timestamp_millis()]).await
    }
}

impl Audited<'_> {
    /// What a write of its own needs.
    pub(super) fn parts(self) -> (Arc<Storage>, Author) {
        (Arc::clone(&self.catalog.storage), self.author)
    }

    /// As [`Catalog::insert`].
    ///
    /// # Errors
    /// As [`Catalog::insert`].
    pub async fn insert<T: Resource>(self, object: &T) -> Result<Versioned<T>, CatalogError> {
        let (storage, object) = (Arc::clone(&self.catalog.storage), Arc::new(object.clone()));
        let author = Some(self.author);
        to_its_end(async move { insert(&storage, object, author).await }).await
    }

    /// As [`Catalog::update`].
    ///
    /// # Errors
    /// As [`Catalog::update`].
    pub async fn update<T: Resource>(
        self,
        object: &T,
        expected_revision: Option<i64>,
    ) -> Result<Versioned<T>, CatalogError> {
        let (storage, object) = (Arc::clone(&self.catalog.storage), Arc::new(object.clone()));
        let author = Some(self.author);
        to_its_end(async move { update(&storage, object, expected_revision, author).await }).await
    }

    /// As [`Catalog::delete`], by id.
    ///
    /// # Errors
    /// As [`Catalog::delete`].
    pub async fn delete<T: Resource>(
        self,
        id: &str,
        expected_revision: Option<i64>,
    ) -> Result<(), CatalogError> {
        let (storage, id) = (Arc::clone(&self.catalog.storage), id.to_owned());
        let author = Some(self.author);
        to_its_end(async move { delete::<T>(&storage, &id, expected_revision, author).await }).await
    }
}

impl AuditFilter {
    /// The statement whose index fits best, and what it looks for there.
    fn statement(&self) -> (&'static str, String) {
        match (&self.object, &self.actor, self.kind.as_deref()) {
            (Some(id), _, _) if IDS.iter().any(|prefix| id.starts_with(prefix)) => {
                (OF_OBJECT_ID, id.clone())
            }
            (Some(name), _, _) => (OF_OBJECT_NAME, name.clone()),
            (None, Some(actor), _) => (OF_ACTOR, actor.clone()),
            (None, None, Some(kind)) if kind != crate::catalog::audit::LOGIN => {
                (OF_KIND, kind.to_owned())
            }
            // most entries are logins: those are found by time
            (None, None, _) => (LATEST, "any".to_owned()),
        }
    }
}

/// Writes an entry into a transaction.
pub(in crate::catalog) async fn write_entry(
    connection: &mut AnyConnection,
    entry: &AuditEntry,
) -> Result<(), CatalogError> {
    sqlx::query::<Any>(INSERT)
        .bind(entry.id.clone())
        .bind(entry.at.timestamp_millis())
        .bind(entry.object.kind.clone())
        .bind(entry.object.id.clone())
        .bind(entry.object.name.clone())
        .bind(entry.actor.name.clone())
        .bind(serde_json::to_string(entry).map_err(unavailable)?)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(|e| refused(e, "id", "id"))
}

/// Writes the entry of a change, where it has an author.
pub(in crate::catalog) async fn write_change(
    connection: &mut AnyConnection,
    entry: Option<AuditEntry>,
) -> Result<(), CatalogError> {
    match entry {
        Some(entry) => write_entry(connection, &entry).await,
        None => Ok(()),
    }
}

impl Dated for AuditEntry {
    fn place(&self) -> (DateTime<Utc>, &str) {
        (self.at, &self.id)
    }
}

/// Empty is "any"; what cannot be stored is nobody's name.
fn storable(text: Option<&str>) -> String {
    match text {
        None => String::new(),
        Some(text) if can_be_stored(text) => text.to_owned(),
        Some(_) => "?".to_owned(),
    }
}

/// Of objects that have a name beside their id (RULES 23: no name starts like one).
const IDS: [&str; 9] = ["apt_", "org_", "con_", "api_", "cgr_", "usr_", "rgt_", "inv_", "mig_"];

macro_rules! latest {
    ($condition:literal) => {
        concat!(
            "SELECT doc FROM audit_entries WHERE ",
            $condition,
            " AND (at, id) < ($1, $2) AND at >= $4 AND ($5 = '' OR kind = $5) \
             AND ($6 = '' OR actor = $6) ORDER BY at DESC, id DESC LIMIT $3"
        )
    };
}

const INSERT: &str = "INSERT INTO audit_entries (id, at, kind, object_id, object_name, actor, doc) \
     VALUES ($1, $2, $3, $4, $5, $6, $7)";
pub(super) const LATEST: &str = latest!("$7 = 'any'");
pub(super) const OF_ACTOR: &str = latest!("actor = $7");
pub(super) const OF_KIND: &str = latest!("kind = $7 AND kind <> 'login'");
pub(super) const OF_OBJECT_ID: &str = latest!("object_id = $7 AND kind <> 'login'");
pub(super) const OF_OBJECT_NAME: &str = latest!("object_name = $7 AND kind <> 'login'");
const BY_ID: &str = "SELECT doc FROM audit_entries WHERE id = $1";
const DELETE_BEFORE: &str = "DELETE FROM audit_entries WHERE id IN \
     (SELECT id FROM audit_entries WHERE at < $1 ORDER BY at, id LIMIT 1000)";
