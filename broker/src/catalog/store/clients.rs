//! Clients and the connections that their own lists name.

use sqlx::AnyConnection;

use crate::catalog::cache::Key;
use crate::catalog::error::CatalogError;
use crate::catalog::resource::{Resource, Sql, execute, sql, text};
use crate::catalog::{Client, Name};

impl Resource for Client {
    const KIND: &'static str = "client";
    const PREFIX: &'static str = "";
    const NAME_FIELD: &'static str = "client_id";
    const SQL: Sql = sql!(
        "clients", "id",
        insert: "INSERT INTO clients (id, organization, revision, doc) VALUES ($1, $2, $3, $4)",
        update: "UPDATE clients SET organization = $2, revision = $3, doc = $4 WHERE id = $1"
    );

    const LIST_OF: Option<&'static str> = Some(OF_ORGANIZATION);

    fn id(&self) -> &str {
        &self.client_id
    }

    fn name(&self) -> &str {
        &self.client_id
    }

    fn columns(&self) -> Vec<Option<&str>> {
        vec![Some(&self.client_id), self.organization().map(Name::as_str)]
    }

    /// First-party or third-party never changes, nor whose a third-party client is.
    fn may_replace(&self, old: &Self) -> Result<(), CatalogError> {
        if self.is_third_party() != old.is_third_party() {
            return Err(CatalogError::Conflict { field: "first_party" });
        }
        if self.is_third_party() && self.kind != old.kind {
            return Err(CatalogError::Conflict { field: "organization" });
        }
        Ok(())
    }

    async fn index(&self, connection: &mut AnyConnection) -> Result<(), CatalogError> {
        for name in self.connections.iter().flatten() {
            let values = [&*self.client_id, name.as_str()];
            execute(connection, ADD_CONNECTION, &values, "connections").await?;
        }
        Ok(())
    }

    async fn unindex(&self, connection: &mut AnyConnection) -> Result<(), CatalogError> {
        execute(connection, REMOVE_CONNECTIONS, &[&self.client_id], "connections").await
    }

    async fn referrer(
        &self,
        connection: &mut AnyConnection,
    ) -> Result<Option<String>, CatalogError> {
        let grant = text(connection, GRANT, &[&self.client_id]).await?;
        Ok(grant.map(|id| format!("client grant {id}")))
    }

    async fn forget(&self, connection: &mut AnyConnection) -> Result<(), CatalogError> {
        execute(connection, REMOVE_CONSENTS, &[&self.client_id], "client_id").await
    }

    fn touch_gone(keys: &mut Vec<Key>) {
        keys.push(Key::AnyConsent);
    }
}

const OF_ORGANIZATION: &str = "SELECT revision, doc FROM clients \
     WHERE organization = $1 AND id > $2 ORDER BY id LIMIT $3";
const ADD_CONNECTION: &str =
    "INSERT INTO client_connections (client_id, connection) VALUES ($1, $2)";
const REMOVE_CONNECTIONS: &str = "DELETE FROM client_connections WHERE client_id = $1";
const REMOVE_CONSENTS: &str = "DELETE FROM consents WHERE client_id = $1";
const GRANT: &str = "SELECT id FROM client_grants WHERE client_id = $1 LIMIT 1";
