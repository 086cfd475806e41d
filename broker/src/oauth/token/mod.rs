//! `/oauth/token`: the phases that every grant shares. A grant's own file takes and checks its grant; it cannot forget the
//! rest.

mod authorization_code;
mod client_credentials;
mod device_code;
mod offline;
mod refresh_token;
mod spending;
#[cfg(test)]
mod tests;

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

pub use super::client_authentication::Authorization;

use super::claims::UserClaims;
use super::client_authentication::{
    AuthenticatedClient, ClientAuthError, Credentials, authenticate,
};
use super::code::{self, Login};
use super::confirmation::Confirmation;
use super::dpop::DpopError;
use super::error::Trouble;
use super::params::Params;
use super::sender_constraint::{self, Sender, SenderError};
use super::target::{Target, TargetError};
use super::token_issuer::{AccessGrant, IdTokenGrant, Subject, TokenIssuer};
use super::{refresh, scope};
use crate::app::App;
use crate::catalog::{Client, GrantType};
use crate::login::roles;
use crate::login::trace::{Proof, Trail};

/// Below our issuer.
pub const PATH: &str = "/oauth/token";

/// A token request.
#[derive(Clone, Copy, Debug)]
pub struct TokenRequest<'a> {
    /// The `Authorization` header, if one came.
    pub authorization: Option<Authorization<'a>>,
    /// What tokens will be bound to: its `DPoP` header and its certificate.
    pub sender: Sender<'a>,
    /// The body.
    pub params: &'a Params,
}

impl<'a> TokenRequest<'a> {
    /// What it shows about its client.
    pub const fn credentials(&self) -> Credentials<'a> {
        Credentials {
            authorization: self.authorization,
            certificate: self.sender.certificate,
            params: self.params,
        }
    }
}

/// RFC 6749 §5.1. `scope` and `expires_in` are always there.
#[derive(Serialize)]
pub struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The client's fault, or its user's.
    #[error("{}: {description}", code.as_str())]
    Refused {
        /// RFC 6749 §5.2.
        code: ErrorCode,
        /// For the client's developers.
        description: String,
    },
    /// More than this client may ask for in a minute.
    #[error("too many requests of this client")]
    TooMany(crate::counter::TooMany),
    /// Ours to mend.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

/// RFC 6749 §5.2, RFC 8628 §3.5 and RFC 8707 §2; `access_denied` also where the operator gave the client no grant for the API (DESIGN §3.4).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the names of the specifications")]
pub enum ErrorCode {
    AccessDenied,
    AuthorizationPending,
    ExpiredToken,
    InvalidClient,
    /// RFC 9449 §5.
    InvalidDpopProof,
    InvalidGrant,
    InvalidRequest,
    InvalidScope,
    InvalidTarget,
    SlowDown,
    UnauthorizedClient,
    UnsupportedGrantType,
    /// RFC 7009 §2.2.1.
    UnsupportedTokenType,
    /// RFC 9449 §8.
    UseDpopNonce,
}

/// What a grant's own file found, to be minted.
struct Granted {
    target: Target,
    user: Option<GrantedUser>,
}

/// The user behind a grant.
struct GrantedUser {
    login: Login,
    family: String,
    nonce: Option<String>,
    refresh_token: Option<String>,
}

/// Serves a token request: authenticate the client, take the grant, mint.
///
/// # Errors
/// [`TokenError`].
pub async fn token(
    app: &App,
    request: TokenRequest<'_>,
    now: DateTime<Utc>,
) -> Result<TokenResponse, TokenError> {
    let grant = grant_type(request.params).map_or("other", grant_word);
    let outcome = answer(app, request, now).await;
    app.metrics.token(grant, outcome.as_ref().map_or_else(TokenError::word, |_| "issued"));
    outcome
}

