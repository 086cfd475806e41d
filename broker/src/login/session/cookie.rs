//! What the browser holds of its session.

use std::fmt;

use homerealm_certs::Random;

use crate::ids;

/// The session's public id and the secret that proves the browser.
#[derive(Clone, Eq, PartialEq)]
pub struct SessionCookie {
    /// Finds the session.
    pub sid: String,
    /// 256 random bits.
    pub secret: String,
}

impl SessionCookie {
    /// Of a session that begins.
    pub fn new(random: &dyn Random) -> Self {
        Self { sid: ids::id("ses", random), secret: ids::secret(random) }
    }

    /// Reads a cookie's value; anything that we did not make is none.
    pub fn parse(value: &str) -> Option<Self> {
        let (sid, secret) = value.split_once('.')?;
        let is_ours = sid.len() == 30 && sid.starts_with("ses_") && secret.len() == 43;
        is_ours.then(|| Self { sid: sid.to_owned(), secret: secret.to_owned() })
    }

    /// The cookie's value.
    pub fn value(&self) -> String {
        format!("{}.{}", self.sid, self.secret)
    }

    /// What a form on a page of this session must send back (RULES 30): only who holds the cookie can make it.
    pub fn form_token(&self, form: &str) -> String {
        ids::sha256_hex(&format!("session form\n{form}\n{}", self.secret))
    }
}

/// Holds the secret.
impl fmt::Debug for SessionCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionCookie({})", self.sid)
    }
}
