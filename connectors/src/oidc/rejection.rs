//! Why an OIDC answer was refused: one variant per rule, in alphabetical order.
//!
//! The codes are stable: login traces and support pages name them. `facts.rs` holds, for each variant, the
//! code, what was expected, what was received and what the IT admin of the OpenID Provider can do.

mod facts;

use chrono::{DateTime, Utc};

/// One broken rule. Values of a user (`sub`, `oid`, e-mail, other claims), tokens, codes and nonces never appear in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Rejection {
    /// `at_hash` does not belong to the access token that came with it (OIDC Core §3.1.3.8).
    AccessTokenHash,
    /// The connection requires an authentication context that was not reached (OIDC Core §3.1.2.1).
    AcrNotMet { expected: Vec<String>, received: Option<String> },
    /// The ID token is signed with an algorithm that this connection does not take (OIDC Core §3.1.3.7).
    Algorithm { expected: Vec<&'static str>, received: String },
    /// `aud` does not name us (OIDC Core §3.1.3.7).
    Audience { expected: String, received: Vec<String> },
    /// `auth_time` is missing although a maximum age was asked for (OIDC Core §3.1.2.1).
    AuthTimeMissing,
    /// `auth_time` lies in the future.
    AuthnInFuture { at: DateTime<Utc>, now: DateTime<Utc> },
    /// The user authenticated before the time that this login asked for (`prompt=login`, `max_age`).
    AuthnTooOld { at: DateTime<Utc>, oldest: DateTime<Utc> },
    /// `azp` names another client, or is missing beside several audiences (OIDC Core §3.1.3.7).
    AuthorizedParty { expected: String, received: Option<String> },
    /// A claim has the wrong JSON type or an impossible value.
    ClaimMalformed { claim: &'static str, expected: &'static str },
    /// A required claim is absent.
    ClaimMissing { claim: &'static str },
    /// The provider takes none of the ways in which we could authenticate.
    ClientAuthentication { expected: &'static str, received: Vec<String> },
    /// The discovery document cannot be used; the reason is one line of its reader.
    Discovery { url: String, reason: String },
    /// The ID token is encrypted (five parts).
    Encrypted,
    /// `exp` is over (OIDC Core §3.1.3.7).
    Expired { at: DateTime<Utc>, now: DateTime<Utc> },
    /// The ID token is no JWS that may be looked at; the reason is one line of its reader.
    IdTokenMalformed { reason: String },
    /// The token answer holds no ID token.
    IdTokenMissing,
    /// `iss` is not the connection's issuer (OIDC Core §3.1.3.7).
    Issuer { expected: String, received: String },
    /// `iat` lies in the future.
    IssuedInFuture { at: DateTime<Utc>, now: DateTime<Utc> },
    /// `iat` is more than a day ago.
    IssuedTooLongAgo { at: DateTime<Utc>, now: DateTime<Utc> },
    /// The signing key is published for another issuer (Entra's `issuer` member of a key).
    KeyIssuer { expected: String, received: String },
    /// The key set cannot be used.
    KeySet { url: String, reason: String },
    /// The key set has no key for this token.
    KeyUnknown { kid: Option<String> },
    /// The nonce is not the one of this login (OIDC Core §3.1.3.7).
    Nonce,
    /// `nbf` is still to come (RFC 7519 §4.1.5).
    NotYetValid { at: DateTime<Utc>, now: DateTime<Utc> },
    /// `iss` beside the code is another issuer's (RFC 9207 §2.4).
    ResponseIssuer { expected: String, received: String },
    /// The provider announces `iss` beside the code, but it is missing (RFC 9207 §2.4).
    ResponseIssuerMissing { expected: String },
    /// No trusted key verifies the signature.
    Signature,
    /// The subject is empty, too long, or has characters that are no visible ASCII (OIDC Core §2).
    Subject { claim: &'static str },
    /// The directory of the user is not on the connection's list.
    Tenant { expected: Vec<String>, received: String },
    /// The token endpoint's answer is not what RFC 6749 §5.1 describes.
    TokenAnswer { reason: &'static str },
    /// The token endpoint refused the request (RFC 6749 §5.2).
    TokenRefused { error: String },
    /// The `typ` of the token says that it is no ID token.
    TokenType { received: String },
    /// There is no pending login for this answer.
    Unsolicited,
    /// A userinfo answer that the login needs is not usable.
    Userinfo { reason: &'static str },
    /// Userinfo speaks about another user (OIDC Core §5.3.2).
    UserinfoSubject,
}

impl Rejection {
    /// The stable name of the rule, `oidc_…`.
    pub fn code(&self) -> &'static str {
        self.facts().code
    }

    /// What a correct answer would have had.
    pub fn expected(&self) -> Option<String> {
        self.facts().expected
    }

    /// What this answer had. Never a value that identifies the user.
    pub fn received(&self) -> Option<String> {
        self.facts().received
    }

    /// What the IT admin can do.
    pub fn fix(&self) -> Option<String> {
        self.facts().fix
    }
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.facts().fmt(f)
    }
}

impl std::error::Error for Rejection {}
