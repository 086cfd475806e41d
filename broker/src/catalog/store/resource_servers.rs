//! APIs.

use std::sync::Arc;

use sqlx::AnyConnection;

use super::Catalog;
use crate::catalog::ResourceServer;
use crate::catalog::cache::Key;
use crate::catalog::error::CatalogError;
use crate::catalog::resource::{Resource, Sql, sql, text};

impl Catalog {
    /// The API of requests that name none, if there is one.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn default_resource_server(
        &self,
    ) -> Result<Option<Arc<ResourceServer>>, CatalogError> {
        let identifier: Option<String> = self
            .storage
            .cached(Key::DefaultResourceServer, async |connection| {
                Ok((text(connection, DEFAULT, &[]).await?, 64))
            })
            .await?;
        let Some(identifier) = identifier else { return Ok(None) };
        Ok(self.get::<ResourceServer>(&identifier).await?.map(|found| found.object))
    }
}

impl Resource for ResourceServer {
    const KIND: &'static str = "resource server";
    const PREFIX: &'static str = "api_";
    const NAME_FIELD: &'static str = "identifier";
    const SQL: Sql = sql!(
        "resource_servers", "identifier",
        insert: "INSERT INTO resource_servers (id, identifier, default_slot, revision, doc) VALUES ($1, $2, $3, $4, $5)",
        update: "UPDATE resource_servers SET default_slot = $3, revision = $4, doc = $5 WHERE id = $1 AND identifier = $2"
    );

    fn id(&self) -> &str {
        &self.id
    }

    #[expect(
        clippy::misnamed_getters,
        reason = "its `name` is for people, its identifier is unique"
    )]
    fn name(&self) -> &str {
        &self.identifier
    }

    fn columns(&self) -> Vec<Option<&str>> {
        vec![Some(&self.id), Some(&self.identifier), self.default.then_some("default")]
    }

    /// One API at most is the default.
    async fn check(&self, connection: &mut AnyConnection) -> Result<(), CatalogError> {
        if self.default && text(connection, OTHER_DEFAULT, &[&self.id]).await?.is_some() {
            return Err(CatalogError::Conflict { field: "default" });
        }
        Ok(())
    }

    async fn referrer(
        &self,
        connection: &mut AnyConnection,
    ) -> Result<Option<String>, CatalogError> {
        let grant = text(connection, GRANT, &[&self.identifier]).await?;
        Ok(grant.map(|id| format!("client grant {id}")))
    }

    fn touch(&self, keys: &mut Vec<Key>) {
        keys.push(Key::DefaultResourceServer);
    }
}

pub(super) const DEFAULT: &str =
    "SELECT identifier FROM resource_servers WHERE default_slot = 'default'";
const OTHER_DEFAULT: &str =
    "SELECT id FROM resource_servers WHERE default_slot = 'default' AND id <> $1";
const GRANT: &str = "SELECT id FROM client_grants WHERE audience = $1 LIMIT 1";
