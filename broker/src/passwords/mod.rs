//! Passwords that people choose: argon2id in a bounded pool, and the rule for new ones.

mod pool;
mod rule;

pub use pool::{Passwords, PasswordsError};
pub use rule::{LONGEST, NewPassword, SHORTEST, TooWeak, USUAL_LENGTH};
