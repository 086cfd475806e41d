//! Connections: one upstream IdP configuration each.

mod newcomers;
mod oauth2;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use newcomers::{Jit, Newcomers};
pub use oauth2::OAuth2Options;

use super::{AccountEmail, DomainPattern, Name};

/// One upstream IdP, owned by an organization or shared.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Connection {
    /// `con_…`, never reused.
    pub id: String,
    /// Unique and immutable; part of our URLs for this connection.
    pub name: Name,
    /// Who is at the other end; brings presets for claims and quirks.
    pub vendor: Vendor,
    /// Owner; `None` is a shared connection.
    pub organization: Option<Name>,
    /// For people.
    pub display_name: String,
    /// E-mail domains that lead here.
    pub domains: Vec<DomainPattern>,
    /// Also open to third-party clients of other organizations.
    pub is_domain_connection: bool,
    /// Of which organizations, where it is; empty: of all.
    #[serde(default)]
    pub domain_connection_organizations: Vec<Name>,
    /// Checked at the start and at the end of each login.
    pub enabled: bool,
    /// Client ids that may use it; `["*"]` is every client that the ownership rules allow.
    pub clients: Vec<String>,
    /// The protocol and its settings.
    #[serde(flatten)]
    pub options: ConnectionOptions,
    /// Our claim → ordered list of upstream names; the first that is present wins. Overrides the vendor's preset by claim.
    pub claims: BTreeMap<String, Vec<String>>,
    /// Upstream `acr` or authentication context class → our `acr`; what is not listed does not pass (RULES 22).
    #[serde(default)]
    pub acr_values: BTreeMap<String, String>,
    /// Upstream group → our role, by the organization's mapping only (RULES 22).
    #[serde(default)]
    pub roles: BTreeMap<String, Vec<String>>,
    /// Who may come in for the first time.
    #[serde(flatten, default)]
    pub newcomers: Newcomers,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "product names")]
pub enum Vendor {
    Adfs,
    Auth0,
    Entra,
    Generic,
    Github,
    Google,
    Keycloak,
    Okta,
    Shibboleth,
}

/// The protocol (`strategy`) and its `options`, as the management API shows them, secrets sealed.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "strategy", content = "options", rename_all = "lowercase")]
pub enum ConnectionOptions {
    /// OAuth 2.0 with an API that says who the user is.
    OAuth2(OAuth2Options),
    /// OpenID Connect.
    Oidc(OidcOptions),
    /// Our own sign-in page, for people whose company has no identity provider.
    Password(PasswordOptions),
    /// SAML 2.0 web browser SSO.
    Saml(Box<SamlOptions>),
}

/// Options of a SAML connection.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct SamlOptions {
    /// The IdP's metadata as it was given or fetched; always holds a usable key.
    pub metadata_xml: String,
    /// Where it was fetched from, if it was.
    pub metadata_url: Option<String>,
    /// Sign AuthnRequests; `None`: as the IdP's metadata wants.
    pub sign_requests: Option<bool>,
    /// Accept unsolicited responses (restarted as SP-initiated).
    pub idp_initiated: IdpInitiated,
    /// Our entity id for this connection; `None`: its metadata URL.
    pub sp_entity_id: Option<String>,
    /// NameIDPolicy Format; `None`: none is asked for (RULES 16).
    pub name_id_format: Option<String>,
    /// 0-300, default 60.
    pub clock_skew_seconds: u32,
    /// Accept SHA-1 signatures and digests (RULES 17).
    pub allow_sha1: bool,
    /// Accept inclusive C14N 1.0.
    pub allow_inclusive_c14n: bool,
    /// What to do with an e-mail outside the connection's domains (RULES 20).
    pub foreign_domains: ForeignDomains,
    /// Attribute that names the subject instead of the NameID (RULES 14).
    pub subject_attribute: Option<String>,
    /// Publish an encryption key and take encrypted assertions (RULES 13).
    pub encrypt_assertions: bool,
    /// Allow http locations of the IdP; needs `upstream.allow_http`.
    pub allow_idp_http: bool,
    /// Decoded size limit of a response, bytes.
    pub max_response_bytes: u32,
    /// Our key for this connection, sealed: PKCS#8 (base64 of sealed bytes) and its certificate (base64 DER).
    pub sp_key: Option<SealedSpKey>,
}

