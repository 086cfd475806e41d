//! `/oauth/revoke` (RFC 7009): a client gives back what it was given.

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use serde::de::IgnoredAny;

use super::access_token;
use super::error::Trouble;
use super::own_token::verified;
use super::refresh::{self, RefreshToken};
use super::token::{ErrorCode, TokenError, TokenRequest, authenticated, refuse};
use crate::app::App;

/// Revokes a token: a refresh token with everything that was issued from its login, an access token by itself. A token that
/// is unknown, or ended already, is no error (§2.2).
///
/// `token_type_hint` is not needed: the two kinds look different, and a wrong hint must not matter (§2.1).
///
/// # Errors
/// [`TokenError`].
pub async fn revoke(
    app: &App,
    request: TokenRequest<'_>,
    now: DateTime<Utc>,
) -> Result<(), TokenError> {
    let client = authenticated(app, request, now).await?;
    let Some(token) = request.params.get("token") else {
        return refuse(ErrorCode::InvalidRequest, "token is missing.");
    };
    let client_id = &client.client().client_id;
    match RefreshToken::parse(token) {
        Some(token) => of_refresh_token(app, client_id, &token, now).await,
        None => of_access_token(app, client_id, token, now).await,
    }
}

/// One that was rotated already too: its holder wants the end of the login, and nobody else has it.
async fn of_refresh_token(
    app: &App,
    client_id: &str,
    token: &RefreshToken,
    now: DateTime<Utc>,
) -> Result<(), TokenError> {
    let found = refresh::find(&app.records, token.family(), now).await.map_err(Trouble::from)?;
    let Some(found) = found.filter(|found| found.record.issued(token)) else { return Ok(()) };
    is_of(&found.record.client_id, client_id)?;
    refresh::end(&app.records, token.family(), now).await.map_err(Trouble::from)?;
    Ok(())
}

async fn of_access_token(
    app: &App,
    client_id: &str,
    token: &str,
    now: DateTime<Utc>,
) -> Result<(), TokenError> {
    let Some(presented) = access_token::read(app, token, now) else {
        // §2.2.1: an ID token of ours is a statement that was made; it cannot be taken back
        if verified::<IgnoredAny>(app, token, "JWT").is_some() {
            return refuse(ErrorCode::UnsupportedTokenType, "ID tokens cannot be revoked.");
        }
        return Ok(());
    };
    is_of(&presented.claims.client_id, client_id)?;
    access_token::revoke(&app.records, &presented.claims, now).await.map_err(Trouble::from)?;
    Ok(())
}

/// §2.1: another client's token is refused, and stays as it is.
fn is_of(owner: &str, client_id: &str) -> Result<(), TokenError> {
    if owner == client_id {
        return Ok(());
    }
    refuse(ErrorCode::InvalidGrant, "The token was not issued to this client.")
}
