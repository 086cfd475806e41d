//! Organizations and the domains that they hold.

use std::sync::Arc;

use sqlx::AnyConnection;

use super::Catalog;
use crate::catalog::cache::Key;
use crate::catalog::domain_index::{HOLDERS, covering, exact_then_wildcards, most_specific};
use crate::catalog::error::CatalogError;
use crate::catalog::resource::{Resource, Sql, execute, sql, text};
use crate::catalog::{DomainName, DomainPattern, Organization, OrganizationDomain};

impl Catalog {
    /// The organization that holds this domain verified: by its exact name, else by the wildcard with most labels. So a
    /// wildcard never covers a name that another organization holds (RULES 25).
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn organization_holding(
        &self,
        domain: &DomainName,
    ) -> Result<Option<Arc<Organization>>, CatalogError> {
        let key = Key::HolderOfDomain(domain.to_string());
        let name: Option<String> = self
            .storage
            .cached(key, async |connection| {
                let patterns = exact_then_wildcards(domain);
                let holder = most_specific(connection, HOLDERS, &patterns).await?.pop();
                Ok((holder, 64))
            })
            .await?;
        let Some(name) = name else { return Ok(None) };
        Ok(self.get::<Organization>(&name).await?.map(|found| found.object))
    }

    /// The organization whose verified wildcard, the one with most labels, covers all of `pattern`; of an exact pattern the
    /// holder of that name.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn organization_covering(
        &self,
        pattern: &DomainPattern,
    ) -> Result<Option<String>, CatalogError> {
        let mut reader = self.storage.reader().await?;
        Ok(most_specific(&mut reader, HOLDERS, &covering(pattern)).await?.pop())
    }
}

impl Resource for Organization {
    const KIND: &'static str = "organization";
    const PREFIX: &'static str = "org_";
    const NAME_FIELD: &'static str = "name";
    const SQL: Sql = sql!(
        "organizations", "name",
        insert: "INSERT INTO organizations (id, name, revision, doc) VALUES ($1, $2, $3, $4)",
        update: "UPDATE organizations SET revision = $3, doc = $4 WHERE id = $1 AND name = $2"
    );

    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> &str {
        self.name.as_str()
    }

    fn columns(&self) -> Vec<Option<&str>> {
        vec![Some(&self.id), Some(self.name.as_str())]
    }

    /// What one organization holds verified, no other holds, and no connection of another lists. A name below another's
    /// wildcard can be claimed: that is for the operator to decide, so whoever acts for a customer asks
    /// [`Catalog::organization_holding`] first (RULES 25).
    async fn check(&self, connection: &mut AnyConnection) -> Result<(), CatalogError> {
        for domain in self.domains.iter().filter(|domain| domain.verified) {
            let values = [&*domain.name.to_string(), self.name.as_str()];
            for statement in [HELD_BY_ANOTHER, LISTED_BY_ANOTHER] {
                if text(connection, statement, &values).await?.is_some() {
                    return Err(CatalogError::Conflict { field: "domains" });
                }
            }
        }
        Ok(())
    }

    async fn index(&self, connection: &mut AnyConnection) -> Result<(), CatalogError> {
        for OrganizationDomain { name, verified, .. } in &self.domains {
            let statement = if *verified { ADD_VERIFIED } else { ADD_UNVERIFIED };
            let values = [&*name.to_string(), self.name.as_str()];
            execute(connection, statement, &values, "domains").await?;
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
        for domain in &self.domains {
            keys.push(match &domain.name {
                DomainPattern::Exact(name) => Key::HolderOfDomain(name.to_string()),
                DomainPattern::Below(_) => Key::AnyDomain,
            });
        }
    }
}

const HELD_BY_ANOTHER: &str = "SELECT organization FROM organization_domains \
     WHERE verified = 1 AND name = $1 AND organization <> $2";
const LISTED_BY_ANOTHER: &str = "SELECT d.connection FROM connection_domains d \
     JOIN connections c ON c.name = d.connection WHERE d.pattern = $1 AND c.organization <> $2";
const ADD_VERIFIED: &str =
    "INSERT INTO organization_domains (name, organization, verified) VALUES ($1, $2, 1)";
const ADD_UNVERIFIED: &str =
    "INSERT INTO organization_domains (name, organization, verified) VALUES ($1, $2, 0)";
const REMOVE_DOMAINS: &str = "DELETE FROM organization_domains WHERE organization = $1";
const REFERRERS: [(&str, &str); 6] = [
    ("connection", "SELECT name FROM connections WHERE organization = $1 LIMIT 1"),
    ("client", "SELECT id FROM clients WHERE organization = $1 LIMIT 1"),
    ("invitation", "SELECT id FROM invitations WHERE organization = $1 LIMIT 1"),
    ("registration token", "SELECT id FROM registration_tokens WHERE organization = $1 LIMIT 1"),
    ("api token", "SELECT name FROM api_tokens WHERE organization = $1 LIMIT 1"),
    ("user", "SELECT user_id FROM user_organizations WHERE organization = $1 LIMIT 1"),
];
