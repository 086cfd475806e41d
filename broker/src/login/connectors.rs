//! From a connection to its connector: secrets unsealed, metadata parsed, once until the connection changes.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use homerealm_certs::SpKey;
use homerealm_connectors::connector::Connector;
use homerealm_connectors::http::{Outbound, Secret};
use homerealm_connectors::oauth2::{OAuth2Connector, OAuth2Settings, SubjectRule};
use homerealm_connectors::oidc::{IssuerRule, OidcConnector, OidcSettings, Providers};
use homerealm_connectors::saml::{SamlConnector, SamlSettings};
use homerealm_metadata::entity_id::EntityId;
use homerealm_metadata::saml_idp::SamlIdpMetadata;
use homerealm_metadata::saml_sp::SamlSpMetadata;
use moka::future::Cache;
use url::Url;

use super::password::PasswordPage;
use super::{sealed, urls};
use crate::app::App;
use crate::catalog::{
    Connection, ConnectionOptions, OAuth2Options, OidcOptions, SamlOptions, Vendor,
};
use crate::config::Issuer;
use crate::seal::Sealer;

/// Connectors that are kept; further ones push out the ones used least.
const KEPT: u64 = 20_000;
const ENTRA: &str = "https://login.microsoftonline.com";

/// The connectors in use.
pub struct Connectors {
    outbound: Arc<Outbound>,
    providers: Arc<Providers>,
    built: Cache<String, Built>,
}

/// A connector, and exactly what it was built from: no time and no revision can be mistaken for another's.
#[derive(Clone)]
struct Built {
    from: Arc<Connection>,
    connector: Arc<dyn Connector>,
}

/// What a connector is made with besides its connection.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// Source of our own URLs.
    pub issuer: &'a Issuer,
    /// Opens the connection's secrets.
    pub sealer: &'a Sealer,
    /// `upstream.allow_http`.
    pub allow_http: bool,
    /// The time.
    pub now: DateTime<Utc>,
}

/// Why a stored connection cannot be used; names what, never a secret.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(String);

impl Connectors {
    /// None yet.
    pub fn new(outbound: Arc<Outbound>) -> Self {
        let providers = Arc::new(Providers::new(Arc::clone(&outbound)));
        Self { outbound, providers, built: Cache::new(KEPT) }
    }

    /// The connector of a connection as it is now.
    ///
    /// # Errors
    /// [`Unusable`] where its metadata or secrets cannot be read.
    pub async fn of(
        &self,
        connection: &Arc<Connection>,
        surroundings: Surroundings<'_>,
    ) -> Result<Arc<dyn Connector>, Unusable> {
        if let Some(built) = self.built.get(&connection.id).await
            && (Arc::ptr_eq(&built.from, connection) || built.from == *connection)
        {
            return Ok(built.connector);
        }
        let connector = self.build(connection, surroundings)?;
        let built = Built { from: Arc::clone(connection), connector: Arc::clone(&connector) };
        self.built.insert(connection.id.clone(), built).await;
        Ok(connector)
    }

    fn build(
        &self,
        connection: &Connection,
        surroundings: Surroundings<'_>,
    ) -> Result<Arc<dyn Connector>, Unusable> {
        Ok(match &connection.options {
            ConnectionOptions::OAuth2(options) => {
                let settings = oauth2_settings(connection, options, surroundings)?;
                Arc::new(OAuth2Connector::new(settings, Arc::clone(&self.outbound)))
            }
            ConnectionOptions::Oidc(options) => {
                let settings = oidc_settings(connection, options, surroundings)?;
                Arc::new(OidcConnector::new(settings, Arc::clone(&self.providers)))
            }
            ConnectionOptions::Password(_) => Arc::new(PasswordPage),
            ConnectionOptions::Saml(options) => {
                Arc::new(SamlConnector::new(saml_settings(connection, options, surroundings)?))
            }
        })
    }
}

