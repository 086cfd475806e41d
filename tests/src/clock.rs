//! The machine's time, moved by the test.

use std::sync::atomic::{AtomicI64, Ordering};

use broker::clock::{Clock, SystemClock};
use chrono::{DateTime, TimeDelta, Utc};

/// Runs as the machine's clock does, ahead of it by as much as a test says. IdPs live in the machine's time.
#[derive(Debug, Default)]
pub struct ShiftedClock {
    ahead_seconds: AtomicI64,
}

impl ShiftedClock {
    /// Moves on.
    pub fn advance(&self, by: TimeDelta) {
        self.ahead_seconds.fetch_add(by.num_seconds(), Ordering::SeqCst);
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::seconds(self.ahead_seconds.load(Ordering::SeqCst))
    }
}
