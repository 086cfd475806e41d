//! `domains` of an organization's body: the operator's word, which never revives what DNS says (RULES 25).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::refuse_unownable;
use crate::admin::fields::Fields;
use crate::catalog::{DomainPattern, OrganizationDomain};
use crate::domains::proof;

/// An entry of the list.
pub(super) struct Said {
    name: DomainPattern,
    verified: bool,
    proof: Option<Proof>,
}

/// What `verified` rests on.
#[derive(Clone, Copy, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Proof {
    Dns,
    Operator,
}

pub(super) fn read(fields: &mut Fields) -> Vec<Said> {
    let mut domains: Vec<Said> = Vec::new();
    for mut inner in fields.objects("domains").unwrap_or_default() {
        let name = inner.parsed("name", DomainPattern::try_from);
        let name = inner.require("name", name);
        let verified = inner.flag("verified").unwrap_or(false);
        let proof = inner.choice("proof", "dns or operator");
        if let Some(name) = name {
            refuse_unownable(&mut inner, &name);
            if domains.iter().any(|d| d.name == name) {
                inner.refuse("name", "is listed twice");
            }
            domains.push(Said { name, verified, proof });
        }
        fields.absorb(inner);
    }
    // RULES 25: a wildcard needs its base proven
    let proven = |d: &Said| {
        domains
            .iter()
            .any(|b| b.verified && !b.name.is_wildcard() && b.name.base() == d.name.base())
    };
    let unproven: Vec<String> = domains
        .iter()
        .filter(|d| d.verified && d.name.is_wildcard() && !proven(d))
        .map(|d| d.name.to_string())
        .collect();
    for name in unproven {
        let base = name.trim_start_matches("*.").to_owned();
        fields
            .refuse("domains", format!("holds {name}, which needs {base} listed and verified too"));
    }
    domains
}

/// What the list makes of what is held.
pub(super) fn held(old: &[OrganizationDomain], said: Vec<Said>) -> Vec<OrganizationDomain> {
    let mut new: Vec<_> = said.into_iter().map(|said| with_proof(old, said)).collect();
    proof::drop_wildcards_without_base(&mut new);
    new
}

/// Where DNS has a say, `verified` is what DNS says, and a list that was true once does not verify what was lost since. It
/// takes `"proof": "operator"` to put the operator's word in the place of DNS; taking a domain away needs no such word.
fn with_proof(old: &[OrganizationDomain], said: Said) -> OrganizationDomain {
    let held = old.iter().find(|held| held.name == said.name);
    if said.proof != Some(Proof::Operator)
        && let Some(held) = held.filter(|held| held.dns.is_some())
        && (said.verified || !held.verified)
    {
        return held.clone();
    }
    let is_held = held.is_some_and(|held| held.verified);
    let verified = said.verified && (said.proof != Some(Proof::Dns) || is_held);
    OrganizationDomain { name: said.name, verified, dns: None }
}

/// As the operator writes them; more of each is shown at `/organizations/{id}/domains`.
pub(super) fn shown(domains: &[OrganizationDomain]) -> Vec<Value> {
    let shown = |held: &OrganizationDomain| {
        if is_by_dns(domains, held) {
            json!({"name": held.name, "verified": held.verified, "proof": Proof::Dns})
        } else {
            json!({"name": held.name, "verified": held.verified})
        }
    };
    domains.iter().map(shown).collect()
}

/// A wildcard stands and falls with its base.
fn is_by_dns(domains: &[OrganizationDomain], held: &OrganizationDomain) -> bool {
    let base = DomainPattern::Exact(held.name.base().clone());
    domains.iter().any(|domain| domain.name == base && domain.dns.is_some())
}
