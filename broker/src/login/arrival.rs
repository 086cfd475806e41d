//! Who may come for the first time: by the connection's policy, by an invitation, or as somebody whom an announced change of
//! identity provider brings (DESIGN §5.6; RULES 19, 21).

use std::sync::Arc;

use homerealm_connectors::assertion::AssertionParts;

use super::failure::{Barred, Failure};
use crate::app::App;
use crate::catalog::audit::Author;
use crate::catalog::identity_migration::{IdentityMigration, Stored};
use crate::catalog::invitation::{Invitation, Invited};
use crate::catalog::{
    Actor, ActorKind, Arrival, Connection, EmailAddress, Identity, Jit, Name, NormalizedClaims,
};
use crate::ids;

/// A verified login whose identity has no user yet, or whose user is to join an organization.
#[derive(Clone, Copy, Debug)]
pub(super) struct Newcomer<'a> {
    pub(super) identity: &'a Identity,
    pub(super) claims: &'a NormalizedClaims,
    pub(super) parts: &'a AssertionParts,
}

impl Newcomer<'_> {
    /// What is to be done where the identity has no user.
    ///
    /// # Errors
    /// [`Barred::UserUnknown`] or [`Barred::UserUninvited`] where nothing can let them in, or the catalog is away.
    pub(super) async fn arrival(
        &self,
        app: &App,
        connection: &Connection,
        organization: Option<&Name>,
        used: Option<Arc<Invitation>>,
    ) -> Result<Arrival, Failure> {
        let mut arrival = Arrival {
            aliases: self.aliases(app, connection).await?,
            invitation: used.map(|invitation| invitation.id.clone()),
            ..Arrival::default()
        };
        arrival.refuses_strangers = match connection.newcomers.jit {
            Jit::Create => false,
            Jit::ExistingOnly => true,
            Jit::Invitation => {
                if let (None, Some(organization)) = (&arrival.invitation, organization) {
                    let open = self.invitations(app).await?;
                    let own = open.into_iter().find(|i| i.organization == *organization);
                    arrival.invitation = own.map(|invitation| invitation.id.clone());
                }
                arrival.invitation.is_none()
            }
        };
        if arrival.refuses_strangers && arrival.aliases.is_empty() {
            return Err(Failure::Barred(stranger(connection)));
        }
        arrival.author = Some(author(app));
        Ok(arrival)
    }

    /// Open invitations, by identity or by verified address, those that end first in front.
    ///
    /// # Errors
    /// The catalog is away.
    pub(super) async fn invitations(&self, app: &App) -> Result<Vec<Arc<Invitation>>, Failure> {
        let mut found =
            app.catalog.invitations_of(&Invited::Identity(self.identity.clone())).await?;
        let verified = self.claims.email_verified == Some(true);
        let address = self.claims.email.as_deref().filter(|_| verified);
        if let Some(address) = address.and_then(|email| EmailAddress::parse(email).ok()) {
            found.extend(app.catalog.invitations_of(&Invited::from(&address)).await?);
        }
        found.retain(|invitation| invitation.is_open(app.now()));
        found.sort_by_key(|invitation| invitation.expires_at);
        Ok(found)
    }

    /// What the user may be known by, for each announced migration to this connection.
    async fn aliases(
        &self,
        app: &App,
        connection: &Connection,
    ) -> Result<Vec<(String, String)>, Failure> {
        let mut aliases = Vec::new();
        for migration in app.catalog.migrations_to(&connection.name).await? {
            let said = self.said(&migration).filter(|_| migration.is_open(app.now()));
            aliases.extend(said.map(|value| (migration.id.clone(), migration.rule.key(&value))));
        }
        Ok(aliases)
    }

    /// The one value that the new identity provider says; of several none is it.
    fn said(&self, migration: &IdentityMigration) -> Option<String> {
        let Some(attribute) = &migration.rule.attribute else {
            let is_proven = migration.rule.stored == Stored::Email;
            return migration.rule.claim(self.claims).filter(|_| is_proven);
        };
        match self.parts.attributes.get(attribute).map(Vec::as_slice) {
            Some([only]) => only.as_str().filter(|text| !text.is_empty()).map(str::to_owned),
            Some(_) | None => None,
        }
    }
}

/// What a join through an invitation is written down with.
pub(super) fn joining(app: &App, invitation: &Invitation) -> Arrival {
    let invitation = Some(invitation.id.clone());
    Arrival { invitation, author: Some(author(app)), ..Arrival::default() }
}

/// Why somebody without a user is turned away.
pub(super) const fn stranger(connection: &Connection) -> Barred {
    match connection.newcomers.jit {
        Jit::Create | Jit::ExistingOnly => Barred::UserUnknown,
        Jit::Invitation => Barred::UserUninvited,
    }
}

/// The catalog fills in who the user is.
fn author(app: &App) -> Author {
    Author {
        id: ids::id("aud", app.random.as_ref()),
        actor: Actor::new(ActorKind::User, "unknown"),
        address: None,
        at: app.now(),
    }
}
