//! What the body of a connection says.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{oauth2, oidc, password, saml};
use crate::admin::failure::Failure;
use crate::admin::fields::Fields;
use crate::app::App;
use crate::catalog::{
    Connection, ConnectionOptions, DomainPattern, Jit, Name, Newcomers, Organization, Vendor,
};

/// What a PATCH keeps although no answer ever shows it.
pub(super) struct Kept<'a> {
    pub(super) old: &'a Connection,
    /// The patch says `client_secret: null`.
    pub(super) drops_client_secret: bool,
}

impl<'a> Kept<'a> {
    pub(super) fn new(old: &'a Connection, patch: &Map<String, Value>) -> Self {
        let secret = patch.get("options").and_then(|options| options.get("client_secret"));
        Self { old, drops_client_secret: secret.is_some_and(Value::is_null) }
    }
}

/// Reads bodies of connections.
pub(super) struct Draft;

impl Draft {
    /// The connection that `object` describes. Metadata is fetched, keys are made and secrets sealed here.
    pub(super) async fn read(
        app: &App,
        id: String,
        object: Map<String, Value>,
        kept: Option<&Kept<'_>>,
    ) -> Result<Connection, Failure> {
        let mut fields = Fields::new(object);
        let name = fields.parsed("name", Name::try_from);
        let name = fields.require("name", name);
        let strategy = fields.text("strategy");
        let strategy = fields.require("strategy", strategy);
        let vendor = fields.choice("vendor", VENDORS).unwrap_or(Vendor::Generic);
        let organization = fields.parsed("organization", Name::try_from);
        let display_name = fields.label("display_name");
        let domains = read_domains(app, &mut fields, organization.as_ref()).await?;
        let is_domain_connection = fields.flag("is_domain_connection").unwrap_or(false);
        let domain_connection_organizations = read_promotion(app, &mut fields, kept).await?;
        let enabled = fields.flag("enabled").unwrap_or(true);
        let clients = fields.texts("clients").unwrap_or_else(|| vec!["*".to_owned()]);
        let claims = fields.table_of_lists("claims").unwrap_or_default();
        check_claims(&mut fields, &claims);
        let acr_values = fields.table("acr_values").unwrap_or_default();
        let roles = fields.table_of_lists("roles").unwrap_or_default();
        let newcomers = read_newcomers(&mut fields);
        fields.not_yet("exchange");
        let options =
            read_options(app, &mut fields, strategy.as_deref(), vendor, (&id, kept)).await?;
        let errors = fields.finish();
        let (Some(name), Some(options), true) = (name, options, errors.is_empty()) else {
            return Err(Failure::fields(errors));
        };
        let now = app.now();
        Ok(Connection {
            id,
            display_name: display_name.unwrap_or_else(|| name.to_string()),
            name,
            vendor,
            organization,
            domains,
            is_domain_connection,
            domain_connection_organizations,
            enabled,
            clients,
            options,
            claims,
            acr_values,
            roles,
            newcomers,
            created_at: now,
            updated_at: now,
        })
    }
}

const VENDORS: &str = "adfs, auth0, entra, generic, github, google, keycloak, okta or shibboleth";

fn read_newcomers(fields: &mut Fields) -> Newcomers {
    let jit: Option<Jit> = fields.choice("jit", "create, existing_only or invitation");
    Newcomers { jit: jit.unwrap_or_default() }
}

async fn read_options(
    app: &App,
    fields: &mut Fields,
    strategy: Option<&str>,
    vendor: Vendor,
    (id, kept): (&str, Option<&Kept<'_>>),
) -> Result<Option<ConnectionOptions>, Failure> {
    let Some(strategy) = strategy else { return Ok(None) };
    let options = fields.object("options");
    let Some(mut options) = fields.require("options", options) else { return Ok(None) };
    if vendor == Vendor::Github && strategy != "oauth2" {
        fields.refuse("strategy", "is oauth2 for vendor github");
    }
    let read = match strategy {
        "oauth2" => {
            oauth2::read(app, &mut options, vendor, (id, kept))?.map(ConnectionOptions::OAuth2)
        }
        "saml" => saml::read(app, &mut options, id, kept)
            .await?
            .map(|options| ConnectionOptions::Saml(Box::new(options))),
        "oidc" => oidc::read(app, &mut options, vendor, (id, kept))?.map(ConnectionOptions::Oidc),
        "password" => {
            if vendor != Vendor::Generic {
                fields.refuse("vendor", "must be generic: we are the identity provider");
            }
            Some(ConnectionOptions::Password(password::read(&mut options)))
        }
        _ => {
            fields.refuse("strategy", "must be saml, oidc, oauth2 or password");
            return Ok(None);
        }
    };
    fields.absorb(options);
    Ok(read)
}

/// Names of organizations that exist; one that was named before may be gone.
async fn read_promotion(
    app: &App,
    fields: &mut Fields,
    kept: Option<&Kept<'_>>,
) -> Result<Vec<Name>, Failure> {
    const FIELD: &str = "domain_connection_organizations";
    let mut names = fields.parsed_list(FIELD, Name::try_from).unwrap_or_default();
    for (place, name) in names.iter().enumerate() {
        let before = |kept: &Kept<'_>| kept.old.domain_connection_organizations.contains(name);
        if kept.is_some_and(before) {
            continue;
        }
        if app.catalog.get::<Organization>(name.as_str()).await?.is_none() {
            fields.refuse(&format!("{FIELD}.{place}"), format!("`{name}` is not an organization"));
        }
    }
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// RULES 25: no public suffix, no wildcard without its base proven, nothing that another organization has proven.
async fn read_domains(
    app: &App,
    fields: &mut Fields,
    organization: Option<&Name>,
) -> Result<Vec<DomainPattern>, Failure> {
    let owner = match organization {
        Some(name) => app.catalog.get::<Organization>(name.as_str()).await?,
        None => None,
    };
    let mut domains: Vec<DomainPattern> = Vec::new();
    for domain in fields.parsed_list("domains", DomainPattern::try_from).unwrap_or_default() {
        let place = format!("domains.{}", domains.len());
        if domain.base().is_public_suffix() {
            fields.refuse(&place, format!("{domain} is a public suffix, which nobody can own"));
        }
        let proven = owner.as_ref().is_some_and(|o| o.object.holds_verified(domain.base()));
        if domain.is_wildcard() && !proven {
            fields.refuse(
                &place,
                format!(
                    "{domain} needs {} verified by the connection's organization",
                    domain.base()
                ),
            );
        }
        let holder = app.catalog.organization_holding(domain.base()).await?;
        if holder.is_some_and(|holder| Some(&holder.name) != organization) {
            fields.refuse(&place, format!("{domain} is verified by another organization"));
        }
        domains.push(domain);
    }
    domains.dedup();
    Ok(domains)
}

/// Only claims of our vocabulary can be filled (X10: upstream names never become ours by accident).
fn check_claims(fields: &mut Fields, claims: &BTreeMap<String, Vec<String>>) {
    for claim in claims.keys() {
        if !CLAIMS.contains(&claim.as_str()) {
            fields.refuse(
                &format!("claims.{claim}"),
                format!("is not a claim; known are {}", CLAIMS.join(", ")),
            );
        }
    }
}

const CLAIMS: [&str; 14] = [
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "locale",
    "zoneinfo",
    "email",
    "phone_number",
    "groups",
];
