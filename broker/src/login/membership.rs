//! Whether who signed in with an organization still belongs to it (RULES 21, THREATS X7).

use super::standing::Standing;
use crate::app::App;
use crate::catalog::{CatalogError, EmailAddress, Name, NormalizedClaims, Organization, User};

/// The organization whose people a verified address is of: the one that holds its domain.
///
/// # Errors
/// [`CatalogError::Unavailable`].
pub(super) async fn by_address(
    app: &App,
    claims: &NormalizedClaims,
) -> Result<Option<Name>, CatalogError> {
    let address = claims.email.as_deref().and_then(|email| EmailAddress::parse(email).ok());
    let Some(address) = address.filter(|_| claims.email_verified == Some(true)) else {
        return Ok(None);
    };
    let holder = app.catalog.organization_holding(address.domain()).await?;
    Ok(holder.map(|holder| holder.name.clone()))
}

/// By the reason that the login had: the connection is the organization's own, the user is a member, or the verified address
/// that the login named is of a domain that it holds. `claims` are those of the login, where they are known; else what the
/// user last said by this connection counts.
///
/// # Errors
/// [`CatalogError::Unavailable`].
pub async fn is_kept(
    app: &App,
    standing: &Standing,
    organization: &Organization,
    user: &User,
    claims: Option<&NormalizedClaims>,
) -> Result<bool, CatalogError> {
    let own = standing.connection.organization.as_ref();
    if own == Some(&organization.name) || user.organizations.contains(&organization.name) {
        return Ok(true);
    }
    let Some(claims) = claims.or_else(|| user.claims_by(&standing.connection.name)) else {
        return Ok(false);
    };
    Ok(by_address(app, claims).await?.as_ref() == Some(&organization.name))
}
