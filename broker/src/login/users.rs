//! From a verified identity to the local user and their organization (RULES 19-21; DESIGN §5.6).

use std::sync::Arc;

use homerealm_connectors::assertion::AssertionParts;

use super::arrival::{Newcomer, joining, stranger};
use super::claims::Normalized;
use super::failure::{Barred, Failure};
use super::membership::by_address;
use super::request::AuthorizationRequest;
use super::roles;
use super::standing::{Standing, enabled_organization};
use crate::app::App;
use crate::catalog::store::AMBIGUOUS;
use crate::catalog::{
    Arrival, CatalogError, Client, ClientKind, Identity, Invitation, LoginRecord, Name,
    NormalizedClaims, Organization, User,
};
use crate::ids;

/// The local user, and in which organization they sign in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Made just now if this identity had none.
    pub user: Arc<User>,
    /// `None` where the user belongs to none, or to several and the client asked for none.
    pub organization: Option<Arc<Organization>>,
    /// What the trace says of how they came: a code, and the object behind it.
    pub notes: Vec<(&'static str, String)>,
    /// Claims of this login, roles included.
    pub claims: NormalizedClaims,
}

/// Finds or makes the user. The organization is settled first, so that nobody who is barred leaves a user behind.
///
/// # Errors
/// [`Barred::Organization`], [`Barred::OrganizationForeign`], a bar for newcomers, or the catalog is away.
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
    let known = app.catalog.user_by_identity(&identity).await?;
    let newcomer = Newcomer { identity: &identity, claims: &normalized.claims, parts };
    let (organization, invitation) = match &standing.organization {
        Some(owner) => (Some(Arc::clone(owner)), None),
        None => on_shared(app, known.as_deref(), &newcomer, asked.as_deref()).await?,
    };
    if let Some(asked) = asked
        && organization.as_ref().is_none_or(|o| o.name != asked.name)
    {
        return Err(Failure::Barred(Barred::OrganizationForeign));
    }
    let arrival = match (&known, &invitation) {
        (Some(_), None) => Arrival::default(),
        (Some(_), Some(invitation)) => joining(app, invitation),
        (None, _) => {
            let name = organization.as_ref().map(|o| &o.name);
            newcomer.arrival(app, &standing.connection, name, invitation).await?
        }
    };
    let invited = arrival.invitation.is_some();
    let joined = organization.as_ref().filter(|_| invited || standing.organization.is_some());
    let groups = &normalized.claims.groups;
    let roles = roles::of(&standing.connection, organization.as_deref(), groups);
    let claims = NormalizedClaims { roles, ..normalized.claims.clone() };
    let record = LoginRecord {
        claims: claims.clone(),
        organizations: joined.map(|o| o.name.clone()).into_iter().collect(),
        new_user_id: ids::id("usr", app.random.as_ref()),
        arrival,
        now: app.now(),
        identity,
    };
    let (user, notes) = write_down(app, standing, record, known.is_some()).await?;
    Ok(SignedIn { user, organization, notes, claims })
}

type Notes = Vec<(&'static str, String)>;

async fn write_down(
    app: &App,
    standing: &Standing,
    record: LoginRecord,
    is_known: bool,
) -> Result<(Arc<User>, Notes), Failure> {
    let arrival = record.arrival.clone();
    let (user, created) = match app.catalog.record_login(record).await {
        Err(CatalogError::NotFound) => return Err(Failure::Barred(stranger(&standing.connection))),
        Err(AMBIGUOUS) => return Err(Failure::Barred(Barred::UserAmbiguous)),
        written => written?,
    };
    let recognized = !is_known && !created && !arrival.aliases.is_empty();
    let aliases = arrival.aliases.into_iter().filter(|_| recognized);
    let mut notes: Notes = aliases.map(|(id, _)| ("identity_migrated", id)).collect();
    if !recognized {
        notes.extend(arrival.invitation.map(|id| ("invitation_accepted", id)));
    }
    Ok((user, notes))
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
/// selects among these and never adds. An open invitation is a membership to come: it is looked for where the others lead
/// nowhere, and then used.
async fn on_shared(
    app: &App,
    known: Option<&User>,
    newcomer: &Newcomer<'_>,
    asked: Option<&Organization>,
) -> Result<(Option<Arc<Organization>>, Option<Arc<Invitation>>), Failure> {
    let claims = newcomer.claims;
    let mut names: Vec<Name> = known.map(|user| user.organizations.clone()).unwrap_or_default();
    if let Some(holder) = by_address(app, claims).await?
        && !names.contains(&holder)
    {
        names.push(holder);
    }
    let mut invitations = Vec::new();
    if asked.map_or(names.is_empty(), |asked| !names.contains(&asked.name)) {
        invitations = newcomer.invitations(app).await?;
        names.extend(invitations.iter().map(|invitation| invitation.organization.clone()));
        names.sort();
        names.dedup();
    }
    let Some(name) = select(&names, asked.map(|o| &o.name))? else { return Ok((None, None)) };
    let used = invitations.into_iter().find(|invitation| invitation.organization == *name);
    Ok((Some(enabled_organization(app, name).await?), used))
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
