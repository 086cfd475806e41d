use std::collections::BTreeMap;
use std::fmt;

use chrono::TimeDelta;
use url::Url;

use super::Rejection;
use super::entra::Tenants;
use crate::http::Secret;

/// What an administrator configured for one connection to an OpenID Provider.
#[derive(Clone, Debug)]
pub struct OidcSettings {
    /// The connection's id; part of every replay key.
    pub connection: String,
    pub issuer: IssuerRule,
    pub client_id: String,
    /// `None`: a public client.
    pub client_secret: Option<Secret>,
    /// `openid` is sent whether it is listed or not.
    pub scopes: Vec<String>,
    /// `query` or `form_post`; `None` leaves it to the provider, which then uses `query`.
    pub response_mode: Option<String>,
    /// `client_secret_basic`, `client_secret_post` or `none`; `None`: what the provider announces.
    pub token_endpoint_auth_method: Option<String>,
    /// Sent, and required of the ID token's `acr` where the list is not empty.
    pub acr_values: Vec<String>,
    /// Further parameters of the authorization request; those of the protocol cannot be set here.
    pub upstream_params: BTreeMap<String, String>,
    /// Plain http endpoints; for tests and intranets.
    pub allow_http: bool,
    pub clock_skew: TimeDelta,
}

/// Which `iss` an ID token must have.
#[derive(Clone, Eq, PartialEq)]
pub enum IssuerRule {
    /// This text and no other: a slash at its end is part of it (Auth0's issuers have one).
    Exact(String),
    /// Microsoft Entra: `{authority}/{tenant}/v2.0`.
    EntraTenants {
        /// Normally `https://login.microsoftonline.com`.
        authority: String,
        /// A tenant ID; or `organizations` or `common`, which sign in users of any tenant.
        tenant_or_common: String,
        /// Tenant IDs whose users may sign in. With `organizations` and `common` the empty list admits nobody;
        /// with a tenant ID it means that tenant.
        allowed: Vec<String>,
    },
}

impl IssuerRule {
    /// What the discovery document must name as its issuer (OIDC Discovery §4.3); Entra's shared ones hold `{tenantid}`.
    pub fn discovery_issuer(&self) -> String {
        match self {
            Self::Exact(issuer) => issuer.clone(),
            Self::EntraTenants { authority, tenant_or_common, .. } => {
                Tenants::discovery_issuer(authority, tenant_or_common)
            }
        }
    }

    /// OIDC Discovery §4: the path is appended after removing a slash at the issuer's end.
    ///
    /// # Errors
    /// The issuer is no URL.
    pub fn discovery_url(&self) -> Result<Url, Rejection> {
        let base = match self {
            Self::Exact(issuer) => issuer.clone(),
            Self::EntraTenants { authority, tenant_or_common, .. } => {
                Tenants::base(authority, tenant_or_common)
            }
        };
        let text =
            format!("{}/.well-known/openid-configuration", base.strip_suffix('/').unwrap_or(&base));
        Url::parse(&text).map_err(|e| Rejection::Discovery {
            url: text,
            reason: format!("the issuer is no URL: {e}"),
        })
    }

    /// What an ID token's `iss` is held against.
    pub(super) fn expected_issuer(&self) -> ExpectedIssuer {
        match self {
            Self::Exact(issuer) => ExpectedIssuer::Exact(issuer.clone()),
            Self::EntraTenants { authority, tenant_or_common, allowed } => {
                ExpectedIssuer::Entra(Tenants::new(authority, tenant_or_common, allowed))
            }
        }
    }

    pub(super) const fn is_entra(&self) -> bool {
        matches!(self, Self::EntraTenants { .. })
    }
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum ExpectedIssuer {
    Exact(String),
    Entra(Tenants),
}

impl fmt::Display for ExpectedIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(issuer) => f.write_str(issuer),
            Self::Entra(tenants) => f.write_str(tenants.template()),
        }
    }
}

impl fmt::Debug for IssuerRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IssuerRule").field(&self.discovery_issuer()).finish()
    }
}
