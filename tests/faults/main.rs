//! What becomes of the session store when real Redis servers fail. A binary of its own, run by `scripts/test-faults` and not
//! with the rest: several nodes and faults take all of a small machine, and what runs beside them would be the fault.

#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on ends here, and says what it skips"
)]

mod logins;
mod nodes;
#[path = "../it/redis_contract.rs"]
mod redis_contract;
mod redis_faults;
mod redis_topologies;
