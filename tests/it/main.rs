//! Outside-in tests: one binary, one file a subject.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends here")]

mod store;
