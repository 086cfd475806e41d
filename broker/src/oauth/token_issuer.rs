//! Mints tokens: access tokens (RFC 9068) and ID tokens (OIDC Core §2).

#[cfg(test)]
mod tests;

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use homerealm_certs::{JwsAlgorithm, KeySet, Random, sign_compact};
use serde::Serialize;

use super::claims::UserClaims;
use super::code::Login;
use super::confirmation::Confirmation;
use super::error::Trouble;
use crate::app::App;
use crate::catalog::ResourceServer;
use crate::ids;

/// No access token lives longer, whatever its API asks for.
pub const LONGEST_LIFETIME: TimeDelta = TimeDelta::days(30);

/// `typ` of access tokens (RFC 9068 §2.1): keeps ID tokens from passing as such.
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// `typ` of ID tokens.
pub const ID_TOKEN_TYPE: &str = "JWT";

/// Separates the family from the random part of a `jti`; neither holds it.
const JTI_SEPARATOR: char = '.';

/// Lifetime of ID tokens, and of access tokens for `/userinfo` only.
const DEFAULT_LIFETIME: TimeDelta = TimeDelta::hours(1);

/// Who mints, with which keys, when.
#[derive(Clone, Debug)]
pub struct TokenIssuer<'a> {
    /// `iss`.
    pub issuer: &'a str,
    /// Parsed once.
    pub keys: Arc<KeySet>,
    /// For `jti`.
    pub random: &'a dyn Random,
    /// `iat`.
    pub now: DateTime<Utc>,
}

/// What an access token says.
#[derive(Clone, Copy, Debug)]
pub struct AccessGrant<'a> {
    /// The client that it is given to.
    pub client_id: &'a str,
    /// The API; `None` is a token for `/userinfo` only.
    pub api: Option<&'a ResourceServer>,
    /// Granted.
    pub scopes: &'a [String],
    /// On whose behalf.
    pub subject: Subject<'a>,
    /// What it is bound to.
    pub confirmation: Option<&'a Confirmation>,
}

/// On whose behalf a client acts.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// Its own (RFC 6749 §4.4).
    Client,
    /// A user's.
    User {
        /// What their login established.
        login: &'a Login,
        /// Everything issued from one code.
        family: &'a str,
    },
}

/// What an ID token says beyond the login.
#[derive(Clone, Debug)]
pub struct IdTokenGrant<'a> {
    /// `aud`.
    pub client_id: &'a str,
    /// What the client registered.
    pub algorithm: JwsAlgorithm,
    /// What the login established.
    pub login: &'a Login,
    /// Sent back (OIDC Core §3.1.3.7).
    pub nonce: Option<&'a str>,
    /// The access token that comes with it.
    pub access_token: &'a str,
    /// What the scopes allow.
    pub claims: UserClaims,
}

/// A minted access token.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The JWT.
    pub token: String,
    /// Seconds.
    pub expires_in: i64,
}

/// RFC 9068 §2.2; what is not known is left out.
#[derive(Serialize)]
struct AccessTokenClaims {
    iss: String,
    sub: String,
    aud: String,
    client_id: String,
    iat: i64,
    exp: i64,
    jti: String,
    scope: String,
    #[serde(flatten)]
    login: LoginClaims,
    #[serde(skip_serializing_if = "Option::is_none")]
    org_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    org_name: Option<String>,
    /// RFC 9068 §2.2.3.1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation>,
}

#[derive(Default, Serialize)]
struct LoginClaims {
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    amr: Vec<String>,
}

/// OIDC Core §2.
#[derive(Serialize)]
struct IdTokenClaims {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    at_hash: String,
    /// Back-Channel Logout §2.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    #[serde(flatten)]
    login: LoginClaims,
    #[serde(skip_serializing_if = "Option::is_none")]
    org_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    org_name: Option<String>,
    #[serde(flatten)]
    user: UserClaims,
}

impl<'a> TokenIssuer<'a> {
    /// Ours, now.
    pub fn of(app: &'a App, now: DateTime<Utc>) -> Self {
        Self {
            issuer: app.config.issuer.as_str(),
            keys: app.keys.current(),
            random: app.random.as_ref(),
            now,
        }
    }

    /// An access token, signed as its API wants it.
    ///
    /// # Errors
    /// [`Trouble::Broken`] where there is no key or it does not sign.
    pub async fn access_token(&self, grant: &AccessGrant<'_>) -> Result<AccessToken, Trouble> {
        let lifetime = access_token_lifetime(grant.api);
        let algorithm = grant.api.map_or(JwsAlgorithm::Es256, |api| api.signing_alg);
        let claims = self.access_token_claims(grant, lifetime);
        let token = self.sign(algorithm, ACCESS_TOKEN_TYPE, claims).await?;
        Ok(AccessToken { token, expires_in: lifetime.num_seconds() })
    }