/// Settings for unsolicited responses.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct IdpInitiated {
    /// Off by default.
    pub enabled: bool,
}

/// A connection's own RSA key at rest.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct SealedSpKey {
    /// PKCS#8, sealed under the master key, bound to the connection's id.
    pub sealed_pkcs8: String,
    /// Self-signed certificate, base64 DER.
    pub certificate: String,
}

/// What happens to a verified e-mail address outside the connection's domains (RULES 20).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ForeignDomains {
    /// The login is refused.
    #[default]
    Refuse,
    /// The login goes on without the e-mail claim (guests of a B2B directory).
    OmitEmail,
}

/// Options of an OpenID Connect connection.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct OidcOptions {
    /// The OP's issuer, exact text; for vendor entra made from authority and tenant.
    pub issuer: Option<String>,
    /// Our client id at the OP.
    pub client_id: String,
    /// Our client secret at the OP, sealed; `None`: a public client.
    pub sealed_client_secret: Option<String>,
    /// Scopes asked for; always holds `openid`.
    pub scopes: Vec<String>,
    /// `query` or `form_post`; `None`: not sent.
    pub response_mode: Option<String>,
    /// `client_secret_basic`, `client_secret_post`, `none`; `None`: by discovery.
    pub token_endpoint_auth_method: Option<String>,
    /// acr values asked for and then required (RULES 22).
    pub acr_values: Vec<String>,
    /// Fixed extra parameters of the authorization request.
    pub upstream_params: BTreeMap<String, String>,
    /// What to do with an e-mail outside the connection's domains (RULES 20).
    pub foreign_domains: ForeignDomains,
    /// Entra: tenant id, `organizations` or `common`.
    pub tenant: Option<String>,
    /// Entra with `organizations` or `common`: the tenant ids that may sign in.
    pub allowed_tenants: Vec<String>,
    /// Entra: default `https://login.microsoftonline.com`.
    pub authority: Option<String>,
    /// 0-300, default 60.
    pub clock_skew_seconds: u32,
}

/// Options of a `password` connection.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct PasswordOptions {
    /// Characters that a new password has at least.
    pub min_length: u32,
    /// Accounts that may sign in although an enterprise connection serves their domain: for the day on which that is broken
    /// (RULES 21).
    pub break_glass: Vec<AccountEmail>,
}

impl SamlOptions {
    /// `max_response_bytes` as a size in memory.
    pub fn largest_response(&self) -> usize {
        usize::try_from(self.max_response_bytes).unwrap_or(usize::MAX)
    }
}

impl Connection {
    /// `oauth2`, `oidc`, `password` or `saml`.
    pub const fn strategy(&self) -> &'static str {
        match self.options {
            ConnectionOptions::OAuth2(_) => "oauth2",
            ConnectionOptions::Oidc(_) => "oidc",
            ConnectionOptions::Password(_) => "password",
            ConnectionOptions::Saml(_) => "saml",
        }
    }

    /// Whether the connection's own list names this client.
    pub fn lists_client(&self, client_id: &str) -> bool {
        self.clients.iter().any(|c| c == "*" || c == client_id)
    }

    /// Whether it is open to the third-party clients of an organization that does not own it.
    pub fn is_promoted_to(&self, organization: &Name) -> bool {
        let named = &self.domain_connection_organizations;
        self.is_domain_connection && (named.is_empty() || named.contains(organization))
    }

    /// What to do with foreign e-mail domains.
    pub const fn foreign_domains(&self) -> ForeignDomains {
        match &self.options {
            ConnectionOptions::OAuth2(o) => o.foreign_domains,
            ConnectionOptions::Oidc(o) => o.foreign_domains,
            ConnectionOptions::Password(_) => ForeignDomains::Refuse,
            ConnectionOptions::Saml(o) => o.foreign_domains,
        }
    }
}
