//! When a domain is proven, and when it no longer is (RULES 25).

use chrono::{DateTime, TimeDelta, Utc};
use homerealm_certs::Random;

use crate::catalog::{DnsProof, DomainPattern, OrganizationDomain};
use crate::ids;

/// How long a claim can be verified: people who change DNS are asked by mail, and are on holiday.
const CLAIM: TimeDelta = TimeDelta::days(14);
/// How long a domain stays verified after its record was gone at a look.
pub const GRACE: TimeDelta = TimeDelta::days(7);

/// What name servers say of a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Seen {
    /// It is there.
    There,
    /// It is not.
    Gone,
    /// They did not answer; that says nothing.
    Unknown,
}

/// A fresh challenge: random for each organization and domain.
pub fn challenge(random: &dyn Random, now: DateTime<Utc>) -> DnsProof {
    DnsProof {
        challenge: format!("homerealm-verification={}", ids::secret(random)),
        expires_at: now + CLAIM,
        proven_at: None,
        lost_at: None,
    }
}

/// Whether a claim can be verified still: it has an unused challenge that has not expired.
pub fn is_open(domain: &OrganizationDomain, now: DateTime<Utc>) -> bool {
    let fresh = |dns: &DnsProof| dns.proven_at.is_none() && now < dns.expires_at;
    !domain.verified && domain.dns.as_ref().is_some_and(fresh)
}

/// A claim whose record was seen.
pub fn proven(dns: &DnsProof, now: DateTime<Utc>) -> DnsProof {
    DnsProof { proven_at: Some(now), lost_at: None, ..dns.clone() }
}

/// Whether its record is looked at again and again: DNS proved it, and nobody's word stands above that.
pub fn is_watched(domain: &OrganizationDomain) -> bool {
    domain.verified && domain.dns.as_ref().is_some_and(|dns| dns.proven_at.is_some())
}

/// When a domain whose record is gone stops being verified.
pub fn verified_until(domain: &OrganizationDomain) -> Option<DateTime<Utc>> {
    let lost_at = domain.dns.as_ref()?.lost_at?;
    domain.verified.then_some(lost_at + GRACE)
}

/// A watched domain after a look at its record. What was lost for longer than the grace is not verified any more, and is
/// proven anew by a new claim only.
pub fn looked_at(
    domain: &OrganizationDomain,
    seen: Seen,
    now: DateTime<Utc>,
) -> OrganizationDomain {
    let mut domain = domain.clone();
    if !is_watched(&domain) {
        return domain;
    }
    let Some(dns) = &mut domain.dns else { return domain };
    match (seen, dns.lost_at) {
        (Seen::There, _) => dns.lost_at = None,
        (Seen::Gone, None) => dns.lost_at = Some(now),
        (Seen::Gone, Some(lost_at)) if now >= lost_at + GRACE => domain.verified = false,
        (Seen::Gone, Some(_)) | (Seen::Unknown, _) => {}
    }
    domain
}

/// Whether a wildcard's base is proven in the same list (RULES 25: a wildcard needs d proven).
pub fn has_proven_base(domains: &[OrganizationDomain], name: &DomainPattern) -> bool {
    let base = DomainPattern::Exact(name.base().clone());
    domains.iter().any(|held| held.verified && held.name == base)
}

/// Wildcards are not verified any more where their base is not.
pub fn drop_wildcards_without_base(domains: &mut [OrganizationDomain]) {
    let all = domains.to_vec();
    for domain in domains.iter_mut().filter(|domain| domain.name.is_wildcard()) {
        domain.verified = domain.verified && has_proven_base(&all, &domain.name);
    }
}

#[cfg(test)]
mod tests {
    use homerealm_certs::SystemRandom;

    use super::*;
    use crate::login::fixtures::{now, pattern};

    fn claimed(name: &str) -> OrganizationDomain {
        let dns = Some(challenge(&SystemRandom, now()));
        OrganizationDomain { name: pattern(name), verified: false, dns }
    }

    fn held(name: &str) -> OrganizationDomain {
        let domain = claimed(name);
        let dns = domain.dns.as_ref().map(|dns| proven(dns, now()));
        OrganizationDomain { verified: true, dns, ..domain }
    }

    const SECOND: TimeDelta = TimeDelta::seconds(1);

    #[test]
    fn a_claim_is_open_until_its_last_second() {
        let domain = claimed("acme.example");
        assert!(is_open(&domain, now() + CLAIM - SECOND));
        assert!(!is_open(&domain, now() + CLAIM));
        assert!(!is_open(&held("acme.example"), now()));
        assert!(!is_open(&OrganizationDomain { dns: None, ..domain }, now()));
    }

    #[test]
    fn challenges_are_never_the_same() {
        let one = || claimed("acme.example").dns.unwrap().challenge;
        assert_ne!(one(), one());
    }

    #[test]
    fn a_lost_record_is_remembered_and_ends_the_proof_after_the_grace() {
        let lost = looked_at(&held("acme.example"), Seen::Gone, now());
        assert!(lost.verified);
        assert_eq!(verified_until(&lost), Some(now() + GRACE));

        let before = looked_at(&lost, Seen::Gone, now() + GRACE - SECOND);
        assert_eq!(before, lost);
        let ended = looked_at(&lost, Seen::Gone, now() + GRACE);
        assert!(!ended.verified && !is_watched(&ended) && !is_open(&ended, now()));
        assert_eq!(looked_at(&ended, Seen::There, now() + GRACE), ended, "claimed anew only");
    }

    #[test]
    fn a_record_that_is_back_in_time_changes_nothing_in_the_end() {
        let lost = looked_at(&held("acme.example"), Seen::Gone, now());
        assert_eq!(looked_at(&lost, Seen::There, now() + GRACE), held_like(&lost));
    }

    fn held_like(lost: &OrganizationDomain) -> OrganizationDomain {
        let dns = lost.dns.clone().map(|dns| DnsProof { lost_at: None, ..dns });
        OrganizationDomain { dns, ..lost.clone() }
    }

    #[test]
    fn silence_says_nothing() {
        let held = held("acme.example");
        assert_eq!(looked_at(&held, Seen::Unknown, now()), held);
        let lost = looked_at(&held, Seen::Gone, now());
        assert_eq!(looked_at(&lost, Seen::Unknown, now() + GRACE + GRACE), lost);
    }

    #[test]
    fn the_operators_word_is_not_looked_at() {
        let word = OrganizationDomain { dns: None, ..held("acme.example") };
        assert!(!is_watched(&word));
        assert_eq!(looked_at(&word, Seen::Gone, now()), word);
    }

    #[test]
    fn a_wildcard_goes_with_its_base() {
        let wildcard = OrganizationDomain { dns: None, ..held("*.acme.example") };
        let mut domains = vec![wildcard.clone(), held("acme.example"), held("other.example")];
        drop_wildcards_without_base(&mut domains);
        assert!(domains[0].verified);

        domains[1].verified = false;
        drop_wildcards_without_base(&mut domains);

        assert!(!domains[0].verified && domains[2].verified);
        assert!(!has_proven_base(std::slice::from_ref(&wildcard), &wildcard.name));
    }
}
