//! From the IdP's statement to claims in our words, by tables only: what is not mapped does not pass (RULES 19-22).

#[cfg(test)]
mod tests;

use homerealm_connectors::assertion::AssertionParts;
use homerealm_connectors::invisible::has_invisible;
use serde_json::Value;

use super::email::{self, EmailRefusal, Upstream};
use super::presets::{Claim, Protocol, upstream_names};
use crate::catalog::{Connection, ConnectionOptions, NormalizedClaims, Organization};

/// A longer value is not a name, an address or a group; it is left out.
const LONGEST_VALUE: usize = 2048;

/// What a login says about its user, in our vocabulary.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalized {
    /// Claims.
    pub claims: NormalizedClaims,
    /// By the connection's table only.
    pub acr: Option<String>,
    /// By the connection's table only.
    pub amr: Vec<String>,
}

/// Why a verified statement is not taken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ClaimRefusal {
    /// The connection requires an authentication context that the IdP did not state (RULES 22).
    AcrNotMet {
        /// What the connection requires.
        required: Vec<String>,
        /// What the IdP stated.
        received: Option<String>,
    },
    /// For its e-mail address.
    Email(EmailRefusal),
    /// The IdP left the groups out and says where else they are: Entra does so beyond 200 of them (150 in SAML).
    GroupsElsewhere,
    /// The subject holds a character that does not show (RULES 15).
    InvisibleSubject,
}

/// Normalizes a verified statement. `organization` is the connection's owner.
///
/// # Errors
/// [`ClaimRefusal`] where the login may not go on.
pub fn normalize(
    connection: &Connection,
    organization: Option<&Organization>,
    parts: &AssertionParts,
) -> Result<Normalized, ClaimRefusal> {
    if parts.subject.value.is_empty() || has_invisible(&parts.subject.value) {
        return Err(ClaimRefusal::InvisibleSubject);
    }
    required_acr_is_met(connection, parts)?;
    let upstream =
        Upstream { verified: parts.upstream_email_verified, attributes: &parts.attributes };
    let candidates = values(connection, parts, Claim::Email, as_sent);
    let email = email::judge(connection, organization, &candidates, upstream)
        .map_err(ClaimRefusal::Email)?;
    let mut claims = mapped(connection, parts);
    if claims.groups.is_empty() && groups_are_elsewhere(connection, parts) {
        return Err(ClaimRefusal::GroupsElsewhere);
    }
    claims.email_verified = email.as_ref().map(|e| e.verified);
    claims.email = email.map(|e| e.address.to_string());
    let ours = |upstream: &String| connection.acr_values.get(upstream).cloned();
    Ok(Normalized {
        claims,
        acr: parts.acr.as_ref().and_then(ours),
        amr: parts.amr.iter().filter_map(ours).collect(),
    })
}

/// RULES 22: what the connection asks for it also requires.
fn required_acr_is_met(
    connection: &Connection,
    parts: &AssertionParts,
) -> Result<(), ClaimRefusal> {
    let ConnectionOptions::Oidc(options) = &connection.options else { return Ok(()) };
    let required = &options.acr_values;
    if required.is_empty() || parts.acr.as_ref().is_some_and(|acr| required.contains(acr)) {
        return Ok(());
    }
    Err(ClaimRefusal::AcrNotMet { required: required.clone(), received: parts.acr.clone() })
}

/// Everything but the e-mail address, which is judged, and the roles, which wait for the organization.
fn mapped(connection: &Connection, parts: &AssertionParts) -> NormalizedClaims {
    let one = |claim| values(connection, parts, claim, readable).into_iter().next();
    NormalizedClaims {
        name: one(Claim::Name),
        given_name: one(Claim::GivenName),
        family_name: one(Claim::FamilyName),
        middle_name: one(Claim::MiddleName),
        nickname: one(Claim::Nickname),
        preferred_username: one(Claim::PreferredUsername),
        profile: one(Claim::Profile).filter(|url| is_https(url)),
        picture: one(Claim::Picture).filter(|url| is_https(url)),
        website: one(Claim::Website).filter(|url| is_https(url)),
        locale: one(Claim::Locale),
        zoneinfo: one(Claim::Zoneinfo),
        phone_number: one(Claim::PhoneNumber),
        groups: groups(values(connection, parts, Claim::Groups, readable)),
        email: None,
        email_verified: None,
        roles: Vec::new(),
    }
}

/// The first upstream name that has a value wins; the connection's own list replaces the preset's, claim by claim.
fn values(
    connection: &Connection,
    parts: &AssertionParts,
    claim: Claim,
    read: fn(&Value) -> Option<String>,
) -> Vec<String> {
    let found = |name: &str| {
        let texts = texts(parts, name, read);
        (!texts.is_empty()).then_some(texts)
    };
    names(connection, claim).into_iter().find_map(found).unwrap_or_default()
}

/// Where a claim is looked for.
fn names(connection: &Connection, claim: Claim) -> Vec<&str> {
    match connection.claims.get(claim.as_str()) {
        Some(own) => own.iter().map(String::as_str).collect(),
        None => upstream_names(connection.vendor, Protocol::of(connection), claim).collect(),
    }
}

/// The NameID can be mapped by this name in a connection's table, never by a preset (RULES 14).
const NAME_ID: &str = "NameID";

fn texts(parts: &AssertionParts, name: &str, read: fn(&Value) -> Option<String>) -> Vec<String> {
    let is_name_id = name == NAME_ID && parts.subject.format.is_some();
    match parts.attributes.get(name) {
        Some(values) => values.iter().flat_map(flat).filter_map(read).collect(),
        None if is_name_id => vec![parts.subject.value.clone()],
        None => Vec::new(),
    }
}

/// An OIDC claim may be an array.
fn flat(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            vec![value]
        }
    }
}

/// Only text passes.
fn as_sent(value: &Value) -> Option<String> {
    value.as_str().filter(|t| !t.is_empty() && t.len() <= LONGEST_VALUE).map(str::to_owned)
}

/// Text without control characters.
fn readable(value: &Value) -> Option<String> {
    as_sent(value).filter(|text| !text.chars().any(char::is_control))
}

/// Entra's words for "too many to send", in OIDC and in SAML. A user of too many groups must not pass as one of none.
///
/// It matters only where the connection reads the groups from where they would have been: a table of its own may take
/// them from another claim, or with an empty list from nowhere.
fn groups_are_elsewhere(connection: &Connection, parts: &AssertionParts) -> bool {
    let said = |name: &str| parts.attributes.get(name).into_iter().flatten();
    let (left_out, is_said) = match Protocol::of(connection) {
        Protocol::Oidc => {
            // OIDC Core §5.6.2: `_claim_names` names the claims that another source has
            let mut elsewhere = said("_claim_names");
            let is_flag = |value: &Value| *value == Value::Bool(true) || *value == "true";
            let named = elsewhere.any(|sources| sources.get("groups").is_some());
            ("groups", named || said("hasgroups").any(is_flag))
        }
        Protocol::OAuth2 => return false,
        Protocol::Password => return false,
        Protocol::Saml => (ENTRA_GROUPS, said(ENTRA_GROUPS_LINK).next().is_some()),
    };
    is_said && names(connection, Claim::Groups).contains(&left_out)
}

const ENTRA_GROUPS: &str = "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups";
const ENTRA_GROUPS_LINK: &str = "http://schemas.microsoft.com/claims/groups.link";

fn groups(mut groups: Vec<String>) -> Vec<String> {
    groups.sort_unstable();
    groups.dedup();
    groups
}

/// A page may show these as links or pictures.
fn is_https(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| url.scheme() == "https")
}
