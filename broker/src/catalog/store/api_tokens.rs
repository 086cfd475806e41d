//! Tokens of the management API.

use crate::catalog::resource::{Resource, Sql, sql};
use crate::catalog::{ApiToken, Name};

impl Resource for ApiToken {
    const KIND: &'static str = "api token";
    const PREFIX: &'static str = "apt_";
    const NAME_FIELD: &'static str = "name";
    const SQL: Sql = sql!(
        "api_tokens", "name",
        insert: "INSERT INTO api_tokens (id, name, organization, revision, doc) VALUES ($1, $2, $3, $4, $5)",
        update: "UPDATE api_tokens SET organization = $3, revision = $4, doc = $5 WHERE id = $1 AND name = $2"
    );

    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> &str {
        self.name.as_str()
    }

    fn columns(&self) -> Vec<Option<&str>> {
        let organization = self.scope.organization().map(Name::as_str);
        vec![Some(&self.id), Some(self.name.as_str()), organization]
    }
}
