//! The catalog: durable objects in SQL, read through a cache.

mod api_tokens;
mod audit;
mod client_grants;
mod clients;
mod connections;
mod consents;
mod erasure;
mod identity_migrations;
mod invitations;
mod organizations;
mod password_accounts;
mod registration_tokens;
mod resource_servers;
mod timeline;
mod traces;
mod users;

use std::sync::Arc;
use std::time::Duration;

use sqlx::Any;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use tokio::sync::watch;
use tokio::time::timeout;

use super::audit::{Action, Author};
use super::cache::Key;
use super::error::{CatalogError, OpenError, unavailable};
use super::group_commit::GroupCommit;
use super::master_key;
use super::name::Name;
use super::resource::{
    Listed, Resource, Versioned, can_be_stored, cursor, execute, find, insert_row, read_cursor,
    read_row, replace_row, text,
};
use super::storage::{Storage, Write, to_its_end};
use crate::seal::Sealer;

pub use audit::{AuditFilter, Audited};
pub(super) use audit::{write_change, write_entry};
pub use consents::{CONSENT, Consent};
pub use erasure::Erased;
pub use identity_migrations::{AMBIGUOUS, Link, MigrationPreview};
pub(super) use traces::write_trace;
pub(super) use users::write_login;
pub use users::{Arrival, LoginRecord};

#[cfg(test)]
mod tests;

/// The durable objects of the broker. Clones share database and cache.
#[derive(Clone, Debug)]
pub struct Catalog {
    pub(super) storage: Arc<Storage>,
    pub(super) writer: GroupCommit,
}

/// What the database gets to show that it is there.
const READINESS: Duration = Duration::from_secs(2);

/// How the catalog is doing.
#[derive(Clone, Copy, Debug)]
pub struct CatalogStats {
    /// Reads that the cache answered.
    pub hits: u64,
    /// Reads that went to the database.
    pub misses: u64,
    /// Writes of logins that wait for the group-commit writer.
    pub waiting: usize,
}

impl Catalog {
    /// Opens the database at `url` (`sqlite:PATH`, made if it is missing, or `postgres://…`), brings its schema up to date
    /// and compares the master key. Needs a tokio runtime that lives as long as the catalog.
    ///
    /// # Errors
    /// [`OpenError`], each with what has to be put right.
    pub async fn open(url: &str, sealer: &Sealer) -> Result<Self, OpenError> {
        Self::over(Storage::open(url).await?, sealer).await
    }

    /// A SQLite database as if other processes wrote to it too.
    #[cfg(test)]
    pub(super) async fn open_shared(url: &str, sealer: &Sealer) -> Result<Self, OpenError> {
        Self::over(Storage::open_shared(url).await?, sealer).await
    }

    async fn over(storage: Storage, sealer: &Sealer) -> Result<Self, OpenError> {
        master_key::check(&storage, sealer).await?;
        let storage = Arc::new(storage);
        Ok(Self { writer: GroupCommit::start(Arc::clone(&storage)), storage })
    }

