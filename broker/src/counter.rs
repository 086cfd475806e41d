//! Counting in fixed windows, in this process, with bounded memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use crate::config::Rate;

/// Counts by key, each up to the same rate.
#[derive(Debug)]
pub struct Counter<K> {
    rate: Rate,
    strict: bool,
    window: Mutex<Window<K>>,
}

/// Over the limit; try again after so many seconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TooMany {
    /// Seconds until the window ends, 1 or more.
    pub retry_after: i64,
}

#[derive(Debug)]
struct Window<K> {
    number: i64,
    counts: HashMap<K, u32>,
}

/// Keys of one window that are counted.
const MAX_KEYS: usize = 100_000;

impl<K: Eq + Hash> Counter<K> {
    /// Keys beyond the hundred thousandth of a window go uncounted, so that a flood of keys cannot lock out the rest.
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            strict: false,
            window: Mutex::new(Window { number: 0, counts: HashMap::new() }),
        }
    }

    /// Those keys are over the limit, where letting the flood in would be worse.
    pub fn strict(rate: Rate) -> Self {
        Self { strict: true, ..Self::new(rate) }
    }

    /// Counts one: how many that makes.
    ///
    /// # Errors
    /// [`TooMany`] above the rate.
    pub fn count(&self, key: K, now: DateTime<Utc>) -> Result<u32, TooMany> {
        let mut window = self.window_of(now);
        let (seconds, now) = (i64::from(self.rate.seconds), now.timestamp());
        let too_many = TooMany { retry_after: seconds - now.rem_euclid(seconds) };
        if window.counts.len() >= MAX_KEYS && !window.counts.contains_key(&key) {
            return if self.strict { Err(too_many) } else { Ok(1) };
        }
        let count = window.counts.entry(key).or_default();
        *count = count.saturating_add(1);
        if *count <= self.rate.count { Ok(*count) } else { Err(too_many) }
    }

    /// Nothing more of this key until the window ends.
    pub fn close(&self, key: K, now: DateTime<Utc>) {
        let mut window = self.window_of(now);
        if window.counts.len() < MAX_KEYS || window.counts.contains_key(&key) {
            window.counts.insert(key, u32::MAX);
        }
    }

    fn window_of(&self, now: DateTime<Utc>) -> MutexGuard<'_, Window<K>> {
        let number = now.timestamp().div_euclid(i64::from(self.rate.seconds));
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.number != number {
            // the old counts go as a whole
            *window = Window { number, counts: HashMap::new() };
        }
        window
    }
}

/// What is counted as one sender: an IPv4 address, or the /64 of an IPv6 address (RULES 38).
pub fn sender(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_900_000_000 - 1_900_000_000 % 60 + second, 0).unwrap()
    }

    #[test]
    fn a_key_gets_its_share_of_each_window_and_no_more() {
        let counter = Counter::new(Rate { count: 2, seconds: 60 });
        assert_eq!((counter.count("a", at(0)), counter.count("a", at(0))), (Ok(1), Ok(2)));

        assert_eq!(counter.count("a", at(0)), Err(TooMany { retry_after: 60 }));
        assert_eq!(counter.count("a", at(59)), Err(TooMany { retry_after: 1 }));
        assert_eq!(counter.count("b", at(59)), Ok(1));
        assert_eq!(counter.count("a", at(60)), Ok(1));
        counter.close("a", at(60));
        assert_eq!(counter.count("a", at(60)), Err(TooMany { retry_after: 60 }));
        assert_eq!(counter.count("a", at(120)), Ok(1));
    }

    #[test]
    fn a_flood_of_keys_neither_fills_the_memory_nor_locks_out_the_rest() {
        let counter = Counter::new(Rate { count: 1, seconds: 60 });
        for key in 0..=MAX_KEYS {
            assert_eq!(counter.count(key, at(0)), Ok(1));
        }

        assert!(counter.count(0, at(0)).is_err());
        assert_eq!(counter.count(MAX_KEYS, at(0)), Ok(1));
    }

    #[test]
    fn a_strict_counter_lets_a_flood_of_keys_in_no_further() {
        let counter = Counter::strict(Rate { count: 1, seconds: 60 });
        for key in 0..MAX_KEYS {
            assert_eq!(counter.count(key, at(0)), Ok(1));
        }

        assert_eq!(counter.count(MAX_KEYS, at(0)), Err(TooMany { retry_after: 60 }));
        assert_eq!(counter.count(MAX_KEYS, at(60)), Ok(1));
    }

    #[test]
    fn an_ipv6_sender_is_its_64() {
        let sender = |text: &str| sender(text.parse().unwrap()).to_string();
        assert_eq!(sender("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(sender("192.0.2.1"), "192.0.2.1");
        assert_eq!(sender("::ffff:192.0.2.1"), "192.0.2.1");
    }
}
