//! What the body of a client says about users of unknown domains.

use crate::admin::failure::Failure;
use crate::admin::fields::Fields;
use crate::app::App;
use crate::catalog::client::ClientHomeRealm;
use crate::catalog::{Connection, Name};

/// More than a page can offer.
const MOST: usize = 10;

/// Each must exist; whether the client may use it is asked at each login, as for every connection.
pub(super) async fn read(app: &App, fields: &mut Fields) -> Result<ClientHomeRealm, Failure> {
    const FIELD: &str = "otherwise_connections";
    let names = fields.parsed_list(FIELD, Name::try_from).unwrap_or_default();
    if names.len() > MOST {
        fields.refuse(FIELD, format!("must be a list of at most {MOST}"));
    }
    for (place, name) in names.iter().enumerate().take(MOST) {
        let found = app.catalog.get::<Connection>(name.as_str()).await?;
        if found.is_none_or(|found| found.object.name != *name) {
            let field = format!("{FIELD}.{place}");
            fields.refuse(&field, format!("`{name}` is not the name of a connection"));
        }
    }
    Ok(ClientHomeRealm { otherwise_connections: names })
}