    /// Reads what other nodes wrote until now and forgets what was cached of it; to be called twice a second. While it
    /// fails, everything that needs the database fails at once instead of waiting for it.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn catch_up(&self) -> Result<(), CatalogError> {
        self.storage.catch_up().await
    }

    /// Tells, after a [`Self::catch_up`], that signing keys were added, moved or deleted.
    pub fn signing_keys_changed(&self) -> watch::Receiver<()> {
        self.storage.signing_keys_changed()
    }

    /// How the catalog is doing, for `/metrics`.
    pub fn stats(&self) -> CatalogStats {
        let (hits, misses) = self.storage.reads();
        CatalogStats { hits, misses, waiting: self.writer.waiting() }
    }

    /// Whether a write would go through right now; changes nothing.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn writable(&self) -> Result<(), CatalogError> {
        // a write transaction starts with a write
        let write = self.storage.begin().await?;
        write.transaction.rollback().await.map_err(unavailable)
    }

    /// Ends the connections to the database after what is under way; every call after it is `Unavailable`.
    pub async fn close(&self) {
        self.storage.close().await;
    }

    /// Whether the database answers right now and logins can be written, for `/readyz`.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn ready(&self) -> Result<(), CatalogError> {
        if self.writer.has_ended() {
            return Err(unavailable("the writer of logins has ended"));
        }
        let answer = async {
            let query = sqlx::query::<Any>("SELECT current FROM catalog_revision WHERE id = 1");
            let row = query.fetch_one(&mut *self.storage.reader().await?).await;
            row.map(|_| ()).map_err(unavailable)
        };
        timeout(READINESS, answer).await.map_err(unavailable)?
    }

    /// An object by its id or name.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn get<T: Resource>(
        &self,
        id_or_name: &str,
    ) -> Result<Option<Versioned<T>>, CatalogError> {
        if !can_be_stored(id_or_name) {
            return Ok(None);
        }
        let key = Key::Object(T::KIND, id_or_name.to_owned());
        self.storage
            .cached(key, async |connection| {
                let mut found = None;
                if id_or_name.starts_with(T::PREFIX) {
                    found = find::<T>(connection, T::SQL.by_id, id_or_name).await?;
                }
                if found.is_none() && T::SQL.by_name != T::SQL.by_id {
                    found = find::<T>(connection, T::SQL.by_name, id_or_name).await?;
                }
                Ok(found.map_or((None, 0), |(object, bytes)| (Some(object), bytes)))
            })
            .await
    }

    /// Adds an object.
    ///
    /// # Errors
    /// [`CatalogError::Conflict`], [`CatalogError::Tombstoned`], [`CatalogError::Missing`] or [`CatalogError::Unavailable`].
    pub async fn insert<T: Resource>(&self, object: &T) -> Result<Versioned<T>, CatalogError> {
        let (storage, object) = (Arc::clone(&self.storage), Arc::new(object.clone()));
        to_its_end(async move { insert(&storage, object, None).await }).await
    }

    /// Adds many objects in one transaction: all, or none. Other writes wait for as long as it takes.
    ///
    /// # Errors
    /// As [`Self::insert`], of the first object that is refused.
    pub async fn insert_all<T: Resource>(&self, objects: Vec<T>) -> Result<(), CatalogError> {
        let storage = Arc::clone(&self.storage);
        to_its_end(async move {
            let mut write = storage.begin().await?;
            for object in &objects {
                add(&mut write, object).await?;
            }
            let touched = touched(&objects.iter().collect::<Vec<_>>());
            storage.commit(write, &touched).await
        })
        .await
    }

    /// Replaces the object with the same id; where a revision is expected, only that one.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`], [`CatalogError::Stale`], else as [`Self::insert`].
    pub async fn update<T: Resource>(
        &self,
        object: &T,
        expected_revision: Option<i64>,
    ) -> Result<Versioned<T>, CatalogError> {
        let (storage, object) = (Arc::clone(&self.storage), Arc::new(object.clone()));
        to_its_end(async move { update(&storage, object, expected_revision, None).await }).await
    }

    /// Deletes an object; its name is never given out again.
    ///
    /// # Errors
    /// [`CatalogError::Referenced`], [`CatalogError::NotFound`], [`CatalogError::Stale`] or [`CatalogError::Unavailable`].
    pub async fn delete<T: Resource>(
        &self,
        id_or_name: &str,
        expected_revision: Option<i64>,
    ) -> Result<(), CatalogError> {
        let Some(found) = self.get::<T>(id_or_name).await? else {
            return Err(CatalogError::NotFound);
        };
        let (storage, id) = (Arc::clone(&self.storage), found.id().to_owned());
        to_its_end(async move { delete::<T>(&storage, &id, expected_revision, None).await }).await
    }

    /// A page of at most `limit` objects (1-200) in the order of their names. Objects that come or go between two pages
    /// neither hide nor repeat others.
    ///
    /// # Errors
    /// [`CatalogError::Cursor`] or [`CatalogError::Unavailable`].
    pub async fn list<T: Resource>(
        &self,
        limit: u32,
        from: Option<&str>,
    ) -> Result<Listed<Versioned<T>>, CatalogError> {
        let after = from.map(read_cursor).transpose()?.unwrap_or_default();
        self.page_after(sqlx::query(T::SQL.list), after, limit).await
    }

    /// As [`Self::list`], of those that belong to an organization; empty for a kind of object that belongs to none.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub async fn list_of<T: Resource>(
        &self,
        organization: &Name,
        limit: u32,
        from: Option<&str>,
    ) -> Result<Listed<Versioned<T>>, CatalogError> {
        let after = from.map(read_cursor).transpose()?.unwrap_or_default();
        let Some(statement) = T::LIST_OF else {
            return Ok(Listed { items: Vec::new(), next: None });
        };
        let statement = sqlx::query(statement).bind(organization.to_string());
        self.page_after(statement, after, limit).await
    }

    /// Runs a statement whose last two arguments are where the page begins and how many rows to read.
    async fn page_after<T: Resource>(
        &self,
        statement: Query<'_, Any, AnyArguments>,
        after: String,
        limit: u32,
    ) -> Result<Listed<Versioned<T>>, CatalogError> {
        let limit = limit.clamp(1, 200);
        let rows = statement
            .bind(after)
            .bind(i64::from(limit) + 1)
            .fetch_all(&mut *self.storage.reader().await?)
            .await
            .map_err(unavailable)?;
        page(&rows, limit)
    }
}

