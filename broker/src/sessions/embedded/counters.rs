//! Counters of fixed windows: in memory only. A limit may start again with the process, and a commit for each hit would
//! cost more than what it limits.

use std::collections::{BTreeSet, HashMap};

use super::shard::Id;

/// More go uncounted, so that a flood of keys cannot lock out the rest.
const MOST: usize = 200_000;
/// Windows that have ended of which each count takes away; more than one, so that they never pile up.
const SWEEP: usize = 4;

/// Counts by id, and the same ids in the order in which their windows end, in microseconds.
#[derive(Debug, Default)]
pub(super) struct Counters {
    counts: HashMap<Id, (u64, i64)>,
    ends: BTreeSet<(i64, Id)>,
}

impl Counters {
    /// One more; a live window goes on, whatever end is named.
    pub(super) fn count(&mut self, id: Id, window_end: i64, now: i64) -> u64 {
        self.sweep(now);
        if let Some((count, ends)) = self.counts.get_mut(&id) {
            if *ends > now {
                *count = count.saturating_add(1);
                return *count;
            }
            self.ends.remove(&(*ends, id));
            self.counts.remove(&id);
        }
        if self.counts.len() < MOST {
            self.counts.insert(id, (1, window_end));
            self.ends.insert((window_end, id));
        }
        1
    }

    fn sweep(&mut self, now: i64) {
        for _ in 0..SWEEP {
            let Some((_, id)) = self.ends.first().copied().filter(|(ends, _)| *ends <= now) else {
                break;
            };
            self.ends.pop_first();
            self.counts.remove(&id);
        }
        if self.counts.capacity() > 64 + 4 * self.counts.len() {
            self.counts.shrink_to(2 * self.counts.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> Id {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&n.to_be_bytes());
        id
    }

    #[test]
    fn a_flood_of_keys_is_bounded_and_leaves_those_that_are_counted_alone() {
        let mut counters = Counters::default();
        assert_eq!(counters.count(id(0), 60, 0), 1);
        for n in 0..MOST + 10 {
            counters.count(id(n), 60, 0);
        }

        assert_eq!(counters.counts.len(), MOST);
        assert_eq!(counters.count(id(MOST + 5), 60, 0), 1, "not counted");
        assert_eq!(counters.count(id(0), 60, 59), 3);
    }

    #[test]
    fn windows_that_have_ended_make_room() {
        let mut counters = Counters::default();
        for n in 0..1000 {
            counters.count(id(n), 60, 0);
        }
        for n in 0..500 {
            counters.count(id(2000 + n), 120, 60);
        }

        assert_eq!((counters.counts.len(), counters.ends.len()), (500, 500));
    }
}
