//! The one trait for an upstream IdP; what differs between the protocols is in closed enums.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use homerealm_certs::Random;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::assertion::VerifiedAssertion;
use crate::check::Checks;
use crate::error::{ConnectorError, StoreUnavailable};
use crate::saml::SamlResponse;

/// One connection's way to its identity provider.
#[async_trait]
pub trait Connector: Send + Sync {
    /// Where to send the browser, and what to remember until it comes back.
    ///
    /// # Errors
    /// The IdP cannot be reached, or the connection cannot make the request that was asked for.
    async fn begin(&self, request: BeginRequest<'_>) -> Result<Beginning, ConnectorError>;

    /// Checks the answer against what was remembered, and records each check.
    ///
    /// # Errors
    /// The first rule that the answer breaks; the user's own "no"; a store or an IdP that does not answer.
    async fn complete(
        &self,
        completion: Completion<'_>,
        answer: UpstreamAnswer,
    ) -> Result<VerifiedAssertion, ConnectorError>;
}

/// Insert-once markers, kept by the broker's session store.
#[async_trait]
pub trait OnceGuard: Send + Sync {
    /// True the first time `key` is seen, false until `until` is over. Durable before it answers.
    ///
    /// # Errors
    /// The store did not answer, so nothing may be believed to be new.
    async fn first_use(&self, key: &str, until: DateTime<Utc>) -> Result<bool, StoreUnavailable>;

    /// Whether one more assertion is decrypted for this login; counts it. Asked before the marker is written, which nothing
    /// verified stands behind.
    fn allows_decryption(&self) -> bool;
}

/// The tolerance of time checks: 0 to 300 seconds, whatever a connection says (RULES 10).
pub(crate) fn clamped_skew(configured: TimeDelta) -> TimeDelta {
    configured.clamp(TimeDelta::zero(), TimeDelta::seconds(300))
}

/// What a login asks of the IdP.
pub struct BeginRequest<'a> {
    /// Our ACS or callback of this connection.
    pub callback: &'a Url,
    /// Handle of the login transaction, 128 random bits or more: RelayState or `state`. SAML's request ID is `_` and it.
    pub transaction: &'a str,
    pub login_hint: Option<&'a str>,
    /// The user must authenticate anew (`prompt=login`, `max_age=0`).
    pub force_login: bool,
    /// The user is to choose an account, not to be taken for the one who is signed in (`prompt=select_account`).
    pub select_account: bool,
    /// SAML: authentication context classes.
    pub acr_values: &'a [String],
    pub ui_locales: Option<&'a str>,
    pub random: &'a dyn Random,
    pub now: DateTime<Utc>,
}

/// What the browser is to do next.
#[derive(Clone, Eq, PartialEq)]
pub enum Begun {
    Redirect {
        url: Url,
    },
    /// POST these fields, in this order.
    Form {
        action: Url,
        fields: Vec<(String, String)>,
    },
}

/// What `begin` gives: for the browser, and for the login transaction.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Beginning {
    pub begun: Begun,
    pub expected: Expected,
}

/// What is remembered of a request until its answer comes.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "protocol", rename_all = "lowercase")]
pub enum Expected {
    OAuth2 {
        pkce_verifier: Option<String>,
        force_login: bool,
        sent_at: DateTime<Utc>,
    },
    Oidc {
        nonce: String,
        pkce_verifier: String,
        force_login: bool,
        sent_at: DateTime<Utc>,
    },
    /// Our own page asks for a password, each time.
    Password {
        sent_at: DateTime<Utc>,
    },
    Saml {
        request_id: String,
        force_login: bool,
        sent_at: DateTime<Utc>,
    },
}

/// What came back to our ACS or callback; nothing in it is verified.
pub enum UpstreamAnswer {
    /// An authorization response (RFC 6749 §4.1.2, RFC 9207), of OpenID Connect or of plain OAuth.
    Code {
        code: String,
        iss: Option<String>,
    },
    Saml {
        response: SamlResponse,
    },
}

/// What an answer is held against.
pub struct Completion<'a> {
    /// From the pending login that the answer belongs to; `None`: no login is pending (unsolicited).
    pub expected: Option<&'a Expected>,
    /// Our ACS or callback of this connection.
    pub callback: &'a Url,
    /// The client's `max_age`, in seconds.
    pub max_age: Option<i64>,
    pub guard: &'a dyn OnceGuard,
    /// When the session store began; what was issued before may have been used before.
    pub epoch: DateTime<Utc>,
    pub now: DateTime<Utc>,
    pub checks: &'a mut Checks,
}

// Debug output of all of these leaves out handles, hints, nonces, verifiers, codes and documents.

impl std::fmt::Debug for BeginRequest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BeginRequest")
            .field("callback", &self.callback.as_str())
            .field("force_login", &self.force_login)
            .field("acr_values", &self.acr_values)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Begun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (kind, url) = match self {
            Self::Redirect { url } => ("Redirect", url),
            Self::Form { action, .. } => ("Form", action),
        };
        f.debug_struct(kind).field("host", &url.host_str()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (kind, force_login, sent_at) = match self {
            Self::OAuth2 { force_login, sent_at, .. } => ("OAuth2", force_login, sent_at),
            Self::Oidc { force_login, sent_at, .. } => ("Oidc", force_login, sent_at),
            Self::Password { sent_at } => ("Password", &true, sent_at),
            Self::Saml { force_login, sent_at, .. } => ("Saml", force_login, sent_at),
        };
        f.debug_struct(kind)
            .field("force_login", force_login)
            .field("sent_at", sent_at)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for UpstreamAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Saml { .. } => "Saml(..)",
            Self::Code { .. } => "Code(..)",
        })
    }
}

impl std::fmt::Debug for Completion<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Completion")
            .field("expected", &self.expected)
            .field("callback", &self.callback.as_str())
            .field("max_age", &self.max_age)
            .field("epoch", &self.epoch)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tolerance_of_time_checks_is_five_minutes_at_most() {
        for (configured, granted) in [(-1, 0), (0, 0), (300, 300), (301, 300), (86_400, 300)] {
            let granted = TimeDelta::seconds(granted);
            assert_eq!(clamped_skew(TimeDelta::seconds(configured)), granted);
        }
    }
}