async fn answer(
    app: &App,
    request: TokenRequest<'_>,
    now: DateTime<Utc>,
) -> Result<TokenResponse, TokenError> {
    let params = request.params;
    let grant_type = grant_type(params)?;
    let client = client_for(app, request, grant_type, now).await?;
    let proven = sender_constraint::proven(app, client.client(), request.sender, PATH, now)?;
    let granted = match grant_type {
        GrantType::AuthorizationCode => {
            authorization_code::take(app, &client, params, &proven, now).await?
        }
        GrantType::ClientCredentials => {
            let granted = client_credentials::check(app, &client, params).await?;
            proven.spend(app, now).await?;
            granted
        }
        GrantType::DeviceCode => device_code::take(app, &client, params, &proven, now).await?,
        GrantType::RefreshToken => refresh_token::take(app, &client, params, &proven, now).await?,
    };
    Ok(mint(app, &client, granted, proven.confirmation(), now).await?)
}

/// The client of a request, authenticated, counted, and registered for the grant.
pub(super) async fn client_for(
    app: &App,
    request: TokenRequest<'_>,
    grant_type: GrantType,
    now: DateTime<Utc>,
) -> Result<AuthenticatedClient, TokenError> {
    let client = authenticated(app, request, now).await?;
    if !client.client().grant_types.contains(&grant_type) {
        return refuse(
            ErrorCode::UnauthorizedClient,
            "The client is not registered for this grant.",
        );
    }
    Ok(client)
}

/// The client of a request, authenticated and counted.
pub(super) async fn authenticated(
    app: &App,
    request: TokenRequest<'_>,
    now: DateTime<Utc>,
) -> Result<AuthenticatedClient, TokenError> {
    if request.params.has_repeated() {
        return refuse(ErrorCode::InvalidRequest, "A parameter came more than once.");
    }
    let client = authenticate(app, request.credentials(), now).await?;
    // anybody can name a public client: it counts once its code is proven
    if client.is_confidential() {
        count(app, &client, now)?;
    }
    Ok(client)
}

/// Counts a request of a client that has shown who it is (RULES 38), before anything is spent.
fn count(app: &App, client: &AuthenticatedClient, now: DateTime<Utc>) -> Result<(), TokenError> {
    app.limits.client(&client.client().client_id, now).map_err(TokenError::TooMany)
}

/// Grants that are served, as discovery lists them.
pub const SERVED: [GrantType; 4] = [
    GrantType::AuthorizationCode,
    GrantType::ClientCredentials,
    GrantType::RefreshToken,
    GrantType::DeviceCode,
];

/// One that is served.
fn grant_type(params: &Params) -> Result<GrantType, TokenError> {
    let Some(named) = params.get("grant_type") else {
        return refuse(ErrorCode::InvalidRequest, "grant_type is missing.");
    };
    SERVED.into_iter().find(|served| served.as_str() == named).map_or_else(unsupported, Ok)
}

/// For counting.
const fn grant_word(grant: GrantType) -> &'static str {
    match grant {
        GrantType::AuthorizationCode => "authorization_code",
        GrantType::ClientCredentials => "client_credentials",
        GrantType::DeviceCode => "device_code",
        GrantType::RefreshToken => "refresh_token",
    }
}

async fn mint(
    app: &App,
    client: &AuthenticatedClient,
    granted: Granted,
    bound: Option<&Confirmation>,
    now: DateTime<Utc>,
) -> Result<TokenResponse, Trouble> {
    let client = client.client();
    let issuer = TokenIssuer::of(app, now);
    let Granted { target, mut user } = granted;
    if let Some(user) = &mut user {
        let login = &mut user.login;
        let organization = login.organization.as_ref().map(|o| o.id.as_str());
        let roles = roles::now(app, &login.connection, organization, &login.claims.groups).await;
        login.claims.roles = roles.map_err(Trouble::from)?;
    }
    let subject = user
        .as_ref()
        .map_or(Subject::Client, |user| Subject::User { login: &user.login, family: &user.family });
    let access = AccessGrant {
        client_id: &client.client_id,
        api: target.api.as_deref(),
        scopes: &target.scopes,
        subject,
        confirmation: bound,
    };
    let access = issuer.access_token(&access).await?;
    let id_token = match &user {
        Some(user) if target.scopes.iter().any(|s| s == scope::OPENID) => {
            Some(id_token(&issuer, client, user, &target.scopes, &access.token).await?)
        }
        Some(_) | None => None,
    };
    Ok(TokenResponse {
        access_token: access.token,
        token_type: Confirmation::token_type(bound),
        expires_in: access.expires_in,
        scope: target.scopes.join(" "),
        refresh_token: user.and_then(|user| user.refresh_token),
        id_token,
    })
}

