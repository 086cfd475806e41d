//! Whose passwords count: not those of a domain that an enterprise connection serves (RULES 21).

use crate::app::App;
use crate::catalog::{
    AccountEmail, CatalogError, Connection, ConnectionOptions, DomainName, Organization,
};
use crate::login::email::is_foreign;

/// Whether an address can have an account at a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Admission {
    /// It can.
    Admitted,
    /// Another connection serves its domain: that one's identity provider decides who still works there.
    Enterprise,
    /// Its domain is not one of the connection's (RULES 20).
    Foreign,
}

/// Judges an address. An account that is listed for the day on which the enterprise connection is broken passes.
///
/// # Errors
/// [`CatalogError::Unavailable`].
pub async fn admission(
    app: &App,
    connection: &Connection,
    owner: Option<&Organization>,
    email: &AccountEmail,
) -> Result<Admission, CatalogError> {
    let domain = email.address().domain();
    if is_foreign(connection, owner, domain) {
        return Ok(Admission::Foreign);
    }
    if breaks_the_glass(connection, email) || !has_enterprise(app, domain).await? {
        return Ok(Admission::Admitted);
    }
    Ok(Admission::Enterprise)
}

fn breaks_the_glass(connection: &Connection, email: &AccountEmail) -> bool {
    let ConnectionOptions::Password(options) = &connection.options else { return false };
    options.break_glass.iter().any(|listed| listed.key() == email.key())
}

/// Enabled or not: who switches company sign-in off does not mean to let its former people in by other means. A connection
/// without domains of its own serves those that its organization holds verified.
async fn has_enterprise(app: &App, domain: &DomainName) -> Result<bool, CatalogError> {
    let enterprise = |c: &Connection| !matches!(c.options, ConnectionOptions::Password(_));
    let listed = app.catalog.connections_for_domain(domain).await?;
    if listed.iter().any(|connection| enterprise(connection)) {
        return Ok(true);
    }
    let Some(holder) = app.catalog.organization_holding(domain).await? else { return Ok(false) };
    let held = app.catalog.connections_of_organization(&holder.name).await?;
    Ok(held.iter().any(|connection| enterprise(connection) && connection.domains.is_empty()))
}
