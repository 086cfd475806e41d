//! A round through every domain that DNS proved: is the record still there?

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::StreamExt as _;
use futures_util::stream;

use super::proof::{self, Seen};
use super::record_name;
use crate::app::App;
use crate::catalog::{
    Actor, ActorKind, Author, CatalogError, DnsProof, Organization, OrganizationDomain, Versioned,
};
use crate::ids;
use crate::sessions::StoreError;

/// Between two rounds.
const EVERY: TimeDelta = TimeDelta::hours(6);
/// Organizations that are looked at at once.
const AT_ONCE: usize = 8;

/// Why a round was not made, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    /// The organizations cannot be read or written.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// It is not known whether another node makes it.
    #[error("the session store: {0}")]
    Store(#[from] StoreError),
}

/// Makes the round that is due, unless this or another node has begun it.
///
/// # Errors
/// [`RoundError`]; the next round is made nevertheless.
pub async fn round_if_due(app: &App, now: DateTime<Utc>) -> Result<(), RoundError> {
    let number = now.timestamp().div_euclid(EVERY.num_seconds());
    let until = now + EVERY + EVERY;
    if app.records.first_use("domains", &number.to_string(), until, now).await? {
        round(app, now).await?;
    }
    Ok(())
}

/// Looks at every record once.
///
/// # Errors
/// [`CatalogError::Unavailable`] where the organizations cannot be read. One that cannot be written is left for the next round.
pub async fn round(app: &App, now: DateTime<Utc>) -> Result<(), CatalogError> {
    let mut cursor = None;
    loop {
        let page = app.catalog.list::<Organization>(200, cursor.as_deref()).await?;
        let watched = page.items.iter().filter(|o| o.domains.iter().any(proof::is_watched));
        stream::iter(watched).for_each_concurrent(AT_ONCE, |found| look(app, found, now)).await;
        cursor = page.next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

async fn look(app: &App, found: &Versioned<Organization>, now: DateTime<Utc>) {
    let mut domains = Vec::with_capacity(found.domains.len());
    for domain in &found.domains {
        let seen = match domain.dns.as_ref().filter(|_| proof::is_watched(domain)) {
            Some(dns) => see(app, domain, dns).await,
            None => Seen::Unknown,
        };
        domains.push(proof::looked_at(domain, seen, now));
    }
    proof::drop_wildcards_without_base(&mut domains);
    if domains == found.domains {
        return;
    }
    tell(found, &domains);
    let author = Author {
        id: ids::id("aud", app.random.as_ref()),
        actor: Actor::new(ActorKind::Schedule, "domains"),
        address: None,
        at: now,
    };
    let new = Organization { domains, updated_at: now, ..Organization::clone(&found.object) };
    if let Err(error) = app.catalog.audited(author).update(&new, Some(found.revision)).await {
        tracing::warn!(%error, organization.id = found.id, "what DNS says of its domains was not written");
    }
}

/// What name servers say of a domain's record.
pub async fn see(app: &App, domain: &OrganizationDomain, dns: &DnsProof) -> Seen {
    match app.dns.texts(&record_name(domain.name.base())).await {
        Ok(texts) if texts.contains(&dns.challenge) => Seen::There,
        Ok(_) => Seen::Gone,
        Err(error) => {
            tracing::info!(%error, domain = %domain.name, "a domain's record was not seen");
            Seen::Unknown
        }
    }
}

fn tell(old: &Organization, new: &[OrganizationDomain]) {
    for (old_domain, new_domain) in old.domains.iter().zip(new) {
        if old_domain != new_domain {
            tracing::warn!(
                organization.id = old.id,
                domain = %new_domain.name,
                is_verified = new_domain.verified,
                is_lost = proof::verified_until(new_domain).is_some(),
                "the proof of a domain has changed"
            );
        }
    }
}
