//! Planned changes of identity provider: the aliases by which users of an old connection are recognized at a new one.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::{Any, AnyConnection, Row as _};

use super::audit::{Audited, write_change};
use super::users::BY_IDENTITY;
use super::{Catalog, touched};
use crate::catalog::audit::{Action, Author};
use crate::catalog::cache::Key;
use crate::catalog::error::{CatalogError, unavailable};
use crate::catalog::identity_migration::IdentityMigration;
use crate::catalog::resource::{
    Resource, Sql, Versioned, execute, find, read_row, replace_row, sql, text, texts,
};
use crate::catalog::storage::{Storage, to_its_end};
use crate::catalog::{Identity, LoginRecord, Name, User};

/// What a migration would do with the users of the old connection, by their ids.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MigrationPreview {
    /// Recognized by one user's value.
    pub matched: Vec<String>,
    /// Nothing to recognize them by.
    pub without_value: Vec<String>,
    /// Several users of one value, group by group.
    pub ambiguous: Vec<Vec<String>>,
    /// Known at the new connection already.
    pub moved: Vec<String>,
}

/// An identity that a user gets.
#[derive(Clone, Debug)]
pub struct Link {
    /// Who links it.
    pub author: Author,
    /// Whose it becomes.
    pub user_id: String,
    /// What.
    pub identity: Identity,
}

impl Catalog {
    /// The migrations to a connection, ended ones included.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn migrations_to(
        &self,
        to: &Name,
    ) -> Result<Vec<Arc<IdentityMigration>>, CatalogError> {
        let ids: Arc<[String]> = self
            .storage
            .cached(Key::MigrationsTo(to.to_string()), async |connection| {
                Ok((texts(connection, TO, &[to.as_str()]).await?.into(), 100))
            })
            .await?;
        let mut found = Vec::with_capacity(ids.len());
        for id in ids.iter() {
            found.extend(self.get::<IdentityMigration>(id).await?.map(|found| found.object));
        }
        Ok(found)
    }

    /// What a migration would do right now.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn preview_migration(
        &self,
        migration: &IdentityMigration,
    ) -> Result<MigrationPreview, CatalogError> {
        let mut reader = self.storage.reader().await?;
        let users = users_of(&mut reader, &migration.from_connection).await?;
        Ok(preview(migration, users.into_values()))
    }
}

impl Audited<'_> {
    /// Gives users identities, all or none.
    ///
    /// # Errors
    /// [`CatalogError::Conflict`] where one belongs to somebody already, [`CatalogError::NotFound`] where a user is gone.
    pub async fn link_all(self, links: Vec<Link>) -> Result<(), CatalogError> {
        let (storage, _) = self.parts();
        to_its_end(async move { link_all(&storage, links).await }).await
    }
}

async fn link_all(storage: &Storage, links: Vec<Link>) -> Result<(), CatalogError> {
    let mut write = storage.begin().await?;
    let mut keys = Vec::new();
    for Link { author, user_id, identity } in links {
        let connection = &mut *write.transaction;
        let found: Option<(Versioned<User>, _)> =
            find(connection, User::SQL.by_id, &user_id).await?;
        let (old, _) = found.ok_or(CatalogError::NotFound)?;
        let digest = super::users::digest(&identity);
        if text(connection, BY_IDENTITY, &[&digest]).await?.is_some() {
            return Err(CatalogError::Conflict { field: "pairs" });
        }
        let mut new = (*old.object).clone();
        new.identities.push(identity);
        new.updated_at = author.at;
        replace_row(connection, &*old, &new, write.revision).await?;
        let entry = author.changed(Action::Updated, Some(&*old), Some(&new));
        write_change(connection, entry).await?;
        keys.extend(touched(&[&new]));
    }
    storage.commit(write, &keys).await
}

/// The user whom the aliases of a new identity lead to, through any of the migrations that its login names.
///
/// They are brought up to date first: users of the old connection may have come, changed or gone since.
pub(super) async fn recognized(
    connection: &mut AnyConnection,
    record: &LoginRecord,
    revision: i64,
) -> Result<Option<Versioned<User>>, CatalogError> {
    let mut ids = Vec::new();
    for (migration, digest) in &record.arrival.aliases {
        let found = find(connection, IdentityMigration::SQL.by_id, migration).await?;
        let found: Option<Versioned<IdentityMigration>> = found.map(|(found, _)| found);
        let Some(migration) = found.filter(|m| m.is_open(record.now)) else { continue };
        catch_up(connection, &migration, revision).await?;
        ids.extend(texts(connection, RECOGNIZED, &[&migration.id, digest]).await?);
    }
    ids.sort_unstable();
    ids.dedup();
    let id = match ids.as_slice() {
        [] => return Ok(None),
        [only] => only,
        _ => return Err(AMBIGUOUS),
    };
    let found: Option<(Versioned<User>, _)> = find(connection, User::SQL.by_id, id).await?;
    let (user, _) = found.ok_or(CatalogError::NotFound)?;
    let moved = user.identities.iter().any(|i| i.connection == record.identity.connection);
    if moved { Err(AMBIGUOUS) } else { Ok(Some(user)) }
}

/// Several users fit, or the one that fits has come by another identity of the new connection already.
pub const AMBIGUOUS: CatalogError = CatalogError::Conflict { field: "match" };

