//! Where the IdP is reached (SAML Metadata §2.2.2, §2.4.2, §2.4.3).

use std::fmt;

use serde::{Serialize, Serializer};
use url::Url;

use crate::MetadataRefusal;
use crate::gate::trim;
use crate::refusal::cut;
use crate::xml_names::{MD, SAML2_BINDINGS};
use crate::xml_tree::Element;

/// How a message travels (SAML Bindings §3).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Binding {
    /// In the query of a redirect.
    HttpRedirect,
    /// In a form that the browser posts.
    HttpPost,
    /// Another one, by its URI.
    Other(String),
}

impl Binding {
    fn from_uri(uri: &str) -> Self {
        match uri.strip_prefix(SAML2_BINDINGS) {
            Some("HTTP-Redirect") => Self::HttpRedirect,
            Some("HTTP-POST") => Self::HttpPost,
            _ => Self::Other(uri.to_owned()),
        }
    }
}

/// The name that people use: `HTTP-Redirect`, `HTTP-POST`, `SOAP`; the URI where it is no SAML 2.0 binding.
impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HttpRedirect => "HTTP-Redirect",
            Self::HttpPost => "HTTP-POST",
            Self::Other(uri) => uri.strip_prefix(SAML2_BINDINGS).unwrap_or(uri),
        })
    }
}

impl Serialize for Binding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A location of a service and the binding that it speaks.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Endpoint {
    /// How messages travel there.
    pub binding: Binding,
    /// Where requests go: https, or http (see [`super::SamlIdpMetadata::http_locations`]).
    pub url: String,
    /// Where responses go, if elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_url: Option<String>,
}

/// The SSO locations. One of them must speak a binding that a browser and we know.
pub(super) fn read_sso(roles: &[&Element]) -> Result<Vec<Endpoint>, MetadataRefusal> {
    let endpoints = read(roles, "SingleSignOnService", "SSO")?;
    let is_ours = |e: &Endpoint| matches!(e.binding, Binding::HttpRedirect | Binding::HttpPost);
    if endpoints.iter().any(is_ours) { Ok(endpoints) } else { Err(MetadataRefusal::NoSsoEndpoint) }
}

/// The SLO locations; an IdP need not have any.
pub(super) fn read_slo(roles: &[&Element]) -> Result<Vec<Endpoint>, MetadataRefusal> {
    read(roles, "SingleLogoutService", "SLO")
}

fn read(
    roles: &[&Element],
    element: &str,
    service: &'static str,
) -> Result<Vec<Endpoint>, MetadataRefusal> {
    let mut endpoints = Vec::new();
    for found in roles.iter().flat_map(|role| role.children(MD, element)) {
        let location = found.attribute("Location").unwrap_or_default();
        let response = found.attribute("ResponseLocation").filter(|_| service == "SLO");
        let endpoint = Endpoint {
            binding: Binding::from_uri(trim(found.attribute("Binding").unwrap_or_default())),
            url: read_location(location, service)?,
            response_url: response.map(|text| read_location(text, service)).transpose()?,
        };
        if !endpoints.contains(&endpoint) {
            endpoints.push(endpoint);
        }
    }
    Ok(endpoints)
}

/// A URL to which a browser may be sent, as it is written.
fn read_location(text: &str, service: &'static str) -> Result<String, MetadataRefusal> {
    let text = trim(text);
    let invalid = || MetadataRefusal::LocationInvalid { service, location: cut(text) };
    let url = Url::parse(text).map_err(|_| invalid())?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(MetadataRefusal::LocationScheme { service, scheme: cut(url.scheme()) });
    }
    // `Url` repairs what other readers understand differently; such a location is no location.
    let authority = text.get(url.scheme().len()..).and_then(|rest| rest.strip_prefix("://"));
    let is_written_out = authority.is_some_and(|rest| !rest.starts_with(['/', '\\']));
    if !is_written_out
        || text.contains('\\')
        || text.chars().any(|c| c.is_whitespace() || c.is_control())
    {
        return Err(invalid());
    }
    Ok(text.to_owned())
}

pub(super) fn is_http(location: &str) -> bool {
    location.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http:"))
}
