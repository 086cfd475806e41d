//! From a verified identity to the local user and their organization (RULES 19-21; DESIGN §5.6).

use std::sync::Arc;

use homerealm_connectors::assertion::AssertionParts;

use super::claims::Normalized;
use super::failure::{Barred, Failure};
use super::request::AuthorizationRequest;
use super::standing::{Standing, enabled_organization};
use crate::app::App;
use crate::catalog::{
    Client, ClientKind, EmailAddress, Identity, LoginRecord, Name, Organization, User,
};
use crate::ids;

/// The local user, and in which organization they sign in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Made just now if this identity had none.
    pub user: Arc<User>,
    /// `None` where the user belongs to none, or to several and the client asked for none.
    pub organization: Option<Arc<Organization>>,
}

/// Finds or makes the user. The organization is settled first, so that nobody who is barred leaves a user behind.
///
/// # Errors
/// [`Barred::Organization`], [`Barred::OrganizationForeign`], or the catalog is away.
pub async fn sign_in(
    app: &App,
    request: &AuthorizationRequest,
    standing: &Standing,
    parts: &AssertionParts,
    normalized: &Normalized,
) -> Result<SignedIn, Failure> {
    let identity = Identity {
        connection: standing.connection.name.clone(),
        issuer: parts.issuer.clone(),
        subject: parts.subject.account_key(),
    };
    let asked = asked_organization(app, request, &standing.client).await?;
    let organization = match &standing.organization {
        Some(owner) => Some(Arc::clone(owner)),
        None => on_shared(app, &identity, normalized, asked.as_deref()).await?,
    };
    if let Some(asked) = asked
        && organization.as_ref().is_none_or(|o| o.name != asked.name)
    {
        return Err(Failure::Barred(Barred::OrganizationForeign));
    }
    let owner = standing.organization.as_ref().map(|o| o.name.clone());
    let record = LoginRecord {
        identity,
        claims: normalized.claims.clone(),
        organizations: owner.into_iter().collect(),
        new_user_id: ids::id("usr", app.random.as_ref()),
        now: app.now(),
    };
    let (user, _) = app.catalog.record_login(record).await?;
    Ok(SignedIn { user, organization })
}

/// The organization that the login must be in: the parameter's, else the one that a first-party client is tied to. A
/// third-party client's owner only limits its connections.
async fn asked_organization(
    app: &App,
    request: &AuthorizationRequest,
    client: &Client,
) -> Result<Option<Arc<Organization>>, Failure> {
    if let Some(asked) = &request.organization {
        let found = app.catalog.get::<Organization>(asked).await?.map(|found| found.object);
        let enabled = found.filter(|o| o.enabled);
        return enabled.map(Some).ok_or(Failure::Barred(Barred::Organization));
    }
    match &client.kind {
        ClientKind::FirstParty { organization: Some(own) } => {
            enabled_organization(app, own).await.map(Some)
        }
        ClientKind::FirstParty { organization: None } | ClientKind::ThirdParty { .. } => Ok(None),
    }
}

/// RULES 21: on a shared connection from membership, or from the domain where the address is verified; what was asked for
/// selects among these and never adds.
async fn on_shared(
    app: &App,
    identity: &Identity,
    normalized: &Normalized,
    asked: Option<&Organization>,
) -> Result<Option<Arc<Organization>>, Failure> {
    let known = app.catalog.user_by_identity(identity).await?;
    let mut names: Vec<Name> = known.map(|user| user.organizations.clone()).unwrap_or_default();
    let address = normalized.claims.email.as_deref().and_then(|e| EmailAddress::parse(e).ok());
    if let Some(address) = address.filter(|_| normalized.claims.email_verified == Some(true))
        && let Some(holder) = app.catalog.organization_holding(address.domain()).await?
        && !names.contains(&holder.name)
    {
        names.push(holder.name.clone());
    }
    match select(&names, asked.map(|o| &o.name))? {
        Some(name) => enabled_organization(app, name).await.map(Some),
        None => Ok(None),
    }
}

/// Among the organizations that a user belongs to.
fn select<'a>(belongs: &'a [Name], asked: Option<&Name>) -> Result<Option<&'a Name>, Failure> {
    match asked {
        Some(asked) => match belongs.iter().find(|name| *name == asked) {
            Some(found) => Ok(Some(found)),
            None => Err(Failure::Barred(Barred::OrganizationForeign)),
        },
        None => match belongs {
            [only] => Ok(Some(only)),
            _ => Ok(None),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::name;
    use super::*;

    fn selected(belongs: &[&str], asked: Option<&str>) -> Result<Option<String>, &'static str> {
        let belongs: Vec<Name> = belongs.iter().map(|n| name(n)).collect();
        let asked = asked.map(name);
        select(&belongs, asked.as_ref())
            .map(|found| found.map(ToString::to_string))
            .map_err(|failure| failure.code())
    }

    #[test]
    fn the_organization_parameter_selects_and_never_adds() {
        let acme = || Ok(Some("acme".to_owned()));

        assert_eq!(selected(&[], None), Ok(None));
        assert_eq!(selected(&["acme"], None), acme());
        assert_eq!(selected(&["acme", "globex"], None), Ok(None));
        assert_eq!(selected(&["acme", "globex"], Some("acme")), acme());
        assert_eq!(selected(&["globex"], Some("acme")), Err("organization_not_a_member"));
        assert_eq!(selected(&[], Some("acme")), Err("organization_not_a_member"));
    }
}