/// Writes of this very revision may still follow, so the next time begins with it again.
async fn catch_up(
    connection: &mut AnyConnection,
    migration: &IdentityMigration,
    revision: i64,
) -> Result<(), CatalogError> {
    let row = sqlx::query::<Any>(CAUGHT_UP).bind(migration.id.clone()).fetch_one(&mut *connection);
    let before: i64 = row.await.and_then(|row| row.try_get(0)).map_err(unavailable)?;
    let rows = sqlx::query::<Any>(CHANGED)
        .bind(before)
        .bind(migration.from_connection.to_string())
        .fetch_all(&mut *connection)
        .await
        .map_err(unavailable)?;
    for row in &rows {
        add_aliases(connection, migration, &read_row::<User>(row)?.0).await?;
    }
    sqlx::query::<Any>(CATCH_UP)
        .bind(migration.id.clone())
        .bind(revision - 1)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(unavailable)
}

async fn add_aliases(
    connection: &mut AnyConnection,
    migration: &IdentityMigration,
    user: &User,
) -> Result<(), CatalogError> {
    for value in migration.stored(user) {
        let values = [&*migration.id, &migration.rule.key(&value), &user.id];
        execute(connection, ADD_ALIAS, &values, "match").await?;
    }
    Ok(())
}

async fn users_of(
    connection: &mut AnyConnection,
    of: &Name,
) -> Result<BTreeMap<String, Arc<User>>, CatalogError> {
    let query = sqlx::query::<Any>(OF_CONNECTION).bind(of.to_string());
    let rows = query.fetch_all(connection).await.map_err(unavailable)?;
    let users = rows.iter().map(|row| Ok(read_row::<User>(row)?.0.object));
    users.map(|user| user.map(|user| (user.id.clone(), user))).collect()
}

fn preview(
    migration: &IdentityMigration,
    users: impl Iterator<Item = Arc<User>>,
) -> MigrationPreview {
    let mut preview = MigrationPreview::default();
    let mut by_value: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for user in users {
        let values = migration.stored(&user);
        if user.identities.iter().any(|i| i.connection == migration.connection) {
            preview.moved.push(user.id.clone());
        } else if values.is_empty() {
            preview.without_value.push(user.id.clone());
        }
        for value in values {
            by_value.entry(value).or_default().push(user.id.clone());
        }
    }
    for (_, mut ids) in by_value {
        ids.dedup();
        match ids.as_slice() {
            [only] if preview.moved.contains(only) => {}
            [_] => preview.matched.append(&mut ids),
            _ => preview.ambiguous.push(ids),
        }
    }
    preview.matched.sort();
    preview.matched.dedup();
    preview
}

impl Resource for IdentityMigration {
    const KIND: &'static str = "identity migration";
    const PREFIX: &'static str = "mig_";
    const NAME_FIELD: &'static str = "id";
    const SQL: Sql = sql!(
        "identity_migrations", "id",
        insert: "INSERT INTO identity_migrations (id, connection, from_connection, revision, doc, caught_up) VALUES ($1, $2, $3, $4, $5, $4)",
        update: "UPDATE identity_migrations SET connection = $2, from_connection = $3, revision = $4, doc = $5 WHERE id = $1"
    );

    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> &str {
        &self.id
    }

    fn columns(&self) -> Vec<Option<&str>> {
        vec![Some(&self.id), Some(self.connection.as_str()), Some(self.from_connection.as_str())]
    }

    /// Every user of the old connection gets an alias; two of one are refused.
    async fn index(&self, connection: &mut AnyConnection) -> Result<(), CatalogError> {
        for user in users_of(connection, &self.from_connection).await?.into_values() {
            add_aliases(connection, self, &user).await?;
        }
        match text(connection, TWICE, &[&self.id]).await? {
            None => Ok(()),
            Some(_) => Err(AMBIGUOUS),
        }
    }

    async fn unindex(&self, connection: &mut AnyConnection) -> Result<(), CatalogError> {
        execute(connection, REMOVE_ALIASES, &[&self.id], "match").await
    }

    fn touch(&self, keys: &mut Vec<Key>) {
        keys.push(Key::MigrationsTo(self.connection.to_string()));
    }
}

const TO: &str = "SELECT id FROM identity_migrations WHERE connection = $1";
const RECOGNIZED: &str =
    "SELECT user_id FROM identity_aliases WHERE migration = $1 AND digest = $2";
const CAUGHT_UP: &str = "SELECT caught_up FROM identity_migrations WHERE id = $1";
const CATCH_UP: &str = "UPDATE identity_migrations SET caught_up = $2 WHERE id = $1";
const CHANGED: &str = "SELECT u.revision, u.doc FROM users u WHERE u.revision > $1 \
     AND EXISTS (SELECT 1 FROM identities i WHERE i.user_id = u.id AND i.connection = $2)";
const OF_CONNECTION: &str = "SELECT u.revision, u.doc FROM identities i \
     JOIN users u ON u.id = i.user_id WHERE i.connection = $1";
const ADD_ALIAS: &str = "INSERT INTO identity_aliases (migration, digest, user_id) \
     VALUES ($1, $2, $3) ON CONFLICT (migration, digest, user_id) DO NOTHING";
const REMOVE_ALIASES: &str = "DELETE FROM identity_aliases WHERE migration = $1";
const TWICE: &str = "SELECT digest FROM identity_aliases WHERE migration = $1 \
     GROUP BY digest HAVING COUNT(*) > 1 LIMIT 1";
