//! The browser behind a login, as its cookies show it (RULES 1, 30).

use std::fmt;
use std::net::IpAddr;

use homerealm_certs::Random;
use subtle::ConstantTimeEq as _;

use super::TransactionError;
use crate::ids;
use crate::login::session::SessionCookie;

/// A browser as it shows itself: the login cookie's secret, if it sent one, and the cookie of its session.
#[derive(Clone, Default)]
pub struct Browser {
    secret: Option<String>,
    /// Of logins that began before the browser had a login cookie: two tabs that open at once get one each, and the later
    /// takes the place of the other.
    first: Vec<String>,
    session: Option<SessionCookie>,
    address: Option<IpAddr>,
    remembered: Option<String>,
}

/// First logins that one browser can have under way at once.
const MOST_FIRST: usize = 8;

impl Browser {
    /// With the login cookie's value; anything that we did not make counts as none.
    pub fn new(cookie: Option<String>) -> Self {
        Self { secret: cookie.filter(|c| is_ours(c)), ..Self::default() }
    }

    /// With the cookies of its first logins.
    #[must_use]
    pub fn with_first(self, cookies: impl IntoIterator<Item = String>) -> Self {
        let first = cookies.into_iter().filter(|c| is_ours(c)).take(MOST_FIRST).collect();
        Self { first, ..self }
    }

    /// With the cookie of its session.
    #[must_use]
    pub fn with_session(self, session: Option<SessionCookie>) -> Self {
        Self { session, ..self }
    }

    /// With the connection that it says it used last: a hint that anybody can write, offered and never followed.
    #[must_use]
    pub fn with_remembered(self, connection: Option<String>) -> Self {
        Self { remembered: connection, ..self }
    }

    /// What it says that it used last.
    pub fn remembered(&self) -> Option<&str> {
        self.remembered.as_deref()
    }

    /// At this address, for the audit log.
    #[must_use]
    pub fn at(self, address: Option<IpAddr>) -> Self {
        Self { address, ..self }
    }

    /// Where it is, if that is known.
    pub const fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// What it says that its session is; nothing is checked yet.
    pub const fn session(&self) -> Option<&SessionCookie> {
        self.session.as_ref()
    }

    /// Whether one of its secrets is the one with this SHA-256, in constant time.
    ///
    /// # Errors
    /// [`TransactionError::CookieMissing`] or [`TransactionError::OtherBrowser`].
    pub(super) fn has_secret_of(&self, sha256_hex: &str) -> Result<(), TransactionError> {
        if !self.has_cookie() {
            return Err(TransactionError::CookieMissing);
        }
        let fits = |secret: &String| {
            bool::from(ids::sha256_hex(secret).as_bytes().ct_eq(sha256_hex.as_bytes()))
        };
        if self.secrets().any(fits) { Ok(()) } else { Err(TransactionError::OtherBrowser) }
    }

    /// What spends the voucher of a parked answer of its own login: a secret's SHA-256, as the login has it.
    pub(super) fn claims(&self) -> impl Iterator<Item = String> {
        self.secrets().map(|secret| ids::sha256_hex(secret))
    }

    /// Whether it sent a login cookie of ours.
    pub fn has_cookie(&self) -> bool {
        self.secrets().next().is_some()
    }

    /// Whether it sent the login cookie that all its logins share.
    pub const fn has_shared_cookie(&self) -> bool {
        self.secret.is_some()
    }

    /// The cookie's secret, a fresh one where the browser sent none.
    pub fn secret_or_new(&self, random: &dyn Random) -> String {
        self.secret.clone().unwrap_or_else(|| ids::secret(random))
    }

    /// What a form of this login must send back (RULES 30): only who holds the cookie knows it.
    pub fn form_token(&self, handle: &str) -> Option<String> {
        self.secrets().next().map(|secret| form_token(secret, handle))
    }

    /// Whether a form came from our page in this browser.
    pub fn made_form(&self, handle: &str, token: &str) -> bool {
        self.secrets()
            .any(|secret| form_token(secret, handle).as_bytes().ct_eq(token.as_bytes()).into())
    }

    fn secrets(&self) -> impl Iterator<Item = &String> {
        self.secret.iter().chain(&self.first)
    }
}

/// Bound to the browser and the transaction.
pub fn form_token(browser_secret: &str, handle: &str) -> String {
    ids::sha256_hex(&format!("login form\n{handle}\n{browser_secret}"))
}

fn is_ours(cookie: &str) -> bool {
    cookie.len() == 43
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Browser").field("has_cookie", &self.has_cookie()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_that_began_first_is_found_beside_the_cookie_that_replaced_its_own() {
        let [mine, newer, other] = ["a", "b", "c"].map(|mark| mark.repeat(43));
        let browser =
            Browser::new(Some(newer.clone())).with_first([mine.clone(), "short".to_owned()]);

        for known in [&mine, &newer] {
            assert!(browser.has_secret_of(&ids::sha256_hex(known)).is_ok());
            assert!(browser.made_form("h", &form_token(known, "h")));
        }
        let refused = browser.has_secret_of(&ids::sha256_hex(&other));
        assert!(matches!(refused, Err(TransactionError::OtherBrowser)));
        assert!(!browser.made_form("h", &form_token(&other, "h")));
        assert!(!browser.made_form("other", &form_token(&mine, "h")));
        assert!(!Browser::default().has_cookie());
    }
}
