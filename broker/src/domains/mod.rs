//! Domains of organizations: claimed, proven by a TXT record that stays, lost, transferred.
//!
//! `proof` has the rules and no I/O, `dns` asks name servers, `recheck` goes through what was proven. What counts for logins is
//! `verified` in the organization, which only these and the operator change.

pub mod dns;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod proof;
pub mod recheck;

use crate::catalog::DomainName;

/// The name of the TXT record that proves a domain (RULES 25).
pub fn record_name(domain: &DomainName) -> String {
    format!("_homerealm-challenge.{domain}")
}
