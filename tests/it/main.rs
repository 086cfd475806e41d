//! Outside-in tests: one binary, one file a subject.

mod store;
