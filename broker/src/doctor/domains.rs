//! Domains whose proof is gone.

use super::{Finding, Level};
use crate::app::App;
use crate::catalog::{CatalogError, Organization, OrganizationDomain};
use crate::domains::{proof, record_name};

/// What the last look at the records said; nobody is asked.
pub(super) async fn examine(app: &App) -> Result<Vec<Finding>, CatalogError> {
    let (mut findings, mut cursor) = (Vec::new(), None);
    loop {
        let page = app.catalog.list::<Organization>(200, cursor.as_deref()).await?;
        for organization in page.items.iter().filter(|organization| organization.enabled) {
            let of_domain = |domain| finding(organization, domain);
            findings.extend(organization.domains.iter().filter_map(of_domain));
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(findings);
        }
    }
}

fn finding(organization: &Organization, domain: &OrganizationDomain) -> Option<Finding> {
    let dns = domain.dns.as_ref()?;
    let lost_at = dns.lost_at?;
    let record = record_name(domain.name.base());
    let (level, then) = match proof::verified_until(domain) {
        Some(end) => (Level::Warning, format!("it is verified until {}", super::moment(end))),
        None => (Level::Wrong, "it is not verified any more".to_owned()),
    };
    Some(Finding::new(
        level,
        "domain_proof",
        Some(format!("organization {}, domain {}", organization.name, domain.name)),
        format!("the TXT record {record} is gone since {}: {then}", super::moment(lost_at)),
        "ask the customer to set the record again; after its end the domain is claimed and verified anew",
    ))
}
