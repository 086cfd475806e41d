//! How a connection is shown: without secrets, with the addresses that an IdP's admin needs.

use serde_json::{Map, Value, json};

use crate::admin::body;
use crate::admin::resource::{self, Shown};
use crate::app::App;
use crate::catalog::{
    Connection, ConnectionOptions, Name, OAuth2Options, OidcOptions, PasswordOptions, SamlOptions,
};

impl Shown for Connection {
    fn owner(&self) -> Option<&Name> {
        self.organization.as_ref()
    }

    const OPERATORS_OWN: &'static [&'static str] = &["clients", "domain_connection_organizations"];

    fn view(&self, app: &App) -> Value {
        let mut members = writable(self);
        members.insert("urls".to_owned(), urls(self, app));
        resource::complete(members, &self.id, (self.created_at, self.updated_at))
    }
}

/// The POST body that would make this connection, but for its secrets.
pub(super) fn writable(connection: &Connection) -> Map<String, Value> {
    let options = match &connection.options {
        ConnectionOptions::OAuth2(options) => oauth2(options),
        ConnectionOptions::Oidc(options) => oidc(options),
        ConnectionOptions::Password(options) => password(options),
        ConnectionOptions::Saml(options) => saml(options),
    };
    body::members(json!({
        "name": connection.name,
        "strategy": connection.strategy(),
        "vendor": connection.vendor,
        "organization": connection.organization,
        "display_name": connection.display_name,
        "domains": connection.domains,
        "is_domain_connection": connection.is_domain_connection,
        "domain_connection_organizations": connection.domain_connection_organizations,
        "enabled": connection.enabled,
        "clients": connection.clients,
        "options": options,
        "claims": connection.claims,
        "acr_values": connection.acr_values,
        "roles": connection.roles,
        "jit": connection.newcomers.jit,
    }))
}

fn saml(options: &SamlOptions) -> Value {
    json!({
        "metadata_xml": options.metadata_xml,
        "metadata_url": options.metadata_url,
        "sign_requests": options.sign_requests,
        "idp_initiated": options.idp_initiated,
        "sp_entity_id": options.sp_entity_id,
        "name_id_format": options.name_id_format,
        "clock_skew_seconds": options.clock_skew_seconds,
        "allow_sha1": options.allow_sha1,
        "allow_inclusive_c14n": options.allow_inclusive_c14n,
        "foreign_domains": options.foreign_domains,
        "subject_attribute": options.subject_attribute,
        "encrypt_assertions": options.encrypt_assertions,
        "allow_idp_http": options.allow_idp_http,
        "max_response_bytes": options.max_response_bytes,
    })
}

fn oauth2(options: &OAuth2Options) -> Value {
    json!({
        "authorization_url": options.authorization_url,
        "token_url": options.token_url,
        "userinfo_url": options.userinfo_url,
        "emails_url": options.emails_url,
        "issuer": options.issuer,
        "client_id": options.client_id,
        "token_endpoint_auth_method": options.token_endpoint_auth_method,
        "scopes": options.scopes,
        "pkce": options.pkce,
        "subject_attribute": options.subject_attribute,
        "forced_login_params": options.forced_login_params,
        "upstream_params": options.upstream_params,
        "foreign_domains": options.foreign_domains,
    })
}

fn oidc(options: &OidcOptions) -> Value {
    json!({
        "issuer": options.issuer,
        "client_id": options.client_id,
        "scopes": options.scopes,
        "response_mode": options.response_mode,
        "token_endpoint_auth_method": options.token_endpoint_auth_method,
        "acr_values": options.acr_values,
        "upstream_params": options.upstream_params,
        "foreign_domains": options.foreign_domains,
        "tenant": options.tenant,
        "allowed_tenants": options.allowed_tenants,
        "authority": options.authority,
        "clock_skew_seconds": options.clock_skew_seconds,
    })
}

fn password(options: &PasswordOptions) -> Value {
    json!({"min_length": options.min_length, "break_glass": options.break_glass})
}

fn urls(connection: &Connection, app: &App) -> Value {
    let issuer = &app.config.issuer;
    let name = &connection.name;
    match &connection.options {
        ConnectionOptions::OAuth2(_) | ConnectionOptions::Oidc(_) => {
            json!({"callback": issuer.url(&format!("/callback/{name}"))})
        }
        ConnectionOptions::Password(_) => json!({}),
        ConnectionOptions::Saml(options) => {
            let metadata = issuer.url(&format!("/saml/{name}/metadata")).to_string();
            let entity_id = options.sp_entity_id.clone().unwrap_or_else(|| metadata.clone());
            json!({
                "acs": issuer.url(&format!("/saml/{name}/acs")),
                "metadata": metadata,
                "entity_id": entity_id,
            })
        }
    }
}
