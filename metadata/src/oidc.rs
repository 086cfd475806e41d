//! What an OpenID Provider says about itself (OIDC Discovery §3, RFC 8414 §2).

use homerealm_certs::{SignatureAlgorithm, StrictJsonError, strict_json};
use serde_json::{Map, Value};
use url::Url;

use crate::refusal::cut;

#[cfg(test)]
mod tests;

/// The discovery document of an OP, as far as a relying party with the code flow needs it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OidcProviderMetadata {
    /// The issuer, exactly as expected; with Entra's template it still holds `{tenantid}`.
    pub issuer: String,
    /// Where the browser goes.
    pub authorization_endpoint: Url,
    /// Where codes are redeemed.
    pub token_endpoint: Url,
    /// Where the keys are.
    pub jwks_uri: Url,
    /// Where more claims are.
    pub userinfo_endpoint: Option<Url>,
    /// Where a browser signs out (OIDC RP-Initiated Logout §2.1).
    pub end_session_endpoint: Option<Url>,
    /// What ID tokens may be signed with; at least one is supported by us.
    pub id_token_signing_alg_values_supported: Vec<String>,
    /// How clients authenticate; absent in the document, `client_secret_basic`.
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// PKCE methods that the OP announces (RFC 8414 §2); many that do PKCE announce none.
    pub code_challenge_methods_supported: Vec<String>,
    /// How answers may come back; absent in the document, `query` and `fragment`.
    pub response_modes_supported: Vec<String>,
    /// Scopes that the OP announces.
    pub scopes_supported: Vec<String>,
    /// Authentication context classes that the OP announces.
    pub acr_values_supported: Vec<String>,
    /// Whether answers carry `iss`, so that its absence is an attack (RFC 9207 §3).
    pub authorization_response_iss_parameter_supported: bool,
}

impl OidcProviderMetadata {
    /// Reads a discovery document. Its size is the caller's to bound.
    ///
    /// `expected_issuer` is compared character by character (OIDC Discovery §4.3); where Entra
    /// publishes a template for all tenants, it holds the same literal `{tenantid}`. `allow_http`
    /// is for tests and intranets.
    ///
    /// # Errors
    /// [`DiscoveryRefusal`], one variant a reason.
    pub fn read(
        json: &[u8],
        expected_issuer: &str,
        allow_http: bool,
    ) -> Result<Self, DiscoveryRefusal> {
        let Value::Object(members) = strict_json(json)? else {
            return Err(DiscoveryRefusal::NotAnObject);
        };
        let document = Document { members, allow_http };
        let issuer =
            document.text("issuer")?.ok_or(DiscoveryRefusal::MemberMissing { member: "issuer" })?;
        if issuer != expected_issuer {
            return Err(DiscoveryRefusal::IssuerMismatch {
                expected: expected_issuer.to_owned(),
                received: cut(issuer),
            });
        }
        let algorithms = document.required_list("id_token_signing_alg_values_supported")?;
        if !algorithms.iter().any(|name| SignatureAlgorithm::from_jws(name).is_some()) {
            return Err(DiscoveryRefusal::NoSupportedAlgorithm {
                offered: cut(&algorithms.join(" ")),
            });
        }
        if !document.required_list("response_types_supported")?.iter().any(|t| t == "code") {
            return Err(DiscoveryRefusal::NoCodeFlow);
        }
        Ok(Self {
            issuer: issuer.to_owned(),
            authorization_endpoint: document.required_url("authorization_endpoint")?,
            token_endpoint: document.required_url("token_endpoint")?,
            jwks_uri: document.required_url("jwks_uri")?,
            userinfo_endpoint: document.url("userinfo_endpoint")?,
            end_session_endpoint: document.url("end_session_endpoint")?,
            id_token_signing_alg_values_supported: algorithms,
            token_endpoint_auth_methods_supported: document
                .list_or("token_endpoint_auth_methods_supported", &["client_secret_basic"])?,
            code_challenge_methods_supported: document
                .list_or("code_challenge_methods_supported", &[])?,
            response_modes_supported: document
                .list_or("response_modes_supported", &["query", "fragment"])?,
            scopes_supported: document.list_or("scopes_supported", &[])?,
            acr_values_supported: document.list_or("acr_values_supported", &[])?,
            authorization_response_iss_parameter_supported: document
                .flag("authorization_response_iss_parameter_supported")?,
        })
    }
}

struct Document {
    members: Map<String, Value>,
    allow_http: bool,
}