/// The first `limit` of the rows, and where the next page begins if there is one more.
fn page<T: Resource>(rows: &[AnyRow], limit: u32) -> Result<Listed<Versioned<T>>, CatalogError> {
    let mut items = Vec::with_capacity(rows.len());
    for row in rows.iter().take(limit as usize) {
        items.push(read_row::<T>(row)?.0);
    }
    let more = rows.len() > items.len();
    let next = items.last().filter(|_| more).map(|last| cursor(last.name()));
    Ok(Listed { items, next })
}

async fn insert<T: Resource>(
    storage: &Storage,
    object: Arc<T>,
    author: Option<Author>,
) -> Result<Versioned<T>, CatalogError> {
    let mut write = storage.begin().await?;
    add(&mut write, object.as_ref()).await?;
    let connection = &mut *write.transaction;
    let created = |author: Author| author.changed(Action::Created, None, Some(object.as_ref()));
    write_change(connection, author.and_then(created)).await?;
    let revision = write.revision;
    storage.commit(write, &touched(&[object.as_ref()])).await?;
    Ok(Versioned { object, revision })
}

async fn add<T: Resource>(write: &mut Write, object: &T) -> Result<(), CatalogError> {
    let connection = &mut *write.transaction;
    for name in [object.name(), object.id()] {
        if text(connection, TOMBSTONE, &[T::KIND, name]).await?.is_some() {
            return Err(CatalogError::Tombstoned { field: T::NAME_FIELD });
        }
    }
    insert_row(connection, object, write.revision).await
}

async fn update<T: Resource>(
    storage: &Storage,
    object: Arc<T>,
    expected: Option<i64>,
    author: Option<Author>,
) -> Result<Versioned<T>, CatalogError> {
    let mut write = storage.begin().await?;
    let touched = put(&mut write, object.as_ref(), expected, author).await?;
    let revision = write.revision;
    storage.commit(write, &touched).await?;
    Ok(Versioned { object, revision })
}

/// Puts an object in the place of the one with its id; answers the cached answers that change with it.
async fn put<T: Resource>(
    write: &mut Write,
    object: &T,
    expected: Option<i64>,
    author: Option<Author>,
) -> Result<Vec<Key>, CatalogError> {
    let connection = &mut *write.transaction;
    let old = current::<T>(connection, object.id(), expected).await?;
    if old.name() != object.name() {
        return Err(CatalogError::Conflict { field: T::NAME_FIELD });
    }
    object.may_replace(&old)?;
    replace_row(connection, &*old, object, write.revision).await?;
    let updated = |author: Author| author.changed(Action::Updated, Some(&*old), Some(object));
    write_change(connection, author.and_then(updated)).await?;
    Ok(touched(&[&*old, object]))
}

async fn delete<T: Resource>(
    storage: &Storage,
    id: &str,
    expected: Option<i64>,
    author: Option<Author>,
) -> Result<(), CatalogError> {
    let mut write = storage.begin().await?;
    let connection = &mut *write.transaction;
    let old = current::<T>(connection, id, expected).await?;
    if let Some(by) = old.referrer(connection).await? {
        return Err(CatalogError::Referenced { by });
    }
    old.unindex(connection).await?;
    old.forget(connection).await?;
    execute(connection, T::SQL.delete, &[id], T::NAME_FIELD).await?;
    sqlx::query::<Any>(ADD_TOMBSTONE)
        .bind(T::KIND)
        .bind(old.name().to_owned())
        .bind(id.to_owned())
        .bind(write.revision)
        .execute(&mut *connection)
        .await
        .map_err(unavailable)?;
    let gone = |author: Author| author.changed(Action::Deleted, Some(&*old), None);
    write_change(connection, author.and_then(gone)).await?;
    let mut touched = touched(&[&*old]);
    T::touch_gone(&mut touched);
    storage.commit(write, &touched).await
}

async fn current<T: Resource>(
    connection: &mut sqlx::AnyConnection,
    id: &str,
    expected: Option<i64>,
) -> Result<Versioned<T>, CatalogError> {
    let found = find::<T>(connection, T::SQL.by_id, id).await?;
    let (found, _) = found.ok_or(CatalogError::NotFound)?;
    if expected.is_some_and(|revision| revision != found.revision) {
        return Err(CatalogError::Stale);
    }
    Ok(found)
}

/// Every cached answer that these objects are part of.
pub(super) fn touched<T: Resource>(objects: &[&T]) -> Vec<Key> {
    let mut keys = Vec::new();
    for object in objects {
        keys.push(Key::Object(T::KIND, object.id().to_owned()));
        keys.push(Key::Object(T::KIND, object.name().to_owned()));
        object.touch(&mut keys);
    }
    keys
}

const TOMBSTONE: &str = "SELECT id FROM tombstones WHERE kind = $1 AND name = $2";
const ADD_TOMBSTONE: &str =
    "INSERT INTO tombstones (kind, name, id, revision) VALUES ($1, $2, $3, $4)";