async fn id_token(
    issuer: &TokenIssuer<'_>,
    client: &Client,
    user: &GrantedUser,
    scopes: &[String],
    access_token: &str,
) -> Result<String, Trouble> {
    let grant = IdTokenGrant {
        client_id: &client.client_id,
        algorithm: client.id_token_signed_response_alg,
        login: &user.login,
        nonce: user.nonce.as_deref(),
        access_token,
        claims: UserClaims::of(&user.login.claims, scopes),
    };
    issuer.id_token(grant).await
}

/// RFC 6749 §10.5, RFC 9700 §4.14.2: somebody has what this login gave who should not, so nothing of its family is good any
/// more; the trace and the audit log have it under `word`, once: the same again proves nothing new, and could come without end.
async fn revoke_reused(
    app: &App,
    family: &str,
    (trail, word): (Trail, &'static str),
    now: DateTime<Utc>,
) -> Result<(), Trouble> {
    let is_known = code::is_revoked(&app.records, family, now).await?;
    refresh::end(&app.records, family, now).await?;
    let proof = if is_known { Proof::Login(family.to_owned()) } else { Proof::Statement };
    trail.reused(app, word, proof).await;
    Ok(())
}

fn unsupported<T>() -> Result<T, TokenError> {
    refuse(ErrorCode::UnsupportedGrantType, "This grant type is not served.")
}

pub(super) fn refuse<T>(code: ErrorCode, description: &str) -> Result<T, TokenError> {
    Err(TokenError::Refused { code, description: description.to_owned() })
}

impl TokenError {
    /// For counting.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Refused { code, .. } => code.as_str(),
            Self::TooMany(_) => "too_many",
            Self::Trouble(_) => "trouble",
        }
    }
}

impl ErrorCode {
    /// As it stands in the answer.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::AuthorizationPending => "authorization_pending",
            Self::ExpiredToken => "expired_token",
            Self::InvalidClient => "invalid_client",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::SlowDown => "slow_down",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::UseDpopNonce => "use_dpop_nonce",
        }
    }
}

impl From<ClientAuthError> for TokenError {
    fn from(error: ClientAuthError) -> Self {
        let code = match error {
            ClientAuthError::Trouble(trouble) => return Self::Trouble(trouble),
            ClientAuthError::ForSomebodyElse | ClientAuthError::Refused => ErrorCode::InvalidClient,
            ClientAuthError::TwoMethods => ErrorCode::InvalidRequest,
        };
        Self::Refused { code, description: error.to_string() }
    }
}

impl From<SenderError> for TokenError {
    fn from(error: SenderError) -> Self {
        let description = error.to_string();
        let code = match error {
            SenderError::CertificateMissing => ErrorCode::InvalidRequest,
            SenderError::Dpop(DpopError::Invalid(_)) => ErrorCode::InvalidDpopProof,
            SenderError::Dpop(DpopError::Trouble(trouble)) => return Self::Trouble(trouble),
            SenderError::Dpop(DpopError::UseNonce) => ErrorCode::UseDpopNonce,
        };
        Self::Refused { code, description }
    }
}

impl From<TargetError> for TokenError {
    fn from(error: TargetError) -> Self {
        let code = match error {
            TargetError::Trouble(trouble) => return Self::Trouble(trouble),
            TargetError::KindRefused | TargetError::NoGrant => ErrorCode::AccessDenied,
            TargetError::Nothing | TargetError::UngrantedScope => ErrorCode::InvalidScope,
            TargetError::NotGranted
            | TargetError::SeveralApis
            | TargetError::TooManyApis
            | TargetError::UnknownApi => ErrorCode::InvalidTarget,
        };
        Self::Refused { code, description: error.to_string() }
    }
}

/// Holds tokens.
impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenResponse({:?})", self.scope)
    }
}
