//! The session store on Redis: one server, Sentinel or Cluster, with or without TLS.
//!
//! Every object is one key with a hash tag of its own, every change is one command or one script on that key, and no command
//! is ever sent a second time: a code that was spent by a call whose answer got lost stays spent. The value carries its own
//! expiry, judged by the caller's clock; Redis' own expiry only cleans up.

mod checks;
mod epoch;
mod link;
mod manager;
mod operation;
mod record;
mod scripts;
mod shape;
mod store;

pub use store::{OpenError, RedisStore};
