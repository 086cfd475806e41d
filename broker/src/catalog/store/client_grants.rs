//! Client grants.

use std::sync::Arc;

use sqlx::AnyConnection;

use super::Catalog;
use crate::catalog::cache::Key;
use crate::catalog::error::CatalogError;
use crate::catalog::resource::{Resource, Sql, can_be_stored, sql, text, texts};
use crate::catalog::{Client, ClientGrant, DefaultFor, GrantHolder, SubjectType};

impl Catalog {
    /// What a client may ask an API for: by its own grant, else by the default of its kind. A third-party client's own grant
    /// without scopes is a no, whatever the default is.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn grant_for(
        &self,
        client: &Client,
        audience: &str,
        subject_type: SubjectType,
    ) -> Result<Option<Arc<ClientGrant>>, CatalogError> {
        let own = self.grant(&client.client_id, audience, subject_type).await?;
        if !client.is_third_party() {
            return Ok(own);
        }
        if own.is_some() {
            return Ok(own.filter(|grant| !grant.scopes.is_empty()));
        }
        self.default_grant(DefaultFor::ThirdPartyClients, audience, subject_type).await
    }

    /// The grant of clients of a kind that have none of their own for an API.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn default_grant(
        &self,
        default_for: DefaultFor,
        audience: &str,
        subject_type: SubjectType,
    ) -> Result<Option<Arc<ClientGrant>>, CatalogError> {
        if !can_be_stored(audience) {
            return Ok(None);
        }
        let key = Key::DefaultGrant(default_for, audience.to_owned(), subject_type);
        let values = [default_for.as_str(), audience, subject_text(subject_type)];
        self.granted(key, DEFAULT_GRANT, values).await
    }

    /// The grant of a client for an API, on behalf of a user or as itself.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn grant(
        &self,
        client_id: &str,
        audience: &str,
        subject_type: SubjectType,
    ) -> Result<Option<Arc<ClientGrant>>, CatalogError> {
        if !can_be_stored(client_id) || !can_be_stored(audience) {
            return Ok(None);
        }
        let key = Key::Grant(client_id.to_owned(), audience.to_owned(), subject_type);
        let values = [client_id, audience, subject_text(subject_type)];
        self.granted(key, GRANT, values).await
    }

    async fn granted(
        &self,
        key: Key,
        statement: &'static str,
        values: [&str; 3],
    ) -> Result<Option<Arc<ClientGrant>>, CatalogError> {
        let id: Option<String> = self
            .storage
            .cached(key, async |connection| Ok((text(connection, statement, &values).await?, 64)))
            .await?;
        let Some(id) = id else { return Ok(None) };
        Ok(self.get::<ClientGrant>(&id).await?.map(|found| found.object))
    }

    /// Every grant of a client, by audience.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn grants_of_client(
        &self,
        client_id: &str,
    ) -> Result<Vec<Arc<ClientGrant>>, CatalogError> {
        if !can_be_stored(client_id) {
            return Ok(Vec::new());
        }
        let ids: Arc<[String]> = self
            .storage
            .cached(Key::GrantsOf(client_id.to_owned()), async |connection| {
                let ids = texts(connection, GRANTS, &[client_id]).await?;
                let bytes = ids.len() * 64;
                Ok((ids.into(), bytes))
            })
            .await?;
        let mut grants = Vec::with_capacity(ids.len());
        for id in ids.iter() {
            grants.extend(self.get::<ClientGrant>(id).await?.map(|found| found.object));
        }
        Ok(grants)
    }
}

impl Resource for ClientGrant {
    const KIND: &'static str = "client grant";
    const PREFIX: &'static str = "cgr_";
    const NAME_FIELD: &'static str = "id";
    const SQL: Sql = sql!(
        "client_grants", "id",
        insert: "INSERT INTO client_grants (id, client_id, default_for, audience, subject_type, revision, doc) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
        update: "UPDATE client_grants SET client_id = $2, default_for = $3, revision = $6, doc = $7 \
                 WHERE id = $1 AND audience = $4 AND subject_type = $5"
    );

    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> &str {
        &self.id
    }

    fn columns(&self) -> Vec<Option<&str>> {
        let subject_type = subject_text(self.subject_type);
        let default_for = self.holder.default_for().map(DefaultFor::as_str);
        vec![
            Some(&self.id),
            self.holder.client_id(),
            default_for,
            Some(&self.audience),
            Some(subject_type),
        ]
    }

    /// Only the scopes of a grant can change.
    fn may_replace(&self, old: &Self) -> Result<(), CatalogError> {
        let conflict = |field| Err(CatalogError::Conflict { field });
        if self.holder.default_for() != old.holder.default_for() {
            return conflict("default_for");
        }
        if self.holder != old.holder {
            return conflict("client_id");
        }
        if self.audience != old.audience {
            return conflict("audience");
        }
        if self.subject_type != old.subject_type {
            return conflict("subject_type");
        }
        Ok(())
    }

    /// Client and API exist, and no other grant says the same.
    async fn check(&self, connection: &mut AnyConnection) -> Result<(), CatalogError> {
        if let Some(client_id) = self.holder.client_id()
            && text(connection, CLIENT, &[client_id]).await?.is_none()
        {
            return Err(CatalogError::Missing { field: "client_id" });
        }
        if text(connection, API, &[&self.audience]).await?.is_none() {
            return Err(CatalogError::Missing { field: "audience" });
        }
        let (statement, holder) = match &self.holder {
            GrantHolder::Client { client_id } => (GRANT, client_id.as_str()),
            GrantHolder::Default { default_for } => (DEFAULT_GRANT, default_for.as_str()),
        };
        let values = [holder, &*self.audience, subject_text(self.subject_type)];
        match text(connection, statement, &values).await? {
            Some(id) if id != self.id => Err(CatalogError::Conflict { field: "audience" }),
            Some(_) | None => Ok(()),
        }
    }

    fn touch(&self, keys: &mut Vec<Key>) {
        let (audience, subject_type) = (self.audience.clone(), self.subject_type);
        match &self.holder {
            GrantHolder::Client { client_id } => {
                keys.push(Key::Grant(client_id.clone(), audience, subject_type));
                keys.push(Key::GrantsOf(client_id.clone()));
            }
            GrantHolder::Default { default_for } => {
                keys.push(Key::DefaultGrant(*default_for, audience, subject_type));
            }
        }
    }
}

const fn subject_text(subject_type: SubjectType) -> &'static str {
    match subject_type {
        SubjectType::Client => "client",
        SubjectType::User => "user",
    }
}

pub(super) const GRANT: &str = "SELECT id FROM client_grants \
     WHERE client_id = $1 AND audience = $2 AND subject_type = $3";
pub(super) const DEFAULT_GRANT: &str = "SELECT id FROM client_grants \
     WHERE default_for = $1 AND audience = $2 AND subject_type = $3";
pub(super) const GRANTS: &str =
    "SELECT id FROM client_grants WHERE client_id = $1 ORDER BY audience, subject_type";
const CLIENT: &str = "SELECT id FROM clients WHERE id = $1";
const API: &str = "SELECT id FROM resource_servers WHERE identifier = $1";
