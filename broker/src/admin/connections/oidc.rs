//! `options` of an OpenID Connect connection.

use std::collections::BTreeMap;

use homerealm_connectors::oidc::is_protocol_parameter;
use url::Url;

use super::draft::Kept;
use super::saml::read_foreign_domains;
use crate::admin::failure::Failure;
use crate::admin::fields::Fields;
use crate::app::App;
use crate::catalog::{ConnectionOptions, OidcOptions, Vendor};
use crate::login::sealed;

pub(super) fn read(
    app: &App,
    fields: &mut Fields,
    vendor: Vendor,
    (id, kept): (&str, Option<&Kept<'_>>),
) -> Result<Option<OidcOptions>, Failure> {
    let issuer = fields.parsed("issuer", |text| issuer(app, text));
    let googles = (vendor == Vendor::Google && !fields.is_refused("issuer")).then_some(GOOGLE);
    let issuer = issuer.or_else(|| googles.map(str::to_owned));
    let tenant = fields.parsed("tenant", tenant);
    let allowed_tenants =
        fields.parsed_list("allowed_tenants", |text| tenant_id(&text)).unwrap_or_default();
    let authority = fields.parsed("authority", |text| issuer_base(app, &text));
    check_vendor(fields, vendor, (&issuer, &tenant, &authority), &allowed_tenants);
    let client_id = fields.text("client_id");
    let client_id = fields.require("client_id", client_id);
    let sealed_client_secret = read_secret(app, fields, id, kept)?;
    let method = fields.text("token_endpoint_auth_method");
    check_method(fields, method.as_deref(), sealed_client_secret.is_some());
    let response_mode = fields.text("response_mode");
    if response_mode.as_deref().is_some_and(|mode| mode != "query" && mode != "form_post") {
        fields.refuse("response_mode", "must be query or form_post");
    }
    let options = OidcOptions {
        issuer,
        client_id: client_id.clone().unwrap_or_default(),
        sealed_client_secret,
        scopes: read_scopes(fields),
        response_mode,
        token_endpoint_auth_method: method,
        acr_values: fields.texts("acr_values").unwrap_or_default(),
        upstream_params: read_params(fields, "upstream_params"),
        foreign_domains: read_foreign_domains(fields),
        tenant,
        allowed_tenants,
        authority,
        clock_skew_seconds: fields.number("clock_skew_seconds", 0..=300).unwrap_or(60),
    };
    Ok(client_id.map(|_| options))
}

/// Google has one issuer for everybody.
const GOOGLE: &str = "https://accounts.google.com";

fn check_vendor(
    fields: &mut Fields,
    vendor: Vendor,
    (issuer, tenant, authority): (&Option<String>, &Option<String>, &Option<String>),
    allowed_tenants: &[String],
) {
    if vendor != Vendor::Entra {
        fields.require("issuer", issuer.as_ref());
        for (field, given) in [("tenant", tenant.is_some()), ("authority", authority.is_some())] {
            if given {
                fields.refuse(field, "is only for vendor entra");
            }
        }
        if !allowed_tenants.is_empty() {
            fields.refuse("allowed_tenants", "is only for vendor entra");
        }
        return;
    }
    if issuer.is_some() {
        fields.refuse("issuer", "is made from `tenant` for vendor entra; leave it out");
    }
    fields.require("tenant", tenant.as_ref());
    let many = matches!(tenant.as_deref(), Some("organizations" | "common"));
    if many && allowed_tenants.is_empty() {
        fields.refuse(
            "allowed_tenants",
            "must list the tenant ids that may sign in when `tenant` names all of them",
        );
    }
}

/// OIDC Discovery §3: https, no query, no fragment; kept exactly as written, trailing slash included.
fn issuer(app: &App, text: String) -> Result<String, String> {
    let url = Url::parse(&text).map_err(|_| "must be an https address".to_owned())?;
    let scheme_fits =
        url.scheme() == "https" || (url.scheme() == "http" && app.config.upstream.allow_http);
    if !scheme_fits {
        return Err(
            "must be https (or http with `upstream.allow_http = true` in the configuration)"
                .to_owned(),
        );
    }
    if url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || text.trim() != text
    {
        return Err("must not hold a query, a fragment, a user or white space".to_owned());
    }
    Ok(text)
}

fn issuer_base(app: &App, text: &str) -> Result<String, String> {
    issuer(app, text.trim_end_matches('/').to_owned())
}

/// A tenant's id, or Entra's words for many tenants. A domain of the tenant would not do: Entra's issuer names the id.
fn tenant(text: String) -> Result<String, &'static str> {
    match text.as_str() {
        "organizations" | "common" => Ok(text),
        "consumers" => {
            Err("consumers are personal accounts; use a tenant id, organizations or common")
        }
        _ => tenant_id(&text),
    }
}

fn tenant_id(text: &str) -> Result<String, &'static str> {
    let shape: Vec<usize> = text.split('-').map(str::len).collect();
    if shape != [8, 4, 4, 4, 12] || !text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') {
        return Err("must be a tenant id such as 9188040d-6c67-4c5b-b112-36a304b66dad");
    }
    Ok(text.to_ascii_lowercase())
}

pub(super) fn read_secret(
    app: &App,
    fields: &mut Fields,
    id: &str,
    kept: Option<&Kept<'_>>,
) -> Result<Option<String>, Failure> {
    if let Some(secret) = fields.text("client_secret") {
        let sealed = sealed::seal_client_secret(&app.sealer, id, &secret);
        return sealed.map(Some).map_err(|e| Failure::internal("sealing a secret", &e));
    }
    let Some(kept) = kept.filter(|kept| !kept.drops_client_secret) else { return Ok(None) };
    match &kept.old.options {
        ConnectionOptions::OAuth2(old) => Ok(old.sealed_client_secret.clone()),
        ConnectionOptions::Oidc(old) => Ok(old.sealed_client_secret.clone()),
        ConnectionOptions::Password(_) | ConnectionOptions::Saml(_) => Ok(None),
    }
}

pub(super) fn check_method(fields: &mut Fields, method: Option<&str>, has_secret: bool) {
    match method {
        None | Some("none") => {}
        Some("client_secret_basic" | "client_secret_post") if has_secret => {}
        Some("client_secret_basic" | "client_secret_post") => {
            fields.refuse("client_secret", "is required by token_endpoint_auth_method");
        }
        Some(_) => fields.refuse(
            "token_endpoint_auth_method",
            "must be client_secret_basic, client_secret_post or none",
        ),
    }
}

/// `openid` is always asked for (OIDC Core §3.1.2.1).
fn read_scopes(fields: &mut Fields) -> Vec<String> {
    let default = || ["openid", "profile", "email"].map(str::to_owned).to_vec();
    let mut scopes = fields.texts("scopes").unwrap_or_else(default);
    if scopes.iter().any(|scope| scope.contains(char::is_whitespace)) {
        fields.refuse("scopes", "must be a list of single scopes");
    }
    if !scopes.iter().any(|scope| scope == "openid") {
        scopes.insert(0, "openid".to_owned());
    }
    scopes
}

pub(super) fn read_params(fields: &mut Fields, field: &'static str) -> BTreeMap<String, String> {
    let params = fields.table(field).unwrap_or_default();
    for name in params.keys().filter(|name| is_protocol_parameter(name)) {
        fields.refuse(
            &format!("{field}.{name}"),
            "is a parameter of the protocol, which the broker sets itself",
        );
    }
    params
}
