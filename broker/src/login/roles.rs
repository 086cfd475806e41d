//! Roles: from upstream groups by our own tables alone, never from what an IdP calls a role (RULES 22).

use crate::app::App;
use crate::catalog::{CatalogError, Connection, Name, Organization, RoleMapping};

/// The roles of a user of these groups who came by a connection and signed in with an organization: by the connection's table
/// and by the organization's.
pub fn of(
    connection: &Connection,
    organization: Option<&Organization>,
    groups: &[String],
) -> Vec<String> {
    // RULES 22: only as a part of its owner's mapping
    let own = organization.is_some_and(|o| connection.organization.as_ref() == Some(&o.name));
    let by_connection = groups.iter().filter_map(|group| connection.roles.get(group)).flatten();
    let by_connection = by_connection.filter(|_| own);
    let mappings = organization.map(|organization| organization.role_mappings.as_slice());
    let by_organization = mappings.unwrap_or_default().iter().filter(|mapping| {
        let applies = organization.is_some_and(|o| is_heard(mapping, connection, &o.name));
        applies && groups.contains(&mapping.group)
    });
    let by_organization = by_organization.map(|mapping| &mapping.role);
    let mut roles: Vec<String> = by_connection.chain(by_organization).cloned().collect();
    roles.sort_unstable();
    roles.dedup();
    roles
}

/// As [`of`] by what the tables say now: a mapping that was taken away gives nothing more, however long ago the login was.
///
/// # Errors
/// As the catalog.
pub async fn now(
    app: &App,
    connection: &Name,
    organization: Option<&str>,
    groups: &[String],
) -> Result<Vec<String>, CatalogError> {
    let Some(connection) = app.catalog.get::<Connection>(connection.as_str()).await? else {
        return Ok(Vec::new());
    };
    let organization = match organization {
        Some(organization) => app.catalog.get::<Organization>(organization).await?,
        None => None,
    };
    let organization = organization.map(|found| found.object);
    Ok(of(&connection.object, organization.as_deref(), groups))
}

/// Whose word about groups an organization's mapping takes: that of its own connections, or of the one that it names. What a
/// shared connection calls a group, anybody there may be able to join.
fn is_heard(mapping: &RoleMapping, connection: &Connection, organization: &Name) -> bool {
    match &mapping.connection {
        Some(named) => *named == connection.name,
        None => connection.organization.as_ref() == Some(organization),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{name, organization, saml};
    use super::*;

    fn mapping(group: &str, role: &str, connection: Option<&str>) -> RoleMapping {
        RoleMapping {
            group: group.to_owned(),
            role: role.to_owned(),
            connection: connection.map(name),
        }
    }

    /// Acme's mapping.
    fn acme() -> Organization {
        let role_mappings = vec![
            mapping("staff", "reader", None),
            mapping("admins", "admin", None),
            mapping("admins", "reader", None),
            mapping("staff", "visitor", Some("google")),
        ];
        Organization { role_mappings, ..organization("acme", &[]) }
    }

    fn roles(connection: &Connection, organization: Option<&Organization>) -> Vec<String> {
        let groups = ["admins", "staff", "others"].map(str::to_owned);
        of(connection, organization, &groups)
    }

    #[test]
    fn groups_become_roles_by_the_organizations_mapping() {
        assert_eq!(roles(&saml(), Some(&acme())), ["admin", "reader"]);
        assert!(roles(&saml(), Some(&organization("acme", &[]))).is_empty());
        assert!(roles(&saml(), None).is_empty());
    }

    #[test]
    fn the_connections_own_table_adds_to_it() {
        let mut connection = saml();
        connection.roles.insert("others".to_owned(), vec!["guest".to_owned()]);

        assert_eq!(roles(&connection, Some(&acme())), ["admin", "guest", "reader"]);
        assert!(roles(&connection, None).is_empty());
        connection.organization = None;
        assert!(roles(&connection, Some(&acme())).is_empty(), "a shared one's counts nowhere");
    }

    #[test]
    fn a_shared_or_foreign_connections_groups_count_only_where_the_mapping_names_it() {
        let shared = |called: &str| Connection { name: name(called), organization: None, ..saml() };
        let foreign = Connection { organization: Some(name("globex")), ..saml() };

        assert_eq!(roles(&shared("google"), Some(&acme())), ["visitor"]);
        assert!(roles(&shared("other"), Some(&acme())).is_empty());
        assert!(roles(&foreign, Some(&acme())).is_empty());
    }
}
