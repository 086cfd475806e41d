//! What we publish about ourselves (OIDC Discovery §3, RFC 8414 §2): exactly what works.

use homerealm_certs::JwsAlgorithm;
use serde::Serialize;

use super::claims::USER_CLAIMS;
use super::par;
use super::scope::OIDC_SCOPES;
use super::token::SERVED;
use crate::catalog::GrantType;
use crate::catalog::client::ClientSigningAlgorithm;
use crate::config::{ClientCertificates, Config, Issuer};

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
    /// RFC 7009.
    pub revocation_endpoint: String,
    /// RFC 7662.
    pub introspection_endpoint: String,
    /// Where clients may register themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_endpoint: Option<String>,
    pub end_session_endpoint: String,
    /// Whether a `client_id` may be the address of the client's metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id_metadata_document_supported: Option<bool>,
    pub jwks_uri: String,
    pub scopes_supported: [&'static str; 5],
    pub claims_supported: Vec<&'static str>,
    pub response_types_supported: [&'static str; 1],
    pub response_modes_supported: [&'static str; 2],
    pub grant_types_supported: [&'static str; 4],
    pub subject_types_supported: [&'static str; 1],
    pub id_token_signing_alg_values_supported: [&'static str; 3],
    pub userinfo_signing_alg_values_supported: [&'static str; 3],
    /// RFC 9701 §7.
    pub introspection_signing_alg_values_supported: [&'static str; 3],
    pub token_endpoint_auth_methods_supported: Vec<&'static str>,
    pub token_endpoint_auth_signing_alg_values_supported: [&'static str; 9],
    pub revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    pub revocation_endpoint_auth_signing_alg_values_supported: [&'static str; 9],
    pub introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    pub introspection_endpoint_auth_signing_alg_values_supported: [&'static str; 9],
    /// RFC 9449 §5.1.
    pub dpop_signing_alg_values_supported: [&'static str; 9],
    /// RFC 8705 §3.3.
    pub tls_client_certificate_bound_access_tokens: bool,
    /// RFC 9126 §5.
    pub pushed_authorization_request_endpoint: String,
    pub require_pushed_authorization_requests: bool,
    /// Of what is pushed.
    pub request_object_signing_alg_values_supported: [&'static str; 9],
    pub code_challenge_methods_supported: [&'static str; 1],
    /// RFC 9207 §3.
    pub authorization_response_iss_parameter_supported: bool,
    /// Back-Channel Logout §2.1.
    pub backchannel_logout_supported: bool,
    pub backchannel_logout_session_supported: bool,
    /// Front-Channel Logout §3.
    pub frontchannel_logout_supported: bool,
    pub frontchannel_logout_session_supported: bool,
    pub claims_parameter_supported: bool,
    /// At `/authorize`; pushed request objects need no announcement (RFC 9126 §5).
    pub request_parameter_supported: bool,
    /// True where it is left out (OIDC Discovery §3).
    pub request_uri_parameter_supported: bool,
}

/// The protocol's own claims in ID tokens.
const TOKEN_CLAIMS: [&str; 12] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "sid",
    "org_id",
    "org_name",
];

/// What we sign with.
const SIGNING: [&str; 3] =
    [JwsAlgorithm::Rs256.as_str(), JwsAlgorithm::Es256.as_str(), JwsAlgorithm::EdDsa.as_str()];

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
            revocation_endpoint: url("/oauth/revoke"),
            introspection_endpoint: url("/oauth/introspect"),
            registration_endpoint: None,
            end_session_endpoint: url("/oidc/logout"),
            client_id_metadata_document_supported: None,
            jwks_uri: url("/.well-known/jwks.json"),
            scopes_supported: OIDC_SCOPES,
            claims_supported: TOKEN_CLAIMS.into_iter().chain(USER_CLAIMS).collect(),
            response_types_supported: ["code"],
            response_modes_supported: ["query", "form_post"],
            grant_types_supported: SERVED.map(GrantType::as_str),
            subject_types_supported: ["public"],
            id_token_signing_alg_values_supported: SIGNING,
            userinfo_signing_alg_values_supported: SIGNING,
            introspection_signing_alg_values_supported: SIGNING,
            token_endpoint_auth_methods_supported: methods(&ClientCertificates::default()),
            token_endpoint_auth_signing_alg_values_supported: ClientSigningAlgorithm::NAMES,
            revocation_endpoint_auth_methods_supported: methods(&ClientCertificates::default()),
            revocation_endpoint_auth_signing_alg_values_supported: ClientSigningAlgorithm::NAMES,
            introspection_endpoint_auth_methods_supported: proofs(&ClientCertificates::default()),
            introspection_endpoint_auth_signing_alg_values_supported: ClientSigningAlgorithm::NAMES,
            dpop_signing_alg_values_supported: ClientSigningAlgorithm::NAMES,
            tls_client_certificate_bound_access_tokens: false,
            pushed_authorization_request_endpoint: url(par::PATH),
            require_pushed_authorization_requests: false,
            request_object_signing_alg_values_supported: ClientSigningAlgorithm::NAMES,
            code_challenge_methods_supported: ["S256"],
            authorization_response_iss_parameter_supported: true,
            backchannel_logout_supported: true,
            backchannel_logout_session_supported: true,
            frontchannel_logout_supported: true,
            frontchannel_logout_session_supported: true,
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
        let client_id_metadata_document_supported =
            config.client_id_documents.is_some().then_some(true);
        let certificates = &config.client_certificates;
        Self {
            registration_endpoint,
            client_id_metadata_document_supported,
            token_endpoint_auth_methods_supported: methods(certificates),
            revocation_endpoint_auth_methods_supported: methods(certificates),
            introspection_endpoint_auth_methods_supported: proofs(certificates),
            tls_client_certificate_bound_access_tokens: certificates.are_seen(),
            ..self
        }
    }
}

/// Certificates only where they are seen, and CAs only where some are trusted.
fn methods(certificates: &ClientCertificates) -> Vec<&'static str> {
    let mut methods = vec!["client_secret_basic", "client_secret_post", "none", "private_key_jwt"];
    if certificates.are_seen() {
        methods.push("self_signed_tls_client_auth");
        methods.extend(certificates.ca_file.is_some().then_some("tls_client_auth"));
    }
    methods
}

/// Those by which a client proves who it is: the introspection endpoint wants one.
fn proofs(certificates: &ClientCertificates) -> Vec<&'static str> {
    methods(certificates).into_iter().filter(|method| *method != "none").collect()
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
            "end_session_endpoint": "https://login.example.com/oidc/logout",
            "revocation_endpoint": "https://login.example.com/oauth/revoke",
            "introspection_endpoint": "https://login.example.com/oauth/introspect",
            "jwks_uri": "https://login.example.com/.well-known/jwks.json",
            "scopes_supported": ["openid", "profile", "email", "phone", "offline_access"],
            "claims_supported": [
                "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid",
                "org_id", "org_name",
                "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username",
                "profile", "picture", "website", "locale", "zoneinfo", "groups", "roles",
                "email", "email_verified", "phone_number"
            ],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "form_post"],
            "grant_types_supported": [
                "authorization_code", "client_credentials", "refresh_token",
                "urn:ietf:params:oauth:grant-type:device_code"
            ],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
            "userinfo_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
            "introspection_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none", "private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["ES256", "ES384", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"],
            "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none", "private_key_jwt"],
            "revocation_endpoint_auth_signing_alg_values_supported": ["ES256", "ES384", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"],
            "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
            "introspection_endpoint_auth_signing_alg_values_supported": ["ES256", "ES384", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"],
            "dpop_signing_alg_values_supported": ["ES256", "ES384", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"],
            "tls_client_certificate_bound_access_tokens": false,
            "pushed_authorization_request_endpoint": "https://login.example.com/oauth/par",
            "require_pushed_authorization_requests": false,
            "request_object_signing_alg_values_supported": ["ES256", "ES384", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
            "backchannel_logout_supported": true,
            "backchannel_logout_session_supported": true,
            "frontchannel_logout_supported": true,
            "frontchannel_logout_session_supported": true,
            "claims_parameter_supported": false,
            "request_parameter_supported": false,
            "request_uri_parameter_supported": false
        });
        assert_eq!(document, expected);
    }

    #[test]
    fn certificates_are_announced_where_they_are_seen() {
        let header = Some("client-cert".to_owned());
        let seen = ClientCertificates { header, ..ClientCertificates::default() };
        assert_eq!(methods(&seen).last(), Some(&"self_signed_tls_client_auth"));
        let trusted = ClientCertificates { ca_file: Some("ca.pem".into()), ..seen };
        assert_eq!(methods(&trusted).last(), Some(&"tls_client_auth"));
        let unseen = ClientCertificates { header: None, ..trusted };
        assert_eq!(methods(&unseen).last(), Some(&"private_key_jwt"));
    }
}
