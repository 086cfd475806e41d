//! `/userinfo` (OIDC Core §5.3): the claims that an access token of ours gives.

#[cfg(test)]
mod tests;

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::claims::UserClaims;
use super::client_authentication::{is_enabled, registered};
use super::code;
use super::confirmation::Confirmation;
use super::dpop::{self, DpopError};
use super::error::Trouble;
use super::own_token::verified;
use super::scope;
use super::sender_constraint::Sender;
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
    /// The proof that came with it, or did not: 401.
    #[error(transparent)]
    Dpop(#[from] DpopError),
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

/// An access token as a resource gets it.
#[derive(Clone, Copy)]
pub struct PresentedToken<'a> {
    /// The token.
    pub token: &'a str,
    /// The scheme that it came by.
    pub scheme: Scheme,
    /// The HTTP method of the request.
    pub method: &'a str,
    /// What else came: `DPoP` header and certificate.
    pub sender: Sender<'a>,
}

#[cfg(test)]
impl<'a> PresentedToken<'a> {
    /// By `GET` with `Authorization: Bearer` alone.
    pub(crate) fn bearer(token: &'a str) -> Self {
        Self { token, scheme: Scheme::Bearer, method: "GET", sender: Sender::default() }
    }
}

/// The scheme of an `Authorization` header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scheme {
    /// RFC 6750.
    Bearer,
    /// RFC 9449 §7.1.
    Dpop,
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
    /// A binding that we do not know cannot be checked, so such a token is not read.
    #[serde(default)]
    cnf: Option<Confirmation>,
}

/// Below our issuer.
pub const PATH: &str = "/userinfo";

/// The claims that a token gives. Its audience does not matter: any access token of ours with `openid` will do (DESIGN §3.5).
///
/// # Errors
/// [`UserInfoError`].
pub async fn userinfo(
    app: &App,
    presented: PresentedToken<'_>,
    now: DateTime<Utc>,
) -> Result<UserInfo, UserInfoError> {
    let claims: Option<AccessTokenClaims> = verified(app, presented.token, ACCESS_TOKEN_TYPE);
    let claims = claims.ok_or(UserInfoError::InvalidToken)?;
    if claims.iss != app.config.issuer.as_str() || claims.exp <= now.timestamp() {
        return Err(UserInfoError::InvalidToken);
    }
    is_bound_to_the_sender(app, claims.cnf.as_ref(), &presented, now).await?;
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

/// RFC 9449 §7.1, §7.2, RFC 8705 §3: a bound token is good with what it is bound to, and a token that is bound to no key
/// does not become better by a proof.
async fn is_bound_to_the_sender(
    app: &App,
    bound: Option<&Confirmation>,
    presented: &PresentedToken<'_>,
    now: DateTime<Utc>,
) -> Result<(), UserInfoError> {
    let holds = match (bound, presented.scheme) {
        (Some(Confirmation::Key(key)), Scheme::Dpop) => {
            let token = Some(presented.token);
            let request =
                dpop::Request { method: presented.method, path: PATH, access_token: token };
            match dpop::check(app, presented.sender.proof, request, now).await? {
                Some(proven) => proven == *key,
                None => return Err(DpopError::Invalid("none came").into()),
            }
        }
        (Some(Confirmation::Certificate(bound)), Scheme::Bearer) => {
            presented.sender.certificate.is_some_and(|shown| shown.thumbprint() == bound)
        }
        (None, Scheme::Bearer) => true,
        (Some(Confirmation::Key(_)), Scheme::Bearer)
        | (Some(Confirmation::Certificate(_)) | None, Scheme::Dpop) => false,
    };
    if holds { Ok(()) } else { Err(UserInfoError::InvalidToken) }
}

/// Whether the client that the token was given to may do anything yet (THREATS X7).
async fn still_a_client(app: &App, client_id: &str) -> Result<bool, Trouble> {
    match registered(&app.catalog, client_id).await? {
        Some(client) => Ok(is_enabled(&app.catalog, &client).await?),
        None => Ok(false),
    }
}

/// Holds a token.
impl fmt::Debug for PresentedToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PresentedToken({:?}, {:?})", self.scheme, self.sender)
    }
}

impl fmt::Debug for UserInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserInfo({})", self.sub)
    }
}