    /// An ID token, signed as the client registered.
    ///
    /// # Errors
    /// [`Trouble::Broken`] where there is no key or it does not sign.
    pub async fn id_token(&self, grant: IdTokenGrant<'_>) -> Result<String, Trouble> {
        let organization = grant.login.organization.as_ref();
        let claims = IdTokenClaims {
            iss: self.issuer.to_owned(),
            sub: grant.login.user_id.clone(),
            aud: grant.client_id.to_owned(),
            exp: (self.now + DEFAULT_LIFETIME).timestamp(),
            iat: self.now.timestamp(),
            nonce: grant.nonce.map(str::to_owned),
            at_hash: at_hash(grant.algorithm, grant.access_token),
            sid: grant.login.session.clone(),
            login: LoginClaims::from(grant.login),
            org_id: organization.map(|organization| organization.id.clone()),
            org_name: organization.map(|organization| organization.name.to_string()),
            user: grant.claims,
        };
        self.sign(grant.algorithm, ID_TOKEN_TYPE, claims).await
    }

    fn access_token_claims(
        &self,
        grant: &AccessGrant<'_>,
        lifetime: TimeDelta,
    ) -> AccessTokenClaims {
        let login = match grant.subject {
            Subject::Client => None,
            Subject::User { login, .. } => Some(login),
        };
        let organization = login.and_then(|login| login.organization.as_ref());
        AccessTokenClaims {
            iss: self.issuer.to_owned(),
            sub: grant.subject.sub(grant.client_id),
            aud: grant.api.map_or(self.issuer, |api| &api.identifier).to_owned(),
            client_id: grant.client_id.to_owned(),
            iat: self.now.timestamp(),
            exp: (self.now + lifetime).timestamp(),
            jti: grant.subject.jti(self.random),
            scope: grant.scopes.join(" "),
            login: login.map(LoginClaims::from).unwrap_or_default(),
            org_id: organization.map(|organization| organization.id.clone()),
            org_name: organization.map(|organization| organization.name.to_string()),
            roles: login.map(|login| login.claims.roles.clone()).unwrap_or_default(),
            connection: login.map(|login| login.connection.to_string()),
            cnf: grant.confirmation.cloned(),
        }
    }

    /// A JWT of `claims`. An RSA signature takes most of a millisecond: not on a thread that others wait for.
    ///
    /// # Errors
    /// [`Trouble::Broken`] where there is no key or it does not sign.
    pub(super) async fn sign(
        &self,
        algorithm: JwsAlgorithm,
        typ: &'static str,
        claims: impl Serialize + Send + 'static,
    ) -> Result<String, Trouble> {
        let key = self.keys.active(algorithm).cloned();
        let key = key.ok_or_else(|| Trouble::Broken(format!("no active key for {algorithm}")))?;
        match algorithm {
            JwsAlgorithm::Es256 | JwsAlgorithm::EdDsa => Ok(sign_compact(&key, typ, &claims)?),
            JwsAlgorithm::Rs256 => {
                let signing = move || sign_compact(&key, typ, &claims);
                let signed = tokio::task::spawn_blocking(signing).await;
                Ok(signed.map_err(|e| Trouble::Broken(format!("signing ended early: {e}")))??)
            }
        }
    }
}

impl Subject<'_> {
    /// A user's is `usr_…`. A client's own has a bar, which no user's has, whatever `client_id` was chosen (RFC 9068 §5).
    fn sub(&self, client_id: &str) -> String {
        match self {
            Self::Client => format!("client|{client_id}"),
            Self::User { login, .. } => login.user_id.clone(),
        }
    }

    /// Names the family, so that `/userinfo` can tell whether it was revoked.
    fn jti(&self, random: &dyn Random) -> String {
        match self {
            Self::Client => ids::id("tok", random),
            Self::User { family, .. } => {
                format!("{family}{JTI_SEPARATOR}{}", ids::id("tok", random))
            }
        }
    }
}

/// The family in a `jti` that [`TokenIssuer::access_token`] made; `None` in one of a client's own token.
pub fn family_of(jti: &str) -> Option<&str> {
    jti.split_once(JTI_SEPARATOR).map(|(family, _)| family)
}

/// Lifetime of an API's access tokens: what it wants, [`LONGEST_LIFETIME`] at most.
pub fn access_token_lifetime(api: Option<&ResourceServer>) -> TimeDelta {
    api.map_or(DEFAULT_LIFETIME, |api| {
        TimeDelta::seconds(i64::from(api.token_lifetime_seconds)).min(LONGEST_LIFETIME)
    })
}

/// OIDC Core §3.1.3.6: the left half of the hash that the ID token's algorithm uses; Ed25519 uses SHA-512.
fn at_hash(algorithm: JwsAlgorithm, access_token: &str) -> String {
    let hash = match algorithm {
        JwsAlgorithm::Es256 | JwsAlgorithm::Rs256 => digest(&SHA256, access_token.as_bytes()),
        JwsAlgorithm::EdDsa => digest(&SHA512, access_token.as_bytes()),
    };
    let half = hash.as_ref().len() / 2;
    URL_SAFE_NO_PAD.encode(hash.as_ref().get(..half).unwrap_or_default())
}

impl From<&Login> for LoginClaims {
    fn from(login: &Login) -> Self {
        Self {
            auth_time: login.auth_time.map(|at| at.timestamp()),
            acr: login.acr.clone(),
            amr: login.amr.clone(),
        }
    }
}
