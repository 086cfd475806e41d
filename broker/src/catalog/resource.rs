//! What every kind of catalog object has in common: an id, a key, a row with its document.

use std::fmt::Debug;
use std::ops::Deref;
use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use sqlx::{Any, Row as _};

use super::cache::Key;
use super::error::{CatalogError, refused, unavailable};

/// An object as it was read, with the revision of its last write: its entity tag.
#[derive(Debug)]
pub struct Versioned<T> {
    /// The object.
    pub object: Arc<T>,
    /// The catalog's revision of its last write.
    pub revision: i64,
}

/// One page of a list.
#[derive(Debug)]
pub struct Listed<T> {
    /// In the order of their keys.
    pub items: Vec<T>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<String>,
}

/// A kind of object.
///
/// The methods that are not documented for callers are for the store: each runs inside one write transaction, and every
/// write transaction of the catalog waits for the one before it.
pub trait Resource: Clone + Debug + DeserializeOwned + Serialize + Send + Sync + 'static {
    /// What it is called, e.g. `connection`.
    const KIND: &'static str;
    /// Every id starts with it.
    const PREFIX: &'static str;
    /// The field that [`Self::name`] comes from.
    const NAME_FIELD: &'static str;
    /// The statements of its table.
    const SQL: Sql;
    /// A page of those that belong to an organization ($1), after a name ($2), of a limit ($3); `None` where none does.
    const LIST_OF: Option<&'static str> = None;

    /// Given by us, never reused.
    fn id(&self) -> &str;

    /// Unique, immutable, never reused; the id, where it has none.
    fn name(&self) -> &str;

    /// Columns of its row, in the order of [`Sql::insert`]; revision and document follow.
    #[doc(hidden)]
    fn columns(&self) -> Vec<Option<&str>>;

    /// Whether it may take the place of `old`.
    #[doc(hidden)]
    fn may_replace(&self, _old: &Self) -> Result<(), CatalogError> {
        Ok(())
    }

    /// Rules between this object and others.
    #[doc(hidden)]
    fn check(
        &self,
        _connection: &mut AnyConnection,
    ) -> impl Future<Output = Result<(), CatalogError>> + Send {
        std::future::ready(Ok(()))
    }

    /// Writes the rows that lead to this object.
    #[doc(hidden)]
    fn index(
        &self,
        _connection: &mut AnyConnection,
    ) -> impl Future<Output = Result<(), CatalogError>> + Send {
        std::future::ready(Ok(()))
    }

    /// Removes the rows that [`Self::index`] wrote.
    #[doc(hidden)]
    fn unindex(
        &self,
        _connection: &mut AnyConnection,
    ) -> impl Future<Output = Result<(), CatalogError>> + Send {
        std::future::ready(Ok(()))
    }

    /// Kind and name of an object that keeps this one from being deleted.
    #[doc(hidden)]
    fn referrer(
        &self,
        _connection: &mut AnyConnection,
    ) -> impl Future<Output = Result<Option<String>, CatalogError>> + Send {
        std::future::ready(Ok(None))
    }

    /// Removes what belongs to this object and goes with it.
    #[doc(hidden)]
    fn forget(
        &self,
        _connection: &mut AnyConnection,
    ) -> impl Future<Output = Result<(), CatalogError>> + Send {
        std::future::ready(Ok(()))
    }

    /// Adds the cached answers, besides the object itself, that change with it.
    #[doc(hidden)]
    fn touch(&self, _keys: &mut Vec<Key>) {}

    /// Adds the cached answers that change only when it goes.
    #[doc(hidden)]
    fn touch_gone(_keys: &mut Vec<Key>) {}
}

/// The statements of a table.
#[derive(Clone, Copy, Debug)]
pub struct Sql {
    pub(super) by_id: &'static str,
    pub(super) by_name: &'static str,
    pub(super) delete: &'static str,
    pub(super) insert: &'static str,
    pub(super) list: &'static str,
    pub(super) update: &'static str,
}

/// The statements that differ by table and name column only, and the two that are given.
macro_rules! sql {
    ($table:literal, $name:literal, insert: $insert:literal, update: $update:literal) => {
        $crate::catalog::resource::Sql {
            by_id: concat!("SELECT revision, doc FROM ", $table, " WHERE id = $1"),
            by_name: concat!("SELECT revision, doc FROM ", $table, " WHERE ", $name, " = $1"),
            delete: concat!("DELETE FROM ", $table, " WHERE id = $1"),
            insert: $insert,
            list: concat!(
                "SELECT revision, doc FROM ",
                $table,
                " WHERE ",
                $name,
                " > $1 ORDER BY ",
                $name,
                " LIMIT $2"
            ),
            update: $update,
        }
    };
}
pub(super) use sql;

