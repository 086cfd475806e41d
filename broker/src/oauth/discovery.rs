//! What we publish about ourselves (OIDC Discovery §3, RFC 8414 §2): exactly what works.

use homerealm_certs::JwsAlgorithm;
use serde::Serialize;

use super::claims::USER_CLAIMS;
use super::scope::OIDC_SCOPES;
use super::token::SERVED;
use crate::catalog::GrantType;
use crate::config::{Config, Issuer};

/// The document at `/.well-known/openid-configuration` and `/.well-known/oauth-authorization-server`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the names of the specifications")]
pub struct Discovery {
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    /// RFC 8628 §4.
    pub device_authorization_endpoint: String,
    pub userinfo_endpoint: String,
    /// Where clients may register themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_endpoint: Option<String>,
    pub jwks_uri: String,
    pub scopes_supported: [&'static str; 4],
    pub claims_supported: Vec<&'static str>,
    pub response_types_supported: [&'static str; 1],
    pub response_modes_supported: [&'static str; 2],
    pub grant_types_supported: [&'static str; 3],
    pub subject_types_supported: [&'static str; 1],
    pub id_token_signing_alg_values_supported: [&'static str; 3],
    pub token_endpoint_auth_methods_supported: [&'static str; 3],
    pub code_challenge_methods_supported: [&'static str; 1],
    /// RFC 9207 §3.
    pub authorization_response_iss_parameter_supported: bool,
    pub claims_parameter_supported: bool,
    pub request_parameter_supported: bool,
    /// True where it is left out (OIDC Discovery §3).
    pub request_uri_parameter_supported: bool,
}

/// The protocol's own claims in ID tokens.
const TOKEN_CLAIMS: [&str; 9] =
    ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr"];

impl Discovery {
    /// Of the broker with this issuer.
    pub fn new(issuer: &Issuer) -> Self {
        let url = |path: &str| format!("{}{path}", issuer.as_str());
        Self {
            issuer: issuer.as_str().to_owned(),
            authorization_endpoint: url("/authorize"),
            token_endpoint: url("/oauth/token"),
            device_authorization_endpoint: url("/oauth/device/code"),
            userinfo_endpoint: url("/userinfo"),
            registration_endpoint: None,
            jwks_uri: url("/.well-known/jwks.json"),
            scopes_supported: OIDC_SCOPES,
            claims_supported: TOKEN_CLAIMS.into_iter().chain(USER_CLAIMS).collect(),
            response_types_supported: ["code"],
            response_modes_supported: ["query", "form_post"],
            grant_types_supported: SERVED.map(GrantType::as_str),
            subject_types_supported: ["public"],
            id_token_signing_alg_values_supported: [
                JwsAlgorithm::Rs256.as_str(),
                JwsAlgorithm::Es256.as_str(),
                JwsAlgorithm::EdDsa.as_str(),
            ],
            token_endpoint_auth_methods_supported: [
                "client_secret_basic",
                "client_secret_post",
                "none",
            ],
            code_challenge_methods_supported: ["S256"],
            authorization_response_iss_parameter_supported: true,
            claims_parameter_supported: false,
            request_parameter_supported: false,
            request_uri_parameter_supported: false,
        }
    }
}

impl Discovery {
    /// With what the settings switch on.
    #[must_use]
    pub fn with(self, config: &Config) -> Self {
        let registration_endpoint =
            config.registration.enabled.then(|| config.issuer.url("/oidc/register").to_string());
        Self { registration_endpoint, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_this() {
        let issuer = Issuer::parse("https://login.example.com").unwrap();

        let document = serde_json::to_value(Discovery::new(&issuer)).unwrap();

        let expected = serde_json::json!({
            "issuer": "https://login.example.com",
            "authorization_endpoint": "https://login.example.com/authorize",
            "token_endpoint": "https://login.example.com/oauth/token",
            "device_authorization_endpoint": "https://login.example.com/oauth/device/code",
            "userinfo_endpoint": "https://login.example.com/userinfo",
            "jwks_uri": "https://login.example.com/.well-known/jwks.json",
            "scopes_supported": ["openid", "profile", "email", "phone"],
            "claims_supported": [
                "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr",
                "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username",
                "profile", "picture", "website", "locale", "zoneinfo", "groups", "roles",
                "email", "email_verified", "phone_number"
            ],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "form_post"],
            "grant_types_supported": [
                "authorization_code", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code"
            ],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
            "claims_parameter_supported": false,
            "request_parameter_supported": false,
            "request_uri_parameter_supported": false
        });
        assert_eq!(document, expected);
    }
}
