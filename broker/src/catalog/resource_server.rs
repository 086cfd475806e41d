//! Resource servers: APIs.

use chrono::{DateTime, Utc};
use homerealm_certs::JwsAlgorithm;
use serde::{Deserialize, Serialize};

use super::SubjectType;

/// An API that our access tokens are for.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ResourceServer {
    /// `api_…`.
    pub id: String,
    /// The audience (RFC 8707 resource indicator), unique and immutable.
    pub identifier: String,
    /// For people.
    pub name: String,
    /// Scopes that it knows.
    pub scopes: Vec<Scope>,
    /// Lifetime of its access tokens, seconds.
    pub token_lifetime_seconds: u32,
    /// Algorithm of its access tokens.
    pub signing_alg: JwsAlgorithm,
    /// The audience of requests that name none; one API at most.
    pub default: bool,
    /// On whose behalf its tokens may be asked for; never empty.
    #[serde(default = "every_subject_type")]
    pub allowed_subject_types: Vec<SubjectType>,
    /// Clients that may introspect its access tokens, beside those that they were given to.
    #[serde(default)]
    pub introspection_clients: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

fn every_subject_type() -> Vec<SubjectType> {
    vec![SubjectType::User, SubjectType::Client]
}

/// A scope of an API.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Scope {
    /// Scope token (RFC 6749 §3.3).
    pub value: String,
    /// For the consent page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}