impl App {
    /// The connector of a connection.
    ///
    /// # Errors
    /// [`Unusable`] where its metadata or secrets cannot be read.
    pub async fn connector(
        &self,
        connection: &Arc<Connection>,
    ) -> Result<Arc<dyn Connector>, Unusable> {
        self.connectors.of(connection, self.surroundings()).await
    }

    /// What connectors and our metadata are made with.
    pub fn surroundings(&self) -> Surroundings<'_> {
        Surroundings {
            issuer: &self.config.issuer,
            sealer: &self.sealer,
            allow_http: self.config.upstream.allow_http,
            now: self.now(),
        }
    }
}

fn oauth2_settings(
    connection: &Connection,
    options: &OAuth2Options,
    surroundings: Surroundings<'_>,
) -> Result<OAuth2Settings, Unusable> {
    let parse =
        |text: &String| Url::parse(text).map_err(|_| Unusable(format!("{text} is no address")));
    let may_read_addresses =
        options.scopes.iter().any(|scope| matches!(scope.as_str(), "user" | "user:email"));
    let emails_url = options.emails_url.as_ref().filter(|_| may_read_addresses);
    let subject = options.subject_attribute.clone();
    Ok(OAuth2Settings {
        connection: connection.id.clone(),
        issuer: options.server().ok_or_else(|| Unusable("it has no issuer".to_owned()))?,
        response_issuer: options.issuer.clone(),
        token_endpoint: parse(&options.token_url)?,
        userinfo_endpoint: parse(&options.userinfo_url)?,
        emails_endpoint: emails_url.map(parse).transpose()?,
        authorization_endpoint: parse(&options.authorization_url)?,
        client_id: options.client_id.clone(),
        client_secret: client_secret(
            connection,
            options.sealed_client_secret.as_ref(),
            surroundings,
        )?,
        token_endpoint_auth_method: options.token_endpoint_auth_method.clone(),
        scopes: options.scopes.clone(),
        pkce: options.pkce,
        subject: match connection.vendor {
            Vendor::Github => SubjectRule::Number(subject),
            Vendor::Adfs
            | Vendor::Auth0
            | Vendor::Entra
            | Vendor::Generic
            | Vendor::Google
            | Vendor::Keycloak
            | Vendor::Okta
            | Vendor::Shibboleth => SubjectRule::Attribute(subject),
        },
        forced_login_params: options.forced_login_params.clone(),
        upstream_params: options.upstream_params.clone(),
    })
}

fn client_secret(
    connection: &Connection,
    sealed: Option<&String>,
    surroundings: Surroundings<'_>,
) -> Result<Option<Secret>, Unusable> {
    let open = |sealed: &String| {
        sealed::open_client_secret(surroundings.sealer, &connection.id, sealed)
            .map(|secret| Secret::from(secret.as_str().to_owned()))
            .map_err(|e| Unusable(format!("client secret: {e}")))
    };
    sealed.map(open).transpose()
}

fn oidc_settings(
    connection: &Connection,
    options: &OidcOptions,
    surroundings: Surroundings<'_>,
) -> Result<OidcSettings, Unusable> {
    Ok(OidcSettings {
        connection: connection.id.clone(),
        issuer: issuer_rule(connection, options)?,
        client_id: options.client_id.clone(),
        client_secret: client_secret(
            connection,
            options.sealed_client_secret.as_ref(),
            surroundings,
        )?,
        scopes: options.scopes.clone(),
        response_mode: options.response_mode.clone(),
        token_endpoint_auth_method: options.token_endpoint_auth_method.clone(),
        acr_values: options.acr_values.clone(),
        upstream_params: options.upstream_params.clone(),
        allow_http: surroundings.allow_http,
        clock_skew: skew(options.clock_skew_seconds),
    })
}

