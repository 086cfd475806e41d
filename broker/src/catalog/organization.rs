//! Organizations: one customer each.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{DomainName, DomainPattern, Name};

/// One customer: owns domains, connections and third-party clients.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Organization {
    /// `org_…`, never reused.
    pub id: String,
    /// Unique and immutable.
    pub name: Name,
    /// For people.
    pub display_name: String,
    /// E-mail domains of this customer.
    #[serde(default)]
    pub domains: Vec<OrganizationDomain>,
    /// Seconds that a login of this customer's users serves further apps, at most; `None`: as long as the session lives.
    #[serde(default)]
    pub session_max_age_seconds: Option<u32>,
    /// A disabled organization refuses logins, at the start and at the end.
    pub enabled: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

/// A domain as its organization holds it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct OrganizationDomain {
    /// `acme.example` or, where `acme.example` is verified, `*.acme.example`.
    pub name: DomainPattern,
    /// Proven by DNS or by an admin's word.
    pub verified: bool,
}

impl Organization {
    /// Whether this organization holds `domain` verified, by its exact name or by a wildcard (RULES: e-mail and domains).
    pub fn holds_verified(&self, domain: &DomainName) -> bool {
        self.domains.iter().any(|held| held.verified && held.name.matches(domain))
    }
}
