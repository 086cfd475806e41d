//! The client credentials grant (RFC 6749 §4.4): a client as itself.

use super::{ErrorCode, Granted, TokenError, refuse};
use crate::app::App;
use crate::oauth::client_authentication::AuthenticatedClient;
use crate::oauth::params::Params;
use crate::oauth::scope::{AskedScopes, InvalidScope};
use crate::oauth::target;

/// What the client may have for itself. There is no user, so OIDC scopes are refused; `offline_access` is ignored (RFC 6749
/// §4.4.3: no refresh token comes of this grant).
pub(super) async fn check(
    app: &App,
    client: &AuthenticatedClient,
    params: &Params,
) -> Result<Granted, TokenError> {
    if !client.is_confidential() {
        return refuse(ErrorCode::UnauthorizedClient, "A public client cannot act as itself.");
    }
    let asked = AskedScopes::parse(params.get("scope"));
    let asked = asked.or_else(|e: InvalidScope| refuse(ErrorCode::InvalidScope, &e.to_string()))?;
    let asked = asked.without_offline_access();
    if !asked.oidc.is_empty() {
        return refuse(ErrorCode::InvalidScope, "openid is for users.");
    }
    let client = client.client();
    let target = target::choose_one(&app.catalog, client, params, asked).await?;
    Ok(Granted { target, user: None })
}
