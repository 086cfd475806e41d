//! Whether the identity providers can be reached, and say what we know of them.

use chrono::{TimeDelta, Utc};
use homerealm_certs::UpstreamKeySet;
use homerealm_connectors::http::Fetched;
use homerealm_metadata::oidc::OidcProviderMetadata;
use homerealm_metadata::saml_idp::SamlIdpMetadata;
use url::Url;

use super::{Finding, Level, connection_name};
use crate::app::App;
use crate::catalog::{Connection, ConnectionOptions, OAuth2Options, OidcOptions, SamlOptions};
use crate::login::connectors::issuer_rule;

/// What one call brought.
#[derive(Debug, Default)]
pub(super) struct Visit {
    pub(super) findings: Vec<Finding>,
    /// The provider's clock less ours.
    pub(super) clock_difference: Option<TimeDelta>,
}

/// Bytes of a document at most.
const MAX_BYTES: usize = 2 << 20;

/// Fetches what logins need from the IdP: metadata of SAML where it has an address, discovery and keys of OpenID Connect.
pub(super) async fn visit(app: &App, connection: &Connection) -> Visit {
    let mut visit = Visit::default();
    let outcome = match &connection.options {
        ConnectionOptions::OAuth2(options) => oauth2(app, options).await,
        ConnectionOptions::Oidc(options) => oidc(app, connection, options, &mut visit).await,
        // we are the IdP
        ConnectionOptions::Password(_) => Ok(()),
        ConnectionOptions::Saml(options) => saml(app, connection, options, &mut visit).await,
    };
    if let Err(why) = outcome {
        visit.findings.push(Finding::new(
            Level::Wrong,
            "idp_unreachable",
            connection_name(connection),
            why,
            "ask the customer whether the IdP has moved; look at firewalls and DNS on our side",
        ));
    }
    visit
}

async fn oidc(
    app: &App,
    connection: &Connection,
    options: &OidcOptions,
    visit: &mut Visit,
) -> Result<(), String> {
    let rule = issuer_rule(connection, options).map_err(|e| e.to_string())?;
    let address = rule.discovery_url().map_err(|e| e.to_string())?;
    let fetched = fetch(app, &address, visit).await?;
    let allow_http = app.config.upstream.allow_http;
    let metadata = OidcProviderMetadata::read(&fetched.body, &rule.discovery_issuer(), allow_http)
        .map_err(|e| format!("{address}: {e}"))?;
    let keys = fetch(app, &metadata.jwks_uri, visit).await?;
    let keys =
        UpstreamKeySet::parse(&keys.body).map_err(|e| format!("{}: {e}", metadata.jwks_uri))?;
    if keys.is_empty() {
        return Err(format!("{} holds no key that we can verify with", metadata.jwks_uri));
    }
    Ok(())
}

/// There is no document to read: without a token its API can only say no, which says that it is there.
async fn oauth2(app: &App, options: &OAuth2Options) -> Result<(), String> {
    for address in [&options.token_url, &options.userinfo_url] {
        let url = Url::parse(address).map_err(|e| format!("{address}: {e}"))?;
        app.outbound.get(&url, "*/*", MAX_BYTES).await.map_err(|e| format!("{url}: {e}"))?;
    }
    Ok(())
}

async fn saml(
    app: &App,
    connection: &Connection,
    options: &SamlOptions,
    visit: &mut Visit,
) -> Result<(), String> {
    let Some(address) = &options.metadata_url else { return Ok(()) };
    let url = Url::parse(address).map_err(|e| format!("{address}: {e}"))?;
    let fetched = fetch(app, &url, visit).await?;
    let now = app.now();
    let published =
        SamlIdpMetadata::read(&fetched.body, None, now).map_err(|e| format!("{address}: {e}"))?;
    let Ok(stored) = SamlIdpMetadata::read(options.metadata_xml.as_bytes(), None, now) else {
        return Ok(());
    };
    let known = |key| stored.trusted_keys().iter().any(|stored| stored == key);
    if published.entity_id != stored.entity_id || !published.trusted_keys().iter().all(known) {
        visit.findings.push(Finding::new(
            Level::Warning,
            "idp_metadata_changed",
            connection_name(connection),
            format!("{address} publishes another entity id or other keys than those that are stored"),
            "make sure with the customer, then fetch it: PUT the document to the connection's metadata",
        ));
    }
    Ok(())
}

async fn fetch(app: &App, url: &Url, visit: &mut Visit) -> Result<Fetched, String> {
    let fetched = app.outbound.get(url, "*/*", MAX_BYTES).await;
    let fetched = fetched.map_err(|e| format!("{url}: {e}"))?;
    let difference = |date: chrono::DateTime<Utc>| date.signed_duration_since(app.now());
    visit.clock_difference = visit.clock_difference.or(fetched.date.map(difference));
    if fetched.status != 200 {
        return Err(format!("{url} answered {}", fetched.status));
    }
    Ok(fetched)
}
