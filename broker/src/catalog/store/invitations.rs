//! Invitations, and their one use.

use std::sync::Arc;

use sqlx::AnyConnection;

use super::audit::write_change;
use super::{Catalog, touched};
use crate::catalog::audit::{Action, Author};
use crate::catalog::cache::Key;
use crate::catalog::error::CatalogError;
use crate::catalog::invitation::{Accepted, Invitation, Invited};
use crate::catalog::resource::{Resource, Sql, Versioned, find, replace_row, sql, texts};
use crate::catalog::{Actor, ActorKind, LoginRecord};

impl Catalog {
    /// The invitations of somebody that were not accepted, expired ones included.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn invitations_of(
        &self,
        whom: &Invited,
    ) -> Result<Vec<Arc<Invitation>>, CatalogError> {
        let whom = whom.key();
        let ids: Arc<[String]> = self
            .storage
            .cached(Key::InvitationsOf(whom.clone()), async |connection| {
                let ids = texts(connection, OF_WHOM, &[&whom]).await?;
                Ok((ids.into(), 100))
            })
            .await?;
        let mut found = Vec::with_capacity(ids.len());
        for id in ids.iter() {
            found.extend(self.get::<Invitation>(id).await?.map(|invitation| invitation.object));
        }
        Ok(found)
    }
}

/// Uses the invitation that a login comes with, if it does; what that touched.
pub(super) async fn accept(
    connection: &mut AnyConnection,
    record: &LoginRecord,
    user_id: &str,
    revision: i64,
) -> Result<Vec<Key>, CatalogError> {
    let Some(id) = &record.arrival.invitation else { return Ok(Vec::new()) };
    let found: Option<(Versioned<Invitation>, _)> =
        find(connection, Invitation::SQL.by_id, id).await?;
    let open = found.map(|(old, _)| old).filter(|old| old.is_open(record.now));
    let old = open.ok_or(CatalogError::NotFound)?;
    let accepted = Accepted { user_id: user_id.to_owned(), at: record.now };
    let new =
        Invitation { accepted: Some(accepted), updated_at: record.now, ..(*old.object).clone() };
    replace_row(connection, &*old, &new, revision).await?;
    let entry = by_the_user(record, user_id)
        .and_then(|author| author.changed(Action::Updated, Some(&*old), Some(&new)));
    write_change(connection, entry).await?;
    Ok(touched(&[&*old]))
}

/// Who changes something by signing in.
pub(super) fn by_the_user(record: &LoginRecord, user_id: &str) -> Option<Author> {
    let author = record.arrival.author.clone()?;
    Some(Author { actor: Actor::new(ActorKind::User, user_id), ..author })
}

impl Resource for Invitation {
    const KIND: &'static str = "invitation";
    const PREFIX: &'static str = "inv_";
    const NAME_FIELD: &'static str = "id";
    const SQL: Sql = sql!(
        "invitations", "id",
        insert: "INSERT INTO invitations (id, organization, whom, revision, doc) VALUES ($1, $2, $3, $4, $5)",
        update: "UPDATE invitations SET organization = $2, whom = $3, revision = $4, doc = $5 WHERE id = $1"
    );

    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> &str {
        &self.id
    }

    fn columns(&self) -> Vec<Option<&str>> {
        let whom = self.accepted.is_none().then_some(self.key.as_str());
        vec![Some(&self.id), Some(self.organization.as_str()), whom]
    }

    fn touch(&self, keys: &mut Vec<Key>) {
        keys.push(Key::InvitationsOf(self.key.clone()));
    }
}

const OF_WHOM: &str = "SELECT id FROM invitations WHERE whom = $1";
