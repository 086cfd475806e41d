//! The e-mail address of a login: whose domain it is in, and whether it is verified (RULES 15, 19, 20).

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use homerealm_connectors::invisible::has_invisible;
use serde_json::Value;

use crate::catalog::{
    Connection, ConnectionOptions, DomainName, EmailAddress, ForeignDomains, Organization, Vendor,
};

/// What is known about the IdP's word for an address.
#[derive(Clone, Copy, Debug)]
pub struct Upstream<'a> {
    /// What the IdP says about the address; `None`: nothing.
    pub verified: Option<bool>,
    /// Everything that it sent, for vendors' own statements.
    pub attributes: &'a BTreeMap<String, Vec<Value>>,
}

/// An address that may go into the claims.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JudgedEmail {
    /// The address.
    pub address: EmailAddress,
    /// Ours to state (RULES 19).
    pub verified: bool,
}

/// Why the login is refused for its address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum EmailRefusal {
    /// Outside the connection's domains (RULES 20).
    Foreign {
        /// The address's domain.
        domain: DomainName,
        /// The connection's.
        allowed: Vec<String>,
    },
    /// Holds a character that does not show (RULES 15).
    Invisible,
}

/// Chooses and judges the address. What is no plain e-mail address is none.
///
/// # Errors
/// [`EmailRefusal`] where the login may not go on.
pub fn judge(
    connection: &Connection,
    organization: Option<&Organization>,
    candidates: &[String],
    upstream: Upstream<'_>,
) -> Result<Option<JudgedEmail>, EmailRefusal> {
    if candidates.iter().any(|text| has_invisible(text)) {
        return Err(EmailRefusal::Invisible);
    }
    let Some(address) = choose(organization, candidates) else { return Ok(None) };
    if is_foreign(connection, organization, address.domain()) {
        return match connection.foreign_domains() {
            ForeignDomains::OmitEmail => Ok(None),
            ForeignDomains::Refuse => Err(foreign(connection, organization, address.domain())),
        };
    }
    let verified = is_verified(connection, organization, &address, upstream);
    Ok(Some(JudgedEmail { address, verified }))
}

/// RULES 15: of several the first within the verified domains, else the first.
fn choose(organization: Option<&Organization>, candidates: &[String]) -> Option<EmailAddress> {
    let addresses: Vec<EmailAddress> =
        candidates.iter().filter_map(|text| EmailAddress::parse(text).ok()).collect();
    let held = |a: &&EmailAddress| organization.is_some_and(|o| o.holds_verified(a.domain()));
    addresses.iter().find(held).or_else(|| addresses.first()).cloned()
}

/// RULES 20. A connection without domains of its own has those that its organization holds verified; where there are none
/// at all, as on a shared connection, no domain is foreign, and none is verified by (a) either.
pub(crate) fn is_foreign(
    connection: &Connection,
    organization: Option<&Organization>,
    domain: &DomainName,
) -> bool {
    if !connection.domains.is_empty() {
        return !connection.domains.iter().any(|pattern| pattern.matches(domain));
    }
    organization.is_some_and(|o| o.domains.iter().any(|d| d.verified) && !o.holds_verified(domain))
}

/// The refusal of an address in this domain.
pub(super) fn foreign(
    connection: &Connection,
    organization: Option<&Organization>,
    domain: &DomainName,
) -> EmailRefusal {
    EmailRefusal::Foreign { domain: domain.clone(), allowed: allowed(connection, organization) }
}

fn allowed(connection: &Connection, organization: Option<&Organization>) -> Vec<String> {
    if !connection.domains.is_empty() {
        return connection.domains.iter().map(ToString::to_string).collect();
    }
    let held = organization.map(|o| o.domains.iter().filter(|d| d.verified));
    held.into_iter().flatten().map(|d| d.name.to_string()).collect()
}

/// RULES 19: (a) the organization's own verified domain, with the IdP's word where its protocol has one; (c) Google's word
/// about its own mail. (b), our own mail proof, is what a password account's `verified` says, and all that it goes by: whoever
/// made the account may have typed any address.
fn is_verified(
    connection: &Connection,
    organization: Option<&Organization>,
    address: &EmailAddress,
    upstream: Upstream<'_>,
) -> bool {
    if matches!(connection.options, ConnectionOptions::Password(_)) {
        return upstream.verified == Some(true);
    }
    let speaks_of_email =
        matches!(connection.options, ConnectionOptions::OAuth2(_) | ConnectionOptions::Oidc(_));
    if speaks_of_email && !is_spoken_of(address, upstream) {
        return false;
    }
    let domain = address.domain();
    let held = organization.is_some_and(|o| o.holds_verified(domain));
    let by_domain =
        held && upstream.verified != Some(false) && is_authoritative(connection, upstream);
    by_domain || is_googles_own(connection, domain, upstream)
}

/// What an OP calls verified is its claim `email` (OIDC Core §5.1), not another claim that the connection's table reads as
/// the address: that one its user may have typed.
fn is_spoken_of(address: &EmailAddress, upstream: Upstream<'_>) -> bool {
    let sent = upstream.attributes.get("email").into_iter().flatten().filter_map(Value::as_str);
    sent.filter_map(|text| EmailAddress::parse(text).ok()).any(|sent| sent == *address)
}

/// SAML has no word for it: the directory of the domain's owner is one. An OP must say so; Entra's `email` is whatever an
/// administrator typed, so there only `xms_edov` (e-mail domain owner verified) counts.
fn is_authoritative(connection: &Connection, upstream: Upstream<'_>) -> bool {
    match (&connection.options, connection.vendor) {
        (ConnectionOptions::Password(_), _) => false,
        (ConnectionOptions::Saml(_), _) => true,
        (ConnectionOptions::Oidc(_), Vendor::Entra) => says_yes(upstream.attributes, "xms_edov"),
        (ConnectionOptions::OAuth2(_), _) => upstream.verified == Some(true),
        (
            ConnectionOptions::Oidc(_),
            Vendor::Adfs
            | Vendor::Auth0
            | Vendor::Generic
            | Vendor::Github
            | Vendor::Google
            | Vendor::Keycloak
            | Vendor::Okta
            | Vendor::Shibboleth,
        ) => upstream.verified == Some(true),
    }
}

fn is_googles_own(connection: &Connection, domain: &DomainName, upstream: Upstream<'_>) -> bool {
    let hosted = || {
        let hd = upstream.attributes.get("hd").map(Vec::as_slice);
        matches!(hd, Some([Value::String(hd)]) if DomainName::parse(hd).as_ref() == Ok(domain))
    };
    connection.vendor == Vendor::Google
        && matches!(connection.options, ConnectionOptions::Oidc(_))
        && upstream.verified == Some(true)
        && (domain.as_str() == "gmail.com" || hosted())
}

/// Entra sends `xms_edov` as a boolean, as 1 or as text, by token version.
fn says_yes(attributes: &BTreeMap<String, Vec<Value>>, name: &str) -> bool {
    match attributes.get(name).map(Vec::as_slice) {
        Some([Value::Bool(yes)]) => *yes,
        Some([Value::Number(n)]) => n.as_i64() == Some(1),
        Some([Value::String(text)]) => matches!(text.as_str(), "1" | "true" | "True"),
        Some(_) | None => false,
    }
}