/// Which issuer a connection's provider must have.
///
/// # Errors
/// [`Unusable`] where the connection names none.
pub fn issuer_rule(connection: &Connection, options: &OidcOptions) -> Result<IssuerRule, Unusable> {
    match (connection.vendor, &options.tenant, &options.issuer) {
        (Vendor::Entra, Some(tenant), _) => Ok(IssuerRule::EntraTenants {
            authority: options.authority.clone().unwrap_or_else(|| ENTRA.to_owned()),
            tenant_or_common: tenant.clone(),
            allowed: options.allowed_tenants.clone(),
        }),
        (_, _, Some(issuer)) => Ok(IssuerRule::Exact(issuer.clone())),
        (_, _, None) => Err(Unusable("it has no issuer".to_owned())),
    }
}

fn saml_settings(
    connection: &Connection,
    options: &SamlOptions,
    surroundings: Surroundings<'_>,
) -> Result<SamlSettings, Unusable> {
    Ok(SamlSettings {
        connection: connection.id.clone(),
        idp: Arc::new(idp(options, surroundings.now)?),
        sp_entity_id: sp_entity_id(connection, surroundings.issuer)?,
        sign_requests: options.sign_requests,
        sp_key: sp_key(connection, options, surroundings.sealer)?,
        decrypt: options.encrypt_assertions,
        name_id_format: options.name_id_format.clone(),
        clock_skew: skew(options.clock_skew_seconds),
        allow_sha1: options.allow_sha1,
        allow_inclusive_c14n: options.allow_inclusive_c14n,
        subject_attribute: options.subject_attribute.clone(),
        vendor_entra: connection.vendor == Vendor::Entra,
        idp_initiated: options.idp_initiated.enabled,
        max_response_bytes: options.largest_response(),
    })
}

/// Our SAML metadata for a connection. The encryption key is there only where the connection turns encryption on: ADFS
/// encrypts as soon as it sees one (RULES 13).
///
/// # Errors
/// [`Unusable`] where the connection's key or metadata cannot be read.
pub fn sp_metadata(
    connection: &Connection,
    options: &SamlOptions,
    surroundings: Surroundings<'_>,
) -> Result<String, Unusable> {
    let key = sp_key(connection, options, surroundings.sealer)?;
    let certificate = key.as_ref().map(|key| key.certificate().clone());
    let wanted = idp(options, surroundings.now)?.want_authn_requests_signed;
    let document = SamlSpMetadata {
        entity_id: sp_entity_id(connection, surroundings.issuer)?,
        acs_url: urls::acs(surroundings.issuer, &connection.name).into(),
        slo_url: None,
        signing: certificate.clone(),
        encryption: certificate.filter(|_| options.encrypt_assertions),
        authn_requests_signed: key.is_some() && options.sign_requests.unwrap_or(wanted),
        want_assertions_signed: true,
        name_id_format: options.name_id_format.clone(),
        display_name: Some(connection.display_name.clone()),
    };
    Ok(document.to_xml())
}

fn idp(options: &SamlOptions, now: DateTime<Utc>) -> Result<SamlIdpMetadata, Unusable> {
    SamlIdpMetadata::read(options.metadata_xml.as_bytes(), None, now)
        .map_err(|e| Unusable(format!("metadata: {e}")))
}

fn sp_entity_id(connection: &Connection, issuer: &Issuer) -> Result<EntityId, Unusable> {
    EntityId::try_from(urls::entity_id(issuer, connection))
        .map_err(|_| Unusable("sp_entity_id is not an entity id".to_owned()))
}

fn sp_key(
    connection: &Connection,
    options: &SamlOptions,
    sealer: &Sealer,
) -> Result<Option<SpKey>, Unusable> {
    let open = |sealed| {
        sealed::open_sp_key(sealer, &connection.id, sealed)
            .map_err(|e| Unusable(format!("our key for it: {e}")))
    };
    options.sp_key.as_ref().map(open).transpose()
}

fn skew(seconds: u32) -> TimeDelta {
    TimeDelta::seconds(i64::from(seconds))
}

impl fmt::Debug for Connectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connectors").field("built", &self.built.entry_count()).finish()
    }
}
