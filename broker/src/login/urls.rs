//! Our own URLs for a connection, made from the issuer alone, never from a request's Host.

use url::Url;

use crate::catalog::{Connection, ConnectionOptions, Name};
use crate::config::Issuer;

/// Assertion consumer service.
pub fn acs(issuer: &Issuer, connection: &Name) -> Url {
    issuer.url(&format!("/saml/{connection}/acs"))
}

/// Our SAML metadata for this connection.
pub fn sp_metadata(issuer: &Issuer, connection: &Name) -> Url {
    issuer.url(&format!("/saml/{connection}/metadata"))
}

/// Callback of an OIDC or OAuth 2.0 connection: its own, so that servers cannot be mixed up (RFC 9700 §4.4.2.2).
pub fn callback(issuer: &Issuer, connection: &Name) -> Url {
    issuer.url(&format!("/callback/{connection}"))
}

/// Our page that asks for a password.
pub const PASSWORD: &str = "/login/password";

/// Our SAML entity id: the metadata URL unless the connection says otherwise.
pub fn entity_id(issuer: &Issuer, connection: &Connection) -> String {
    let own = match &connection.options {
        ConnectionOptions::Saml(options) => options.sp_entity_id.clone(),
        ConnectionOptions::OAuth2(_)
        | ConnectionOptions::Oidc(_)
        | ConnectionOptions::Password(_) => None,
    };
    own.unwrap_or_else(|| sp_metadata(issuer, &connection.name).into())
}

/// Where the answer of this connection's IdP arrives.
pub fn answer(issuer: &Issuer, connection: &Connection) -> Url {
    match connection.options {
        ConnectionOptions::OAuth2(_) | ConnectionOptions::Oidc(_) => {
            callback(issuer, &connection.name)
        }
        ConnectionOptions::Password(_) => issuer.url(PASSWORD),
        ConnectionOptions::Saml(_) => acs(issuer, &connection.name),
    }
}
