//! Access tokens of ours as they come back: to `/userinfo`, introspection and revocation.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::barred::{Established, is_barred};
use super::client_authentication::{is_enabled, registered};
use super::code;
use super::confirmation::Confirmation;
use super::error::Trouble;
use super::own_token::verified;
use super::token_issuer::{ACCESS_TOKEN_TYPE, LONGEST_LIFETIME, family_of};
use crate::app::App;
use crate::catalog::{Name, User};
use crate::sessions::StoreError;
use crate::sessions::record::{Record, Records};

/// A token that we signed and that is not expired. Whether it was revoked, [`is_alive`] says.
pub struct ReadToken {
    /// What we read of it.
    pub claims: AccessClaims,
    /// All that it says.
    pub all: Map<String, Value>,
}

/// What is read of an access token (RFC 9068 §2.2).
#[derive(Deserialize)]
#[expect(missing_docs, reason = "the names of the specification")]
pub struct AccessClaims {
    pub iss: String,
    pub sub: String,
    #[serde(default)]
    pub aud: String,
    pub exp: i64,
    #[serde(default)]
    pub iat: i64,
    pub jti: String,
    pub client_id: String,
    pub scope: String,
    pub org_id: Option<String>,
    pub connection: Option<Name>,
    /// A binding that we do not know cannot be checked, so such a token is not read.
    #[serde(default)]
    pub cnf: Option<Confirmation>,
}

/// Written when one access token is revoked, until its end.
#[derive(Debug, Deserialize, Serialize)]
struct RevokedToken {
    at: DateTime<Utc>,
}

impl Record for RevokedToken {
    const KIND: &'static str = "token";
    const LIFETIME: chrono::TimeDelta = LONGEST_LIFETIME;
}

/// Reads a token; `None` where it is not ours, not an access token, or expired.
pub fn read(app: &App, token: &str, now: DateTime<Utc>) -> Option<ReadToken> {
    let all: Map<String, Value> = verified(app, token, ACCESS_TOKEN_TYPE)?;
    let claims: AccessClaims = serde_json::from_value(Value::Object(all.clone())).ok()?;
    let good = claims.iss == app.config.issuer.as_str() && now.timestamp() < claims.exp;
    good.then_some(ReadToken { claims, all })
}

/// Whether a token still counts: neither it nor its family was revoked, and client, user, connection and organization may
/// do anything yet (THREATS X7).
///
/// # Errors
/// [`Trouble`]; then nobody knows, and the token is not taken.
pub async fn is_alive(
    app: &App,
    claims: &AccessClaims,
    now: DateTime<Utc>,
) -> Result<bool, Trouble> {
    if is_revoked(&app.records, &claims.jti, now).await? {
        return Ok(false);
    }
    let user = claims.user();
    if let (Some(user), Some(connection)) = (user, &claims.connection) {
        let login = Established {
            connection,
            organization: claims.org_id.as_deref(),
            user_id: user,
            signed_in_at: claims.issued_at(),
            claims: None,
        };
        let barred = is_barred(app, &claims.client_id, login).await?;
        return Ok(barred.is_none());
    }
    let Some(client) = registered(&app.catalog, &claims.client_id).await? else { return Ok(false) };
    let user_counts = match user {
        None => true,
        Some(id) => {
            let user = app.catalog.get::<User>(id).await?;
            user.is_some_and(|user| user.bars(None, claims.issued_at()).is_none())
        }
    };
    Ok(user_counts && is_enabled(app, &client).await?)
}

/// Revokes one token.
///
/// # Errors
/// [`StoreError`] where the store did not confirm it.
pub async fn revoke(
    records: &Records,
    claims: &AccessClaims,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let end = DateTime::from_timestamp(claims.exp, 0).unwrap_or(now + RevokedToken::LIFETIME);
    records.put_until(&claims.jti, &RevokedToken { at: now }, end).await
}

async fn is_revoked(records: &Records, jti: &str, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let itself = records.get::<RevokedToken>(jti, now);
    let Some(family) = family_of(jti) else { return Ok(itself.await?.is_some()) };
    let (itself, family) = futures_util::try_join!(itself, code::is_revoked(records, family, now))?;
    Ok(itself.is_some() || family)
}

impl AccessClaims {
    /// On whose behalf the client acts; `None`: its own.
    pub fn user(&self) -> Option<&str> {
        family_of(&self.jti).map(|_| self.sub.as_str())
    }

    /// Its `iat`.
    fn issued_at(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.iat, 0)
    }

    /// Its scopes.
    pub fn scopes(&self) -> Vec<&str> {
        self.scope.split(' ').collect()
    }
}

impl fmt::Debug for ReadToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReadToken({})", self.claims.jti)
    }
}

/// Shows which and whose, not for whom.
impl fmt::Debug for AccessClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessClaims")
            .field("jti", &self.jti)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
