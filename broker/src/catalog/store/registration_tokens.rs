//! Initial access tokens of dynamic client registration.

use crate::catalog::RegistrationToken;
use crate::catalog::resource::{Resource, Sql, sql};

impl Resource for RegistrationToken {
    const KIND: &'static str = "registration token";
    const PREFIX: &'static str = "rgt_";
    const NAME_FIELD: &'static str = "id";
    const SQL: Sql = sql!(
        "registration_tokens", "id",
        insert: "INSERT INTO registration_tokens (id, organization, revision, doc) VALUES ($1, $2, $3, $4)",
        update: "UPDATE registration_tokens SET organization = $2, revision = $3, doc = $4 WHERE id = $1"
    );

    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> &str {
        &self.id
    }

    fn columns(&self) -> Vec<Option<&str>> {
        vec![Some(&self.id), Some(self.organization.as_str())]
    }
}
