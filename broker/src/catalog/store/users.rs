//! Users and the identities that lead to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::AnyConnection;

use super::audit::write_change;
use super::identity_migrations::recognized;
use super::invitations::{accept, by_the_user};
use super::{Catalog, touched};
use crate::catalog::audit::{Action, Author};
use crate::catalog::cache::Key;
use crate::catalog::error::CatalogError;
use crate::catalog::group_commit::Item;
use crate::catalog::resource::{
    Resource, Sql, Versioned, execute, find, insert_row, replace_row, sql, text,
};
use crate::catalog::user::hashed;
use crate::catalog::{Identity, Name, NormalizedClaims, User};

/// A verified login, to be recorded at its user.
#[derive(Clone, Debug)]
pub struct LoginRecord {
    /// What the login proved.
    pub identity: Identity,
    /// Claims of this login; they replace those of the last one.
    pub claims: NormalizedClaims,
    /// Organizations that this login belongs to; added to those of the user.
    pub organizations: Vec<Name>,
    /// Id of the user if this is the identity's first login.
    pub new_user_id: String,
    /// How somebody new comes in.
    pub arrival: Arrival,
    /// When.
    pub now: DateTime<Utc>,
}

/// What happens at a login whose identity has no user yet; by default one is made.
#[derive(Clone, Debug, Default)]
pub struct Arrival {
    /// Whether none is made.
    pub refuses_strangers: bool,
    /// Migrations by id, each with the key by which it may recognize the user of another identity.
    pub aliases: Vec<(String, String)>,
    /// Id of the invitation that is used up by this login. One of a known user is used too.
    pub invitation: Option<String>,
    /// For the audit entry of either; who the user is, is filled in.
    pub author: Option<Author>,
}

impl Catalog {
    /// The user whom an identity leads to.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn user_by_identity(
        &self,
        identity: &Identity,
    ) -> Result<Option<Arc<User>>, CatalogError> {
        let digest = digest(identity);
        let id: Option<String> = self
            .storage
            .cached(Key::Identity(digest.clone()), async |connection| {
                Ok((text(connection, BY_IDENTITY, &[&digest]).await?, 100))
            })
            .await?;
        let Some(id) = id else { return Ok(None) };
        Ok(self.get::<User>(&id).await?.map(|found| found.object))
    }

    /// The user of a verified login, made if there was none (`true`), with its claims and organizations brought up to date.
    /// Concurrent first logins of one identity end with one user. Where nothing changes, nothing is written; nor for a
    /// blocked user.
    ///
    /// # Errors
    /// [`CatalogError::Missing`] where the connection or an organization is gone, [`CatalogError::NotFound`] where no user may
    /// be made or the invitation is not open any more, [`super::AMBIGUOUS`] where an alias leads to several users, or
    /// [`CatalogError::Unavailable`].
    pub async fn record_login(
        &self,
        record: LoginRecord,
    ) -> Result<(Arc<User>, bool), CatalogError> {
        if let Some(user) = self.user_by_identity(&record.identity).await?
            && record.arrival.invitation.is_none()
            && after_login(&user, &record).is_none()
        {
            return Ok((user, false));
        }
        self.writer.submit(|reply| Item::Login(Box::new(record), reply)).await
    }
}

/// Writes a login; the outcome, and what it touched.
pub(in crate::catalog) async fn write_login(
    connection: &mut AnyConnection,
    record: &LoginRecord,
    revision: i64,
) -> Result<((Arc<User>, bool), Vec<Key>), CatalogError> {
    let found = text(connection, BY_IDENTITY, &[&digest(&record.identity)]).await?;
    let Some(id) = found else { return arrive(connection, record, revision).await };
    let (old, _): (Versioned<User>, _) =
        find(connection, User::SQL.by_id, &id).await?.ok_or(CatalogError::NotFound)?;
    if old.blocked {
        return Ok(((old.object, false), Vec::new()));
    }
    let mut keys = accept(connection, record, &id, revision).await?;
    let Some(user) = after_login(&old, record) else {
        return Ok(((old.object, false), keys));
    };
    let user = Arc::new(user);
    replace_row(connection, &*old, user.as_ref(), revision).await?;
    keys.extend(touched(&[user.as_ref()]));
    Ok(((Arc::clone(&user), false), keys))
}

/// The first login of an identity: somebody is recognized, or a user is made, or neither.
async fn arrive(
    connection: &mut AnyConnection,
    record: &LoginRecord,
    revision: i64,
) -> Result<((Arc<User>, bool), Vec<Key>), CatalogError> {
    if let Some(old) = recognized(connection, record, revision).await? {
        let user = Arc::new(linked(&old, record));
        replace_row(connection, &*old, user.as_ref(), revision).await?;
        let entry = by_the_user(record, &user.id)
            .and_then(|author| author.changed(Action::Updated, Some(&*old), Some(user.as_ref())));
        write_change(connection, entry).await?;
        return Ok(((Arc::clone(&user), false), touched(&[user.as_ref()])));
    }
    if record.arrival.refuses_strangers {
        return Err(CatalogError::NotFound);
    }
    let user = Arc::new(first_login(record));
    insert_row(connection, user.as_ref(), revision).await?;
    let mut keys = accept(connection, record, &user.id, revision).await?;
    keys.extend(touched(&[user.as_ref()]));
    Ok(((Arc::clone(&user), true), keys))
}

