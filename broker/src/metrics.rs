//! What Prometheus reads at `/metrics`: counters and durations of this process, and the state of its parts.
//!
//! A registry of our own rather than a crate's: each broker has one, so that several in a process (tests, nodes of a drill)
//! do not share a global, and there is no more to it than a map behind a lock. No label holds what a user, a client or a
//! message says: every label comes from a closed list.

mod counted_store;
mod scrape;
mod series;
mod server;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use counted_store::CountedStore;
pub use server::serve;

use self::series::{Counters, Histograms};

/// The counters of one broker.
#[derive(Debug, Default)]
pub struct Metrics {
    logins: Counters<2>,
    tokens: Counters<2>,
    sessions: Counters<2>,
    requests: Histograms<3>,
    traces_left_out: AtomicU64,
}

impl Metrics {
    /// A login ended; `code` is that of the failed check.
    pub fn login(&self, outcome: &'static str, code: Option<&'static str>) {
        self.logins.add([outcome, code.unwrap_or("none")]);
    }

    /// A login ended and is not in the traces, because it proved nothing and there were too many of its kind.
    pub fn trace_left_out(&self) {
        self.traces_left_out.fetch_add(1, Ordering::Relaxed);
    }

    /// A token request ended; `outcome` is `issued` or the error code.
    pub fn token(&self, grant: &'static str, outcome: &'static str) {
        self.tokens.add([grant, outcome]);
    }

    /// The session store did something, or did not.
    pub fn session(&self, operation: &'static str, outcome: &'static str) {
        self.sessions.add([operation, outcome]);
    }

    /// A request was answered. `route` is the pattern that it matched, never its path.
    pub fn request(&self, method: &str, route: &str, status: u16, took: Duration) {
        self.requests.observe([method, route, class(status)], took);
    }
}

const fn class(status: u16) -> &'static str {
    match status {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}