impl Document {
    /// A member; `null` counts as absent (RFC 8414 §2 leaves out what has no value, some OPs do not).
    fn member(&self, name: &str) -> Option<&Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, member: &'static str) -> Result<Option<&str>, DiscoveryRefusal> {
        let invalid = DiscoveryRefusal::MemberInvalid { member };
        self.member(member).map(|value| value.as_str().ok_or(invalid)).transpose()
    }

    fn flag(&self, member: &'static str) -> Result<bool, DiscoveryRefusal> {
        let invalid = DiscoveryRefusal::MemberInvalid { member };
        self.member(member).map_or(Ok(false), |value| value.as_bool().ok_or(invalid))
    }

    fn list(&self, member: &'static str) -> Result<Option<Vec<String>>, DiscoveryRefusal> {
        let texts = |value: &Value| -> Option<Vec<String>> {
            value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
        };
        let invalid = DiscoveryRefusal::MemberInvalid { member };
        self.member(member).map(|value| texts(value).ok_or(invalid)).transpose()
    }

    fn list_or(
        &self,
        member: &'static str,
        default: &[&str],
    ) -> Result<Vec<String>, DiscoveryRefusal> {
        let absent = || default.iter().copied().map(str::to_owned).collect();
        Ok(self.list(member)?.unwrap_or_else(absent))
    }

    fn required_list(&self, member: &'static str) -> Result<Vec<String>, DiscoveryRefusal> {
        self.list(member)?.ok_or(DiscoveryRefusal::MemberMissing { member })
    }

    fn required_url(&self, member: &'static str) -> Result<Url, DiscoveryRefusal> {
        self.url(member)?.ok_or(DiscoveryRefusal::MemberMissing { member })
    }

    /// An endpoint: TLS (OIDC Core §16.17), no fragment (RFC 6749 §3.1, §3.2), and no user
    /// information, which would travel in every request.
    fn url(&self, member: &'static str) -> Result<Option<Url>, DiscoveryRefusal> {
        let refuse = |reason| DiscoveryRefusal::EndpointInvalid { member, reason };
        let Some(text) = self.text(member)? else {
            return Ok(None);
        };
        let url = Url::parse(text).map_err(|_| refuse("is not an absolute URL"))?;
        match url.scheme() {
            "https" => {}
            "http" if self.allow_http => {}
            _ => return Err(refuse("is not https")),
        }
        if url.fragment().is_some() {
            return Err(refuse("has a fragment"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("has user information"));
        }
        Ok(Some(url))
    }
}

/// Why a discovery document is not taken.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DiscoveryRefusal {
    /// An endpoint is no URL that we go to.
    #[error("`{member}` {reason}")]
    EndpointInvalid {
        /// The member of the document.
        member: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The document speaks for somebody else (OIDC Discovery §4.3).
    #[error("the issuer is `{received}`, expected `{expected}`")]
    IssuerMismatch {
        /// The configured issuer.
        expected: String,
        /// The document's, cut to a length that fits a line.
        received: String,
    },
    /// A member is not of the type that the specification gives it.
    #[error("`{member}` is of the wrong type")]
    MemberInvalid {
        /// The member of the document.
        member: &'static str,
    },
    /// A member that a relying party cannot do without is missing.
    #[error("`{member}` is missing")]
    MemberMissing {
        /// The member of the document.
        member: &'static str,
    },
    /// The OP does not offer the authorization code flow.
    #[error("the response type `code` is not offered")]
    NoCodeFlow,
    /// No asymmetric signature algorithm that we support is offered for ID tokens.
    #[error("no supported signature algorithm is offered for ID tokens, only: {offered}")]
    NoSupportedAlgorithm {
        /// What is offered, cut to a length that fits a line.
        offered: String,
    },
    /// The document is another JSON value than an object.
    #[error("the discovery document is not a JSON object")]
    NotAnObject,
    /// The document is not JSON, or ambiguous.
    #[error("the discovery document cannot be read: {0}")]
    NotJson(#[from] StrictJsonError),
}

impl DiscoveryRefusal {
    /// A stable name of the reason.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::EndpointInvalid { .. } => "discovery_endpoint_invalid",
            Self::IssuerMismatch { .. } => "discovery_issuer_mismatch",
            Self::MemberInvalid { .. } => "discovery_member_invalid",
            Self::MemberMissing { .. } => "discovery_member_missing",
            Self::NoCodeFlow => "discovery_no_code_flow",
            Self::NoSupportedAlgorithm { .. } => "discovery_no_supported_algorithm",
            Self::NotAnObject => "discovery_not_an_object",
            Self::NotJson(_) => "discovery_not_json",
        }
    }
}
