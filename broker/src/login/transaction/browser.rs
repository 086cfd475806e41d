//! The browser behind a login, as its login cookie shows it (RULES 1, 30).

use std::fmt;
use std::net::IpAddr;

use homerealm_certs::Random;
use subtle::ConstantTimeEq as _;

use super::TransactionError;
use crate::ids;

/// A browser as it shows itself: the login cookie's secret, if it sent one.
#[derive(Clone, Default)]
pub struct Browser {
    secret: Option<String>,
    address: Option<IpAddr>,
}

impl Browser {
    /// With the login cookie's value; anything that we did not make counts as none.
    pub fn new(cookie: Option<String>) -> Self {
        Self { secret: cookie.filter(|c| c.len() == 43), address: None }
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

    /// Whether its secret is the one with this SHA-256, in constant time.
    ///
    /// # Errors
    /// [`TransactionError::CookieMissing`] or [`TransactionError::OtherBrowser`].
    pub(super) fn has_secret_of(&self, sha256_hex: &str) -> Result<(), TransactionError> {
        let secret = self.secret.as_deref().ok_or(TransactionError::CookieMissing)?;
        let hash = ids::sha256_hex(secret);
        if bool::from(hash.as_bytes().ct_eq(sha256_hex.as_bytes())) {
            Ok(())
        } else {
            Err(TransactionError::OtherBrowser)
        }
    }

    /// What spends the voucher of a parked answer of its own login: its secret's SHA-256, as the login has it.
    pub(super) fn claims(&self) -> impl Iterator<Item = String> {
        self.secret.iter().map(|secret| ids::sha256_hex(secret))
    }

    /// Whether it sent a login cookie of ours.
    pub const fn has_cookie(&self) -> bool {
        self.secret.is_some()
    }

    /// The cookie's secret, a fresh one where the browser sent none.
    pub fn secret_or_new(&self, random: &dyn Random) -> String {
        self.secret.clone().unwrap_or_else(|| ids::secret(random))
    }

    /// What a form of this login must send back (RULES 30): only who holds the cookie knows it.
    pub fn form_token(&self, handle: &str) -> Option<String> {
        self.secret.as_deref().map(|secret| form_token(secret, handle))
    }

    /// Whether a form came from our page in this browser.
    pub fn made_form(&self, handle: &str, token: &str) -> bool {
        self.form_token(handle).is_some_and(|own| own.as_bytes().ct_eq(token.as_bytes()).into())
    }
}

/// Bound to the browser and the transaction.
pub fn form_token(browser_secret: &str, handle: &str) -> String {
    ids::sha256_hex(&format!("login form\n{handle}\n{browser_secret}"))
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Browser").field("has_cookie", &self.secret.is_some()).finish()
    }
}
