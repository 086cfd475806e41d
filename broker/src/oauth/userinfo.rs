//! `/userinfo` (OIDC Core §5.3): the claims that an access token of ours gives.

#[cfg(test)]
mod tests;

use std::fmt;

use chrono::{DateTime, Utc};
use homerealm_certs::UnverifiedJws;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::claims::UserClaims;
use super::client_authentication::{is_enabled, registered};
use super::code;
use super::error::Trouble;
use super::scope;
use super::token_issuer::{ACCESS_TOKEN_TYPE, family_of};
use crate::app::App;
use crate::catalog::User;

/// The answer.
#[derive(Serialize)]
pub struct UserInfo {
    sub: String,
    #[serde(flatten)]
    claims: UserClaims,
    /// Whose token it was; for CORS.
    #[serde(skip)]
    pub client_id: String,
}

/// Why there are no claims (RFC 6750 §3.1).
#[derive(Debug, thiserror::Error)]
pub enum UserInfoError {
    /// The token is for an API, without `openid`: 403.
    #[error("the token's scope has no openid")]
    InsufficientScope,
    /// Not a living token of ours: 401.
    #[error("the token is not valid")]
    InvalidToken,
    /// Ours to mend.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

/// What is read of a verified access token.
#[derive(Deserialize)]
struct AccessTokenClaims {
    iss: String,
    sub: String,
    exp: i64,
    jti: String,
    client_id: String,
    scope: String,
}

/// The claims that `token` gives. Its audience does not matter: any access token of ours with `openid` will do (DESIGN §3.5).
///
/// # Errors
/// [`UserInfoError`].
pub async fn userinfo(
    app: &App,
    token: &str,
    now: DateTime<Utc>,
) -> Result<UserInfo, UserInfoError> {
    let claims = verified(app, token).ok_or(UserInfoError::InvalidToken)?;
    if claims.iss != app.config.issuer.as_str() || claims.exp <= now.timestamp() {
        return Err(UserInfoError::InvalidToken);
    }
    let scopes: Vec<_> = claims.scope.split(' ').collect();
    if !scopes.contains(&scope::OPENID) {
        return Err(UserInfoError::InsufficientScope);
    }
    let family = family_of(&claims.jti).ok_or(UserInfoError::InvalidToken)?;
    if code::is_revoked(&app.records, family, now).await.map_err(Trouble::from)? {
        return Err(UserInfoError::InvalidToken);
    }
    if !still_a_client(app, &claims.client_id).await? {
        return Err(UserInfoError::InvalidToken);
    }
    let user = app.catalog.get::<User>(&claims.sub).await.map_err(Trouble::from)?;
    let user = user.filter(|user| !user.blocked).ok_or(UserInfoError::InvalidToken)?;
    Ok(UserInfo {
        claims: UserClaims::of(&user.claims, &scopes),
        sub: claims.sub,
        client_id: claims.client_id,
    })
}

/// Whether the client that the token was given to may do anything yet (THREATS X7).
async fn still_a_client(app: &App, client_id: &str) -> Result<bool, Trouble> {
    match registered(&app.catalog, client_id).await? {
        Some(client) => Ok(is_enabled(&app.catalog, &client).await?),
        None => Ok(false),
    }
}

/// Our own key, by `kid`, with the one algorithm that this key is for; and `typ`, so that no ID token passes (RFC 9068 §4).
fn verified(app: &App, token: &str) -> Option<AccessTokenClaims> {
    let token = UnverifiedJws::parse(token).ok()?;
    if token.typ() != Some(ACCESS_TOKEN_TYPE) {
        return None;
    }
    let keys = app.keys.current();
    let key = keys.by_kid(token.kid()?)?;
    let allowed = [key.algorithm().signature_algorithm()];
    let verified = token.verify(key.verification_key(), &allowed).ok()?;
    serde_json::from_value(Value::Object(verified.claims().ok()?)).ok()
}

impl fmt::Debug for UserInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserInfo({})", self.sub)
    }
}
