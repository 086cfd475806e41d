//! `/userinfo` (OIDC Core §5.3): the claims that an access token of ours gives.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::access_token::{self, AccessClaims};
use super::claims::UserClaims;
use super::client_authentication::registered;
use super::confirmation::Confirmation;
use super::dpop::{self, DpopError};
use super::error::Trouble;
use super::scope;
use super::sender_constraint::Sender;
use super::token_issuer::TokenIssuer;
use crate::app::App;
use crate::catalog::{Client, NormalizedClaims, User};
use crate::login::roles;

/// The answer, and whose token it was.
pub struct UserInfoAnswer {
    /// The claims.
    pub body: UserInfoBody,
    /// For CORS.
    pub client: Arc<Client>,
}

/// JSON, or signed where the client registered that (OIDC Core §5.3.2).
#[derive(Clone, Debug)]
pub enum UserInfoBody {
    /// `application/json`
    Json(Box<UserInfo>),
    /// `application/jwt`
    Jwt(String),
}

/// The claims.
#[derive(Clone, Serialize)]
pub struct UserInfo {
    sub: String,
    #[serde(flatten)]
    claims: UserClaims,
}

/// OIDC Core §5.3.2: a signed answer says who made it, for whom.
#[derive(Serialize)]
struct SignedUserInfo {
    iss: String,
    aud: String,
    #[serde(flatten)]
    info: UserInfo,
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
) -> Result<UserInfoAnswer, UserInfoError> {
    let read = access_token::read(app, presented.token, now).ok_or(UserInfoError::InvalidToken)?;
    let claims = read.claims;
    is_bound_to_the_sender(app, claims.cnf.as_ref(), &presented, now).await?;
    if !claims.scopes().contains(&scope::OPENID) {
        return Err(UserInfoError::InsufficientScope);
    }
    let user = claims.user().ok_or(UserInfoError::InvalidToken)?;
    if !access_token::is_alive(app, &claims, now).await? {
        return Err(UserInfoError::InvalidToken);
    }
    let user = app.catalog.get::<User>(user).await.map_err(Trouble::from)?;
    let user = user.ok_or(UserInfoError::InvalidToken)?;
    let client = registered(&app.catalog, &claims.client_id).await.map_err(Trouble::from)?;
    let client = client.ok_or(UserInfoError::InvalidToken)?;
    let info = UserInfo { claims: of_login(app, &user, &claims).await?, sub: claims.sub };
    let body = match client.signed_answers.userinfo_signed_response_alg {
        None => UserInfoBody::Json(Box::new(info)),
        Some(algorithm) => {
            let issuer = TokenIssuer::of(app, now);
            let (iss, aud) = (issuer.issuer.to_owned(), client.client_id.clone());
            let signed = SignedUserInfo { iss, aud, info };
            UserInfoBody::Jwt(issuer.sign(algorithm, "JWT", signed).await?)
        }
    };
    Ok(UserInfoAnswer { body, client })
}

/// What the connection that the token's login came by said last: what another customer's IdP says of a user whom an admin
/// linked to both is not for this client.
async fn of_login(app: &App, user: &User, claims: &AccessClaims) -> Result<UserClaims, Trouble> {
    let connection = claims.connection.as_ref();
    let said =
        connection.and_then(|connection| user.claims_by(connection).map(|c| (connection, c)));
    let Some((connection, said)) = said else { return Ok(UserClaims::default()) };
    let roles = roles::now(app, connection, claims.org_id.as_deref(), &said.groups).await?;
    Ok(UserClaims::of(&NormalizedClaims { roles, ..said.clone() }, &claims.scopes()))
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
            match dpop::check(app, presented.sender.proof, request, now)? {
                Some(proof) => {
                    proof.spend(app, now).await?;
                    proof.thumbprint == *key
                }
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

/// Holds a token.
impl fmt::Debug for PresentedToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PresentedToken({:?}, {:?})", self.scheme, self.sender)
    }
}

impl fmt::Debug for UserInfoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserInfoAnswer(for {})", self.client.client_id)
    }
}

impl fmt::Debug for UserInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserInfo({})", self.sub)
    }
}
