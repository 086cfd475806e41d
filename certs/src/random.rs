//! Randomness is an argument, so tests can repeat themselves.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{SHA256, digest};

/// A source of random bytes.
pub trait Random: Debug + Send + Sync {
    /// Overwrites all of `out`.
    fn fill(&self, out: &mut [u8]);
}

/// The operating system's generator through aws-lc: the one to use outside of tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::expect_used, reason = "no random bytes: stopping is the only safe answer")]
    fn fill(&self, out: &mut [u8]) {
        aws_lc_rs::rand::fill(out).expect("the operating system gives random bytes");
    }
}

/// A predictable sequence for tests: SHA-256 over the seed and a counter. Never for anything that is secret.
#[derive(Debug)]
pub struct SequenceRandom {
    seed: u64,
    counter: AtomicU64,
}

impl SequenceRandom {
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed, counter: AtomicU64::new(0) }
    }
}

impl Random for SequenceRandom {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(32) {
            let count = self.counter.fetch_add(1, Ordering::Relaxed);
            let block = digest(&SHA256, &[self.seed.to_be_bytes(), count.to_be_bytes()].concat());
            for (byte, random) in chunk.iter_mut().zip(block.as_ref()) {
                *byte = *random;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(random: &dyn Random, length: usize) -> Vec<u8> {
        let mut out = vec![0; length];
        random.fill(&mut out);
        out
    }

    #[test]
    fn a_sequence_repeats_for_the_same_seed_only() {
        assert_eq!(take(&SequenceRandom::new(7), 70), take(&SequenceRandom::new(7), 70));
        assert_ne!(take(&SequenceRandom::new(7), 70), take(&SequenceRandom::new(8), 70));
    }

    #[test]
    fn a_sequence_goes_on() {
        let random = SequenceRandom::new(7);

        assert_ne!(take(&random, 16), take(&random, 16));
    }

    #[test]
    fn the_system_fills_every_length() {
        assert!(take(&SystemRandom, 0).is_empty());
        assert_ne!(take(&SystemRandom, 65), take(&SystemRandom, 65));
    }
}