impl<T> Clone for Versioned<T> {
    fn clone(&self) -> Self {
        Self { object: Arc::clone(&self.object), revision: self.revision }
    }
}

impl<T> Deref for Versioned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.object
    }
}

/// A row `revision, doc`, and the length of its document.
pub(super) fn read_row<T: Resource>(row: &AnyRow) -> Result<(Versioned<T>, usize), CatalogError> {
    let revision: i64 = row.try_get(0).map_err(unavailable)?;
    let doc: String = row.try_get(1).map_err(unavailable)?;
    let object = serde_json::from_str(&doc).map_err(unavailable)?;
    Ok((Versioned { object: Arc::new(object), revision }, doc.len()))
}

/// Reads the row that `statement` finds by `value`.
pub(super) async fn find<T: Resource>(
    connection: &mut AnyConnection,
    statement: &'static str,
    value: &str,
) -> Result<Option<(Versioned<T>, usize)>, CatalogError> {
    let query = sqlx::query::<Any>(statement).bind(value.to_owned());
    let row = query.fetch_optional(connection).await.map_err(unavailable)?;
    row.as_ref().map(read_row).transpose()
}

/// Inserts the row of a new object and what leads to it.
pub(super) async fn insert_row<T: Resource>(
    connection: &mut AnyConnection,
    object: &T,
    revision: i64,
) -> Result<(), CatalogError> {
    object.check(connection).await?;
    write_row(connection, T::SQL.insert, object, revision).await?;
    object.index(connection).await
}

/// Puts `object` in the place of `old`.
pub(super) async fn replace_row<T: Resource>(
    connection: &mut AnyConnection,
    old: &T,
    object: &T,
    revision: i64,
) -> Result<(), CatalogError> {
    old.unindex(connection).await?;
    object.check(connection).await?;
    write_row(connection, T::SQL.update, object, revision).await?;
    object.index(connection).await
}

async fn write_row<T: Resource>(
    connection: &mut AnyConnection,
    statement: &'static str,
    object: &T,
    revision: i64,
) -> Result<(), CatalogError> {
    let doc = serde_json::to_string(object).map_err(unavailable)?;
    let mut query = sqlx::query::<Any>(statement);
    for column in object.columns() {
        query = query.bind(column.map(str::to_owned));
    }
    let written = query.bind(revision).bind(doc).execute(connection).await;
    let written = written.map_err(|e| refused(e, T::NAME_FIELD, "organization"))?;
    if written.rows_affected() == 1 { Ok(()) } else { Err(CatalogError::NotFound) }
}

/// Runs a statement with text parameters; what a unique index or a reference refuses names `field`.
pub(super) async fn execute(
    connection: &mut AnyConnection,
    statement: &'static str,
    values: &[&str],
    field: &'static str,
) -> Result<(), CatalogError> {
    let query = bound(statement, values);
    query.execute(connection).await.map(|_| ()).map_err(|e| refused(e, field, field))
}

/// The first column, text, of every row that a statement with text parameters finds.
pub(super) async fn texts(
    connection: &mut AnyConnection,
    statement: &'static str,
    values: &[&str],
) -> Result<Vec<String>, CatalogError> {
    let rows = bound(statement, values).fetch_all(connection).await.map_err(unavailable)?;
    rows.iter().map(|row| row.try_get(0).map_err(unavailable)).collect()
}

/// The first of them.
pub(super) async fn text(
    connection: &mut AnyConnection,
    statement: &'static str,
    values: &[&str],
) -> Result<Option<String>, CatalogError> {
    let row = bound(statement, values).fetch_optional(connection).await.map_err(unavailable)?;
    row.map(|row| row.try_get(0).map_err(unavailable)).transpose()
}

/// Whether a text from outside can be in the database at all: PostgreSQL has no NUL in text, and nothing of ours that is
/// looked up is longer.
pub(super) fn can_be_stored(text: &str) -> bool {
    !text.is_empty() && text.len() <= 2048 && !text.contains('\0')
}

/// Where the page after `last` begins.
pub(super) fn cursor(last: &str) -> String {
    URL_SAFE_NO_PAD.encode(last)
}

/// What [`cursor`] was made from.
pub(super) fn read_cursor(cursor: &str) -> Result<String, CatalogError> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| CatalogError::Cursor)?;
    let text = String::from_utf8(bytes).map_err(|_| CatalogError::Cursor)?;
    if can_be_stored(&text) { Ok(text) } else { Err(CatalogError::Cursor) }
}

fn bound(
    statement: &'static str,
    values: &[&str],
) -> sqlx::query::Query<'static, Any, sqlx::any::AnyArguments> {
    let mut query = sqlx::query::<Any>(statement);
    for value in values {
        query = query.bind((*value).to_owned());
    }
    query
}
