//! `options` of a plain OAuth 2.0 connection.

use url::Url;

use super::draft::Kept;
use super::oidc::{check_method, read_params, read_secret};
use super::saml::read_foreign_domains;
use crate::admin::failure::Failure;
use crate::admin::fields::Fields;
use crate::app::App;
use crate::catalog::{OAuth2Options, Vendor};

/// What a vendor's connections have where the body does not say otherwise.
struct Preset {
    authorization_url: Option<&'static str>,
    token_url: Option<&'static str>,
    userinfo_url: Option<&'static str>,
    emails_url: Option<&'static str>,
    scopes: &'static [&'static str],
    subject_attribute: Option<&'static str>,
    token_endpoint_auth_method: Option<&'static str>,
}

/// `id` is the account's number; `login` can be given up and taken by somebody else.
const GITHUB: Preset = Preset {
    authorization_url: Some("https://github.com/login/oauth/authorize"),
    token_url: Some("https://github.com/login/oauth/access_token"),
    userinfo_url: Some("https://api.github.com/user"),
    emails_url: Some("https://api.github.com/user/emails"),
    scopes: &["read:user", "user:email"],
    subject_attribute: Some("id"),
    token_endpoint_auth_method: Some("client_secret_post"),
};
const NONE: Preset = Preset {
    authorization_url: None,
    token_url: None,
    userinfo_url: None,
    emails_url: None,
    scopes: &[],
    subject_attribute: None,
    token_endpoint_auth_method: None,
};

pub(super) fn read(
    app: &App,
    fields: &mut Fields,
    vendor: Vendor,
    (id, kept): (&str, Option<&Kept<'_>>),
) -> Result<Option<OAuth2Options>, Failure> {
    let preset = if vendor == Vendor::Github { GITHUB } else { NONE };
    let authorization_url = endpoint(app, fields, "authorization_url", preset.authorization_url);
    let token_url = endpoint(app, fields, "token_url", preset.token_url);
    let userinfo_url = endpoint(app, fields, "userinfo_url", preset.userinfo_url);
    let emails_url = read_emails_url(app, fields, vendor, preset.emails_url);
    let issuer = fields.parsed("issuer", |text| address(app, text));
    let client_id = fields.text("client_id");
    let client_id = fields.require("client_id", client_id);
    let sealed_client_secret = read_secret(app, fields, id, kept)?;
    let preset_method =
        preset.token_endpoint_auth_method.filter(|_| sealed_client_secret.is_some());
    let method = fields.text("token_endpoint_auth_method");
    let method = method.or_else(|| preset_method.map(str::to_owned));
    check_method(fields, method.as_deref(), sealed_client_secret.is_some());
    let scopes = read_scopes(fields, preset.scopes);
    let pkce = fields.flag("pkce").unwrap_or(true);
    let subject_attribute = read_subject(fields, vendor, preset.subject_attribute);
    let forced_login_params = read_params(fields, "forced_login_params");
    let upstream_params = read_params(fields, "upstream_params");
    let foreign_domains = read_foreign_domains(fields);
    let (Some(authorization_url), Some(token_url), Some(userinfo_url)) =
        (authorization_url, token_url, userinfo_url)
    else {
        return Ok(None);
    };
    let (Some(client_id), Some(subject_attribute)) = (client_id, subject_attribute) else {
        return Ok(None);
    };
    Ok(Some(OAuth2Options {
        authorization_url,
        token_url,
        userinfo_url,
        emails_url,
        issuer,
        client_id,
        sealed_client_secret,
        token_endpoint_auth_method: method,
        scopes,
        pkce,
        subject_attribute,
        forced_login_params,
        upstream_params,
        foreign_domains,
    }))
}

fn endpoint(
    app: &App,
    fields: &mut Fields,
    field: &'static str,
    preset: Option<&'static str>,
) -> Option<String> {
    let given = fields.parsed(field, |text| address(app, text));
    if given.is_some() || fields.is_refused(field) {
        return given;
    }
    fields.require(field, preset.map(str::to_owned))
}

fn read_emails_url(
    app: &App,
    fields: &mut Fields,
    vendor: Vendor,
    preset: Option<&str>,
) -> Option<String> {
    let given = fields.parsed("emails_url", |text| address(app, text));
    if given.is_some() && vendor != Vendor::Github {
        fields.refuse("emails_url", "is only for vendor github");
    }
    given.or_else(|| preset.map(str::to_owned))
}

/// RFC 6749 §3.1, §3.2: https, no fragment; a query may stay.
fn address(app: &App, text: String) -> Result<String, &'static str> {
    let url = Url::parse(&text).map_err(|_| "must be an https address")?;
    match url.scheme() {
        "https" => {}
        "http" if app.config.upstream.allow_http => {}
        _ => {
            return Err(
                "must be https (or http with `upstream.allow_http = true` in the configuration)",
            );
        }
    }
    let has_user = !url.username().is_empty() || url.password().is_some();
    if url.fragment().is_some() || has_user || text.trim() != text {
        return Err("must not hold a fragment, a user or white space");
    }
    Ok(text)
}

fn read_scopes(fields: &mut Fields, preset: &[&str]) -> Vec<String> {
    let default = || preset.iter().map(|scope| (*scope).to_owned()).collect();
    let scopes = fields.texts("scopes").unwrap_or_else(default);
    if scopes.iter().any(|scope| scope.contains(char::is_whitespace)) {
        fields.refuse("scopes", "must be a list of single scopes");
    }
    scopes
}

/// THREATS X4: what a user can change, or give up for somebody else to take, does not name an account.
fn read_subject(fields: &mut Fields, vendor: Vendor, preset: Option<&str>) -> Option<String> {
    let given = fields.text("subject_attribute").or_else(|| preset.map(str::to_owned));
    let name = fields.require("subject_attribute", given)?;
    let last = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    if vendor == Vendor::Github && Some(name.as_str()) != preset {
        fields.refuse("subject_attribute", "is `id` for vendor github");
    } else if MUTABLE.contains(&last.as_str()) {
        fields.refuse(
            "subject_attribute",
            format!("`{name}` can be changed or taken over; name the account's unchanging id"),
        );
    }
    Some(name)
}

const MUTABLE: [&str; 13] = [
    "email",
    "handle",
    "login",
    "mail",
    "name",
    "nickname",
    "phone",
    "phone_number",
    "preferred_username",
    "screen_name",
    "upn",
    "user_name",
    "username",
];
