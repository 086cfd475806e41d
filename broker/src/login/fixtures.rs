//! One good value of each kind; tests change one field.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use homerealm_certs::JwsAlgorithm;
use homerealm_connectors::assertion::{AssertionParts, ReplayKey, Subject};
use serde_json::{Value, json};

use super::request::access::Access;
use super::request::{AnswerTo, AuthorizationRequest, ResponseMode, WayThere};
use crate::catalog::connection::IdpInitiated;
use crate::catalog::{
    Client, ClientAuthMethod, ClientKind, Connection, ConnectionOptions, DomainPattern,
    ForeignDomains, GrantType, Name, OidcOptions, Organization, OrganizationDomain,
    PasswordOptions, SamlOptions, Vendor,
};
use crate::seal::{MasterKey, Sealer};
use crate::sessions::fixtures::MemoryStore;
use crate::sessions::record::Records;

pub(crate) fn now() -> DateTime<Utc> {
    "2030-01-01T00:00:00Z".parse().unwrap()
}

pub(crate) fn name(text: &str) -> Name {
    Name::try_from(text.to_owned()).unwrap()
}

pub(crate) fn pattern(text: &str) -> DomainPattern {
    DomainPattern::try_from(text.to_owned()).unwrap()
}

pub(crate) fn organization(called: &str, domains: &[(&str, bool)]) -> Organization {
    let held = |(d, verified): &(&str, bool)| OrganizationDomain {
        name: pattern(d),
        verified: *verified,
        dns: None,
    };
    Organization {
        id: format!("org_{called}"),
        name: name(called),
        display_name: called.to_owned(),
        domains: domains.iter().map(held).collect(),
        session_max_age_seconds: None,
        role_mappings: Vec::new(),
        enabled: true,
        created_at: now(),
        updated_at: now(),
    }
}

/// A SAML connection of `acme` for `acme.example`.
pub(crate) fn saml() -> Connection {
    connection(
        "acme-saml",
        ConnectionOptions::Saml(Box::new(SamlOptions {
            metadata_xml: String::new(),
            metadata_url: None,
            sign_requests: None,
            idp_initiated: IdpInitiated::default(),
            sp_entity_id: None,
            name_id_format: None,
            clock_skew_seconds: 60,
            allow_sha1: false,
            allow_inclusive_c14n: false,
            foreign_domains: ForeignDomains::Refuse,
            subject_attribute: None,
            encrypt_assertions: false,
            allow_idp_http: false,
            max_response_bytes: 262_144,
            sp_key: None,
        })),
    )
}

/// An OIDC connection of `acme` for `acme.example`.
pub(crate) fn oidc() -> Connection {
    connection(
        "acme-oidc",
        ConnectionOptions::Oidc(OidcOptions {
            issuer: Some("https://op.example".to_owned()),
            client_id: "homerealm".to_owned(),
            sealed_client_secret: None,
            scopes: vec!["openid".to_owned()],
            response_mode: None,
            token_endpoint_auth_method: None,
            acr_values: Vec::new(),
            upstream_params: BTreeMap::new(),
            foreign_domains: ForeignDomains::Refuse,
            tenant: None,
            allowed_tenants: Vec::new(),
            authority: None,
            clock_skew_seconds: 60,
        }),
    )
}

/// A password connection of `acme` for `acme.example`.
pub(crate) fn password() -> Connection {
    let options = PasswordOptions { min_length: 15, break_glass: Vec::new() };
    connection("acme-password", ConnectionOptions::Password(options))
}

fn connection(called: &str, options: ConnectionOptions) -> Connection {
    Connection {
        id: format!("con_{called}"),
        name: name(called),
        vendor: Vendor::Generic,
        organization: Some(name("acme")),
        display_name: called.to_owned(),
        domains: vec![pattern("acme.example")],
        is_domain_connection: false,
        domain_connection_organizations: Vec::new(),
        enabled: true,
        clients: vec!["*".to_owned()],
        options,
        claims: BTreeMap::new(),
        acr_values: BTreeMap::new(),
        roles: BTreeMap::new(),
        newcomers: Default::default(),
        created_at: now(),
        updated_at: now(),
    }
}

pub(crate) fn client(kind: ClientKind) -> Client {
    Client {
        client_id: "app".to_owned(),
        client_name: "The app".to_owned(),
        kind,
        redirect_uris: vec!["https://app.example/cb".to_owned()],
        post_logout_redirect_uris: Vec::new(),
        web_origins: Vec::new(),
        grant_types: vec![GrantType::AuthorizationCode],
        token_endpoint_auth_method: ClientAuthMethod::ClientSecretBasic,
        secrets: Vec::new(),
        connections: None,
        signed_answers: crate::catalog::SignedAnswers::default(),
        refresh_tokens: crate::catalog::RefreshTokens::default(),
        home_realm: Default::default(),
        id_token_signed_response_alg: JwsAlgorithm::Rs256,
        client_uri: None,
        initiate_login_uri: None,
        session: Default::default(),
        registration: Default::default(),
        keys: Default::default(),
        requests: Default::default(),
        enabled: true,
        created_at: now(),
        updated_at: now(),
    }
}

pub(crate) fn request() -> AuthorizationRequest {
    let oidc_scopes = vec!["openid".to_owned()];
    let request = AuthorizationRequest::new("app".to_owned(), way_to("https://app.example/cb"));
    AuthorizationRequest { access: Access { oidc_scopes, apis: Vec::new() }, ..request }
}

/// The answer goes to a client at this address.
pub(crate) fn way_to(redirect_uri: &str) -> AnswerTo {
    AnswerTo::Client(WayThere {
        redirect_uri: redirect_uri.to_owned(),
        response_mode: ResponseMode::Query,
        state: Some("s".to_owned()),
        code_challenge: "c".repeat(43),
    })
}

/// What an IdP says about a user, with these attributes of one value each.
pub(crate) fn statement(attributes: &[(&str, Value)]) -> AssertionParts {
    let several = |v: &Value| v.as_array().cloned().unwrap_or_else(|| vec![v.clone()]);
    AssertionParts {
        issuer: "https://idp.example".to_owned(),
        subject: Subject::bare("248289761001".to_owned()),
        attributes: attributes.iter().map(|(n, v)| ((*n).to_owned(), several(v))).collect(),
        auth_time: None,
        acr: None,
        amr: Vec::new(),
        session_index: None,
        session_not_on_or_after: None,
        replay: ReplayKey { value: "_a1".to_owned(), until: now() + TimeDelta::minutes(5) },
        issued_at: now(),
        upstream_email_verified: None,
    }
}

pub(crate) fn mail(address: &str) -> AssertionParts {
    statement(&[("email", json!(address))])
}

pub(crate) fn records() -> Records {
    let sealer = Sealer::new(&MasterKey::new([1; 32])).unwrap();
    Records::new(Arc::new(MemoryStore::default()), sealer)
}
