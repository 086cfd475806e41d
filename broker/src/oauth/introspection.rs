//! `/oauth/introspect` (RFC 7662): whether a token counts right now, and what it says.

#[cfg(test)]
mod tests;

use std::fmt;

use chrono::{DateTime, Utc};
use homerealm_certs::JwsAlgorithm;
use serde::Serialize;
use serde_json::{Value, json};

use super::access_token::{self, AccessClaims};
use super::barred::login_is_barred;
use super::confirmation::Confirmation;
use super::error::Trouble;
use super::refresh::{self, RefreshToken};
use super::target;
use super::token::{ErrorCode, TokenError, TokenRequest, authenticated, refuse};
use super::token_issuer::TokenIssuer;
use crate::app::App;
use crate::catalog::Client;

/// `typ` and media type of signed answers (RFC 9701 §5).
pub const SIGNED_TYPE: &str = "token-introspection+jwt";

/// In which form the answer is wanted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// RFC 7662 §2.2.
    Json,
    /// RFC 9701 §5.
    Signed,
}

/// The answer.
#[derive(Clone, Eq, PartialEq)]
pub enum Introspection {
    /// `application/json`
    Json(Value),
    /// `application/token-introspection+jwt`
    Signed(String),
}

/// RFC 9701 §5: no `sub` and no `exp` beside the answer, so that it never passes as a token itself.
#[derive(Serialize)]
struct SignedAnswer {
    iss: String,
    aud: String,
    iat: i64,
    token_introspection: Value,
}

/// Tells a confidential client about its own token, or an API's introspector about a token for that API. To anybody else,
/// and of a token that does not count, it says `"active": false` and nothing more (§2.2, §4).
///
/// # Errors
/// [`TokenError`].
pub async fn introspect(
    app: &App,
    request: TokenRequest<'_>,
    form: Form,
    now: DateTime<Utc>,
) -> Result<Introspection, TokenError> {
    let client = authenticated(app, request, now).await?;
    if !client.is_confidential() {
        // §2.1: against token scanning, only who proves who they are
        return refuse(ErrorCode::InvalidClient, "A public client cannot introspect.");
    }
    let Some(token) = request.params.get("token") else {
        return refuse(ErrorCode::InvalidRequest, "token is missing.");
    };
    let client = client.client();
    let found = match RefreshToken::parse(token) {
        Some(token) => refresh_token(app, client, &token, now).await?,
        None => access_token(app, client, token, now).await?,
    };
    let answer = found.unwrap_or_else(|| json!({"active": false}));
    match form {
        Form::Json => Ok(Introspection::Json(answer)),
        Form::Signed => Ok(Introspection::Signed(signed(app, client, answer, now).await?)),
    }
}

async fn access_token(
    app: &App,
    client: &Client,
    token: &str,
    now: DateTime<Utc>,
) -> Result<Option<Value>, Trouble> {
    let Some(presented) = access_token::read(app, token, now) else { return Ok(None) };
    let claims = &presented.claims;
    let may_know = claims.client_id == client.client_id || introspects(app, client, claims).await?;
    if !may_know || !access_token::is_alive(app, claims, now).await? {
        return Ok(None);
    }
    let mut answer = presented.all.clone();
    answer.insert("active".to_owned(), json!(true));
    answer.insert("token_type".to_owned(), json!(Confirmation::token_type(claims.cnf.as_ref())));
    Ok(Some(Value::Object(answer)))
}

/// Whether the API that the token is for has its tokens looked at by this client.
async fn introspects(app: &App, client: &Client, claims: &AccessClaims) -> Result<bool, Trouble> {
    let api = target::by_identifier(&app.catalog, &claims.aud).await?;
    Ok(api.is_some_and(|api| api.introspection_clients.contains(&client.client_id)))
}

/// The token that counts now; one that was rotated is none, also in its grace.
async fn refresh_token(
    app: &App,
    client: &Client,
    token: &RefreshToken,
    now: DateTime<Utc>,
) -> Result<Option<Value>, Trouble> {
    let found = refresh::find(&app.records, token.family(), now).await?;
    let Some(found) = found else { return Ok(None) };
    let family = found.record;
    let is_own = family.client_id == client.client_id && family.counts(token);
    if !is_own || login_is_barred(app, &family.client_id, &family.login).await?.is_some() {
        return Ok(None);
    }
    Ok(Some(json!({
        "active": true,
        "iss": app.config.issuer.as_str(),
        "client_id": family.client_id,
        "sub": family.login.user_id,
        "scope": family.access.all_scopes().join(" "),
        "iat": family.last_use().timestamp(),
        "exp": family.expires_at(family.last_use()).timestamp(),
    })))
}

async fn signed(
    app: &App,
    client: &Client,
    answer: Value,
    now: DateTime<Utc>,
) -> Result<String, Trouble> {
    let issuer = TokenIssuer::of(app, now);
    let algorithm = client.signed_answers.introspection_signed_response_alg;
    let claims = SignedAnswer {
        iss: issuer.issuer.to_owned(),
        aud: client.client_id.clone(),
        iat: now.timestamp(),
        token_introspection: answer,
    };
    issuer.sign(algorithm.unwrap_or(JwsAlgorithm::Rs256), SIGNED_TYPE, claims).await
}

/// Says whose tokens are good, and what they say.
impl fmt::Debug for Introspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(answer) => write!(f, "Json(active: {})", answer["active"]),
            Self::Signed(_) => f.write_str("Signed(…)"),
        }
    }
}
