//! Password accounts, found by their connection and address.

use sqlx::Any;

use super::Catalog;
use crate::catalog::error::{CatalogError, unavailable};
use crate::catalog::resource::{Resource, Sql, Versioned, read_row, sql};
use crate::catalog::{AccountEmail, Name, PasswordAccount};

impl Catalog {
    /// The account of a connection with this address. Not cached: what an unknown address costs, a known one costs too.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn password_account_by_email(
        &self,
        connection: &Name,
        email: &AccountEmail,
    ) -> Result<Option<Versioned<PasswordAccount>>, CatalogError> {
        let row = sqlx::query::<Any>(BY_EMAIL)
            .bind(connection.to_string())
            .bind(email.key().to_owned())
            .fetch_optional(&mut *self.storage.reader().await?)
            .await
            .map_err(unavailable)?;
        row.as_ref().map(|row| read_row(row).map(|(found, _)| found)).transpose()
    }
}

impl Resource for PasswordAccount {
    const KIND: &'static str = "password account";
    const PREFIX: &'static str = "pwa_";
    const NAME_FIELD: &'static str = "email";
    const SQL: Sql = sql!(
        "password_accounts", "id",
        insert: "INSERT INTO password_accounts (id, connection, email_key, revision, doc) VALUES ($1, $2, $3, $4, $5)",
        update: "UPDATE password_accounts SET revision = $4, doc = $5 WHERE id = $1 AND connection = $2 AND email_key = $3"
    );

    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> &str {
        &self.id
    }

    fn columns(&self) -> Vec<Option<&str>> {
        vec![Some(&self.id), Some(self.connection.as_str()), Some(self.email.key())]
    }
}

const BY_EMAIL: &str =
    "SELECT revision, doc FROM password_accounts WHERE connection = $1 AND email_key = $2";
