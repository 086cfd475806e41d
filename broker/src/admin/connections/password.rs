//! `options` of a `password` connection.

use crate::admin::fields::Fields;
use crate::catalog::{AccountEmail, PasswordOptions};
use crate::passwords::{SHORTEST, USUAL_LENGTH};

/// Longest password that a connection may ask for, characters: NIST wants that no more is needed (SP 800-63B §3.1.1.2).
const MOST_ASKED_FOR: u32 = 64;

pub(super) fn read(fields: &mut Fields) -> PasswordOptions {
    let min_length = fields.number("min_length", SHORTEST..=MOST_ASKED_FOR).unwrap_or(USUAL_LENGTH);
    let break_glass = fields.parsed_list("break_glass", AccountEmail::try_from).unwrap_or_default();
    PasswordOptions { min_length, break_glass }
}
