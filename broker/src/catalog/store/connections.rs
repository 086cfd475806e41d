//! Connections and the domains that lead to them.

use std::sync::Arc;

use sqlx::AnyConnection;

use super::Catalog;
use crate::catalog::cache::Key;
use crate::catalog::domain_index::{
    HOLDERS, LISTING, all_by_pattern, covering, exact_then_wildcards, most_specific,
};
use crate::catalog::error::CatalogError;
use crate::catalog::resource::{Resource, Sql, execute, sql, text, texts};
use crate::catalog::{Connection, DomainName, DomainPattern, Name};

impl Catalog {
    /// The connections of the most specific pattern that matches, enabled or not, by name. Where an organization holds the
    /// domain verified, those of other organizations do not count, however their pattern came to match (RULES 25): so a
    /// stranger's exact name does not stand before the holder's wildcard.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn connections_for_domain(
        &self,
        domain: &DomainName,
    ) -> Result<Vec<Arc<Connection>>, CatalogError> {
        let key = Key::ConnectionsForDomain(domain.to_string());
        let by_pattern: Arc<[Vec<String>]> = self
            .storage
            .cached(key, async |connection| {
                let patterns = exact_then_wildcards(domain);
                let all = all_by_pattern(connection, LISTING, &patterns).await?;
                let bytes = all.iter().flatten().map(|name| name.len() + 24).sum();
                Ok((all.into(), bytes))
            })
            .await?;
        if by_pattern.is_empty() {
            return Ok(Vec::new());
        }
        let holder = self.organization_holding(domain).await?;
        for names in by_pattern.iter() {
            let mut found = self.connections_named(names).await?;
            found.retain(|connection| match (&holder, &connection.organization) {
                (Some(holder), Some(owner)) => holder.name == *owner,
                (None, _) | (_, None) => true,
            });
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }

    /// The connections that an organization owns, enabled or not, by name.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn connections_of_organization(
        &self,
        organization: &Name,
    ) -> Result<Vec<Arc<Connection>>, CatalogError> {
        let key = Key::ConnectionsOf(organization.to_string());
        let names: Arc<[String]> = self
            .storage
            .cached(key, async |connection| {
                Ok(weighed(texts(connection, OWNED, &[organization.as_str()]).await?))
            })
            .await?;
        self.connections_named(&names).await
    }

    async fn connections_named(
        &self,
        names: &[String],
    ) -> Result<Vec<Arc<Connection>>, CatalogError> {
        let mut found = Vec::with_capacity(names.len());
        for name in names {
            found.extend(self.get::<Connection>(name).await?.map(|connection| connection.object));
        }
        Ok(found)
    }
}

impl Resource for Connection {
    const KIND: &'static str = "connection";
    const PREFIX: &'static str = "con_";
    const NAME_FIELD: &'static str = "name";
    const SQL: Sql = sql!(
        "connections", "name",
        insert: "INSERT INTO connections (id, name, organization, revision, doc) VALUES ($1, $2, $3, $4, $5)",
        update: "UPDATE connections SET organization = $3, revision = $4, doc = $5 WHERE id = $1 AND name = $2"
    );

    const LIST_OF: Option<&'static str> = Some(LIST_OF_ORGANIZATION);

    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> &str {
        self.name.as_str()
    }

    fn columns(&self) -> Vec<Option<&str>> {
        let organization = self.organization.as_ref().map(Name::as_str);
        vec![Some(&self.id), Some(self.name.as_str()), organization]
    }

    /// A domain that one organization holds verified, by name or by wildcard, leads to no connection of another.
    async fn check(&self, connection: &mut AnyConnection) -> Result<(), CatalogError> {
        let Some(owner) = &self.organization else { return Ok(()) };
        for pattern in &self.domains {
            let holder = most_specific(connection, HOLDERS, &covering(pattern)).await?.pop();
            if holder.is_some_and(|holder| holder != owner.as_str()) {
                return Err(CatalogError::Conflict { field: "domains" });
            }
        }
        Ok(())
    }

    async fn index(&self, connection: &mut AnyConnection) -> Result<(), CatalogError> {
        for pattern in &self.domains {
            let values = [&*pattern.to_string(), self.name.as_str()];
            execute(connection, ADD_DOMAIN, &values, "domains").await?;
        }
        Ok(())
    }

    async fn unindex(&self, connection: &mut AnyConnection) -> Result<(), CatalogError> {
        execute(connection, REMOVE_DOMAINS, &[self.name.as_str()], "domains").await
    }

    async fn referrer(
        &self,
        connection: &mut AnyConnection,
    ) -> Result<Option<String>, CatalogError> {
        for (kind, statement) in REFERRERS {
            if let Some(name) = text(connection, statement, &[self.name.as_str()]).await? {
                return Ok(Some(format!("{kind} {name}")));
            }
        }
        Ok(None)
    }

    fn touch(&self, keys: &mut Vec<Key>) {
        keys.extend(self.organization.iter().map(|owner| Key::ConnectionsOf(owner.to_string())));
        for pattern in &self.domains {
            keys.push(match pattern {
                DomainPattern::Exact(name) => Key::ConnectionsForDomain(name.to_string()),
                DomainPattern::Below(_) => Key::AnyDomain,
            });
        }
    }
}

fn weighed(names: Vec<String>) -> (Arc<[String]>, usize) {
    let bytes = names.iter().map(|name| name.len() + 24).sum();
    (names.into(), bytes)
}

pub(super) const OWNED: &str = "SELECT name FROM connections WHERE organization = $1 ORDER BY name";
const LIST_OF_ORGANIZATION: &str = "SELECT revision, doc FROM connections \
     WHERE organization = $1 AND name > $2 ORDER BY name LIMIT $3";
const ADD_DOMAIN: &str = "INSERT INTO connection_domains (pattern, connection) VALUES ($1, $2)";
const REMOVE_DOMAINS: &str = "DELETE FROM connection_domains WHERE connection = $1";
const REFERRERS: [(&str, &str); 5] = [
    ("client", "SELECT client_id FROM client_connections WHERE connection = $1 LIMIT 1"),
    ("identity migration", "SELECT id FROM identity_migrations WHERE connection = $1 LIMIT 1"),
    ("identity migration", "SELECT id FROM identity_migrations WHERE from_connection = $1 LIMIT 1"),
    ("password account", "SELECT id FROM password_accounts WHERE connection = $1 LIMIT 1"),
    ("user", "SELECT user_id FROM identities WHERE connection = $1 LIMIT 1"),
];