/// The user with another identity, after their first login by it. Of a blocked one nothing else changes.
fn linked(old: &User, record: &LoginRecord) -> User {
    let mut user = old.clone();
    user.identities.push(record.identity.clone());
    user.updated_at = record.now;
    after_login(&user, record).unwrap_or(user)
}

fn first_login(record: &LoginRecord) -> User {
    User {
        id: record.new_user_id.clone(),
        claims: record.claims.clone(),
        claims_from: Some(record.identity.connection.clone()),
        claims_elsewhere: BTreeMap::new(),
        identities: vec![record.identity.clone()],
        organizations: record.organizations.clone(),
        blocked: false,
        signed_out_at: None,
        created_at: record.now,
        updated_at: record.now,
    }
}

/// The user as it is after a login; `None` where nothing changes.
fn after_login(user: &User, record: &LoginRecord) -> Option<User> {
    let joined = |name: &&Name| !user.organizations.contains(name);
    let new: Vec<_> = record.organizations.iter().filter(joined).cloned().collect();
    let connection = &record.identity.connection;
    let same = user.claims == record.claims && user.claims_from.as_ref() == Some(connection);
    if user.blocked || (same && new.is_empty()) {
        return None;
    }
    let mut claims_elsewhere = user.claims_elsewhere.clone();
    claims_elsewhere.extend(user.claims_from.clone().map(|from| (from, user.claims.clone())));
    claims_elsewhere.remove(connection);
    Some(User {
        claims: record.claims.clone(),
        claims_from: Some(connection.clone()),
        claims_elsewhere,
        organizations: user.organizations.iter().cloned().chain(new).collect(),
        updated_at: record.now,
        ..user.clone()
    })
}

impl Resource for User {
    const KIND: &'static str = "user";
    const PREFIX: &'static str = "usr_";
    const NAME_FIELD: &'static str = "id";
    const SQL: Sql = sql!(
        "users", "id",
        insert: "INSERT INTO users (id, revision, doc) VALUES ($1, $2, $3)",
        update: "UPDATE users SET revision = $2, doc = $3 WHERE id = $1"
    );

    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> &str {
        &self.id
    }

    fn columns(&self) -> Vec<Option<&str>> {
        vec![Some(&self.id)]
    }

    async fn index(&self, connection: &mut AnyConnection) -> Result<(), CatalogError> {
        for identity in &self.identities {
            let digest = digest(identity);
            if text(connection, BY_IDENTITY, &[&digest]).await?.is_some() {
                return Err(CatalogError::Conflict { field: "identities" });
            }
            let values = [&*digest, identity.connection.as_str(), &*self.id];
            execute(connection, ADD_IDENTITY, &values, "identities").await?;
        }
        for organization in &self.organizations {
            let values = [&*self.id, organization.as_str()];
            execute(connection, ADD_ORGANIZATION, &values, "organizations").await?;
        }
        Ok(())
    }

    async fn unindex(&self, connection: &mut AnyConnection) -> Result<(), CatalogError> {
        execute(connection, REMOVE_ALIASES, &[&self.id], "identities").await?;
        execute(connection, REMOVE_IDENTITIES, &[&self.id], "identities").await?;
        execute(connection, REMOVE_ORGANIZATIONS, &[&self.id], "organizations").await
    }

    async fn forget(&self, connection: &mut AnyConnection) -> Result<(), CatalogError> {
        execute(connection, REMOVE_CONSENTS, &[&self.id], "id").await
    }

    fn touch(&self, keys: &mut Vec<Key>) {
        keys.extend(self.identities.iter().map(|identity| Key::Identity(digest(identity))));
    }

    fn touch_gone(keys: &mut Vec<Key>) {
        keys.push(Key::AnyConsent);
    }
}

/// The key of an identity: hex SHA-256 over its three texts, each with its length in front, so that no two identities
/// have the same (DESIGN section 5, invariant 6).
pub(super) fn digest(identity: &Identity) -> String {
    hashed(&[identity.connection.as_str(), &identity.issuer, &identity.subject])
}

pub(super) const BY_IDENTITY: &str = "SELECT user_id FROM identities WHERE digest = $1";
const ADD_IDENTITY: &str =
    "INSERT INTO identities (digest, connection, user_id) VALUES ($1, $2, $3)";
const REMOVE_IDENTITIES: &str = "DELETE FROM identities WHERE user_id = $1";
/// A migration finds the user again by what they are then.
const REMOVE_ALIASES: &str = "DELETE FROM identity_aliases WHERE user_id = $1";
const ADD_ORGANIZATION: &str =
    "INSERT INTO user_organizations (user_id, organization) VALUES ($1, $2)";
const REMOVE_ORGANIZATIONS: &str = "DELETE FROM user_organizations WHERE user_id = $1";
const REMOVE_CONSENTS: &str = "DELETE FROM consents WHERE user_id = $1";
