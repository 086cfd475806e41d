//! How many traces of failures are written that prove nothing: anybody can fail, as often as they like, and each trace waits
//! for the disk and stays on it for weeks. What is left out is answered all the same, counted, and summed up in the log.
//!
//! A stranger who names no login gets few. Who has started one, as a customer whose sign-in does not work, gets enough to
//! see why; a login that came as far as a verified statement is always traced.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};

use super::Proof;
use crate::config::Rate;
use crate::counter::{Counter, sender};

/// Counts per address, per login and for the whole process.
#[derive(Debug)]
pub struct TraceBudget {
    enabled: bool,
    strangers: Counter<Option<IpAddr>>,
    all_strangers: Counter<()>,
    logins: Counter<String>,
    of_logins: Counter<Option<IpAddr>>,
    all_of_logins: Counter<()>,
    left_out: Mutex<LeftOut>,
}

/// What was left out in a minute.
#[derive(Debug, Default)]
struct LeftOut {
    minute: i64,
    count: u64,
}

impl TraceBudget {
    /// Nothing written yet; `enabled` is `limits.enabled`.
    pub fn new(enabled: bool) -> Self {
        let per_minute = |count| Rate { count, seconds: 60 };
        Self {
            enabled,
            strangers: Counter::new(per_minute(60)),
            all_strangers: Counter::new(per_minute(600)),
            logins: Counter::new(per_minute(20)),
            of_logins: Counter::new(per_minute(300)),
            all_of_logins: Counter::new(per_minute(3000)),
            left_out: Mutex::default(),
        }
    }

    /// Whether one more trace is written; one that is not is counted.
    pub(super) fn allows(
        &self,
        proof: &Proof,
        address: Option<IpAddr>,
        now: DateTime<Utc>,
    ) -> bool {
        let address = address.map(sender);
        let allowed = match proof {
            _ if !self.enabled => true,
            // the narrower count first: who is over it uses up nothing of the others' share
            Proof::Nothing => {
                self.strangers.count(address, now).is_ok()
                    && self.all_strangers.count((), now).is_ok()
            }
            Proof::Login(handle) => {
                self.logins.count(handle.clone(), now).is_ok()
                    && self.of_logins.count(address, now).is_ok()
                    && self.all_of_logins.count((), now).is_ok()
            }
            Proof::Statement => true,
        };
        if !allowed {
            self.leave_out(now);
        }
        allowed
    }

    /// One line a minute, whatever comes in.
    fn leave_out(&self, now: DateTime<Utc>) {
        let minute = now.timestamp().div_euclid(60);
        let mut left_out = self.left_out.lock().unwrap_or_else(PoisonError::into_inner);
        if left_out.minute != minute {
            tracing::warn!(
                before = left_out.count,
                "more failed sign-ins than are traced; `before` were left out when this happened last"
            );
            *left_out = LeftOut { minute, count: 0 };
        }
        left_out.count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));
    const B: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2)));

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_900_000_000 - 1_900_000_000 % 60 + second, 0).unwrap()
    }

    fn written(budget: &TraceBudget, proof: &Proof, address: Option<IpAddr>) -> usize {
        (0..1000).filter(|_| budget.allows(proof, address, at(0))).count()
    }

    #[test]
    fn strangers_are_traced_up_to_a_number_a_minute_and_address() {
        let budget = TraceBudget::new(true);

        assert_eq!(written(&budget, &Proof::Nothing, A), 60);
        assert_eq!(written(&budget, &Proof::Nothing, B), 60);
        assert!(!budget.allows(&Proof::Nothing, A, at(59)));
        assert!(budget.allows(&Proof::Nothing, A, at(60)));
        assert_eq!(budget.left_out.lock().unwrap().count, 1881);
    }

    #[test]
    fn a_flood_of_strangers_takes_nothing_from_who_has_started_a_login() {
        let budget = TraceBudget::new(true);
        for last in 0..=255 {
            let address = Some(IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, last)));
            written(&budget, &Proof::Nothing, address);
        }

        assert!(!budget.allows(&Proof::Nothing, A, at(0)), "all of them together are over");
        assert!(budget.allows(&Proof::Login("a".to_owned()), A, at(0)));
    }

    #[test]
    fn one_login_is_traced_up_to_a_number_and_many_of_an_address_too() {
        let budget = TraceBudget::new(true);

        assert_eq!(written(&budget, &Proof::Login("a".to_owned()), A), 20);
        let others: usize =
            (0..100).map(|i| written(&budget, &Proof::Login(i.to_string()), A)).sum();
        assert_eq!(others, 280);
        assert!(budget.allows(&Proof::Login("b".to_owned()), B, at(0)));
    }

    #[test]
    fn a_verified_statement_is_always_traced() {
        let budget = TraceBudget::new(true);
        assert_eq!(written(&budget, &Proof::Statement, A), 1000);
    }

    #[test]
    fn nothing_is_left_out_when_limits_are_switched_off() {
        let budget = TraceBudget::new(false);
        assert_eq!(written(&budget, &Proof::Nothing, A), 1000);
    }
}
