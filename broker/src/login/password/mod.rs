//! The strategy `password`: our own page in the place of an identity provider, for people whose company has none.
//!
//! It runs through the login transaction as every connection does. `connector` sends the browser to our page, `sign_in`
//! compares the password and parks who it is, and `/login/continue` completes the login. The statement's issuer is our own,
//! its subject the account's id. `admission` keeps out domains that an enterprise connection serves, `delay` slows
//! guesses at one account.

mod admission;
mod connector;
mod delay;
mod sign_in;

pub use admission::{Admission, admission};
pub use connector::PasswordPage;
pub use delay::{Attempts, TooEarly};
pub use sign_in::{Problem, SignInPage, Submitted, Typed, page, submit};
