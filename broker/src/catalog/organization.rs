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
    /// Upstream group → our role, for its users' logins (RULES 22).
    #[serde(default)]
    pub role_mappings: Vec<RoleMapping>,
    /// A disabled organization refuses logins, at the start and at the end.
    pub enabled: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

/// What a group of a customer's directory is worth here.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RoleMapping {
    /// As the IdP calls it.
    pub group: String,
    /// As our tokens call it.
    pub role: String,
    /// Whose groups are meant; `None`: those of the organization's own connections.
    #[serde(default)]
    pub connection: Option<Name>,
}

/// A domain as its organization holds it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct OrganizationDomain {
    /// `acme.example` or, where `acme.example` is verified, `*.acme.example`.
    pub name: DomainPattern,
    /// Proven by DNS or by an admin's word.
    pub verified: bool,
    /// How DNS proves it; `None`: it does not, so `verified` is the operator's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns: Option<DnsProof>,
}

/// A claim of a domain by its organization, and what DNS says to it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct DnsProof {
    /// The text that the TXT record has to hold, from the claim on for good.
    pub challenge: String,
    /// Until then it can be proven.
    pub expires_at: DateTime<Utc>,
    /// Since when it is proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven_at: Option<DateTime<Utc>>,
    /// Since when the record of a proven domain is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_at: Option<DateTime<Utc>>,
}

impl Organization {
    /// Whether this organization holds `domain` verified, by its exact name or by a wildcard (RULES: e-mail and domains).
    pub fn holds_verified(&self, domain: &DomainName) -> bool {
        self.domains.iter().any(|held| held.verified && held.name.matches(domain))
    }
}
