//! What is written once, read page by page from the latest on, and deleted when it is old: traces and audit entries.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use sqlx::any::AnyRow;
use sqlx::{Any, Row as _};

use crate::catalog::error::{CatalogError, unavailable};
use crate::catalog::resource::{Listed, cursor, read_cursor};
use crate::catalog::storage::Storage;

/// An entry's place in time.
pub(super) trait Dated {
    /// When, and its id, which decides among those of one moment.
    fn place(&self) -> (DateTime<Utc>, &str);
}

/// The first `limit` of the rows, each a document, and where the next page begins if there is one more.
pub(super) fn page<T: Dated + DeserializeOwned>(
    rows: &[AnyRow],
    limit: u32,
) -> Result<Listed<T>, CatalogError> {
    let items: Vec<T> = rows.iter().take(limit as usize).map(read).collect::<Result<_, _>>()?;
    let more = rows.len() > items.len();
    let next = items.last().filter(|_| more).map(|last| {
        let (at, id) = last.place();
        cursor(&format!("{} {id}", at.timestamp_millis()))
    });
    Ok(Listed { items, next })
}

/// Where a page begins: before this time in milliseconds, and at it before this id.
pub(super) fn position(from: &str) -> Result<(i64, String), CatalogError> {
    let text = read_cursor(from)?;
    let (at, id) = text.split_once(' ').ok_or(CatalogError::Cursor)?;
    Ok((at.parse().map_err(|_| CatalogError::Cursor)?, id.to_owned()))
}

/// Runs a deletion of a thousand rows at most until there are none left, each in a transaction of its own so that others
/// need not wait; how many were deleted.
pub(super) async fn delete_all(
    storage: &Storage,
    a_thousand: &'static str,
    keys: &[i64],
) -> Result<u64, CatalogError> {
    let mut deleted = 0;
    loop {
        let mut transaction = storage.begin_apart().await?;
        let mut query = sqlx::query::<Any>(a_thousand);
        for key in keys {
            query = query.bind(*key);
        }
        let done = query.execute(&mut *transaction).await.map_err(unavailable)?;
        transaction.commit().await.map_err(unavailable)?;
        deleted += done.rows_affected();
        if done.rows_affected() == 0 {
            return Ok(deleted);
        }
    }
}

fn read<T: DeserializeOwned>(row: &AnyRow) -> Result<T, CatalogError> {
    let doc: String = row.try_get(0).map_err(unavailable)?;
    serde_json::from_str(&doc).map_err(unavailable)
}
