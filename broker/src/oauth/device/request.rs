//! `/oauth/device/code`: a device's request (RFC 8628 §3.1, §3.2).

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{DeviceCodes, INTERVAL, LIFETIME, begin};
use crate::app::App;
use crate::catalog::GrantType;
use crate::oauth::scope::{AskedScopes, InvalidScope};
use crate::oauth::target;
use crate::oauth::token::{self, ErrorCode, TokenError, TokenRequest};

/// The answer (RFC 8628 §3.2).
#[derive(Serialize)]
pub struct DeviceAuthorization {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    expires_in: i64,
    interval: u32,
}

/// Serves a device's request; the client authenticates as at the token endpoint.
///
/// # Errors
/// [`TokenError`], as the token endpoint's.
pub async fn authorize(
    app: &App,
    request: TokenRequest<'_>,
    now: DateTime<Utc>,
) -> Result<DeviceAuthorization, TokenError> {
    let client = token::client_for(app, request, GrantType::DeviceCode, now).await?;
    let asked = AskedScopes::of(client.client(), request.params.get("scope"));
    let asked =
        asked.or_else(|e: InvalidScope| token::refuse(ErrorCode::InvalidScope, &e.to_string()))?;
    let client = client.client();
    let access = target::choose(&app.catalog, client, request.params, asked).await?;
    let codes = begin(app, &client.client_id, access, now).await?;
    let DeviceCodes { device_code, user_code } = codes;
    let verification_uri = app.config.issuer.url("/device").to_string();
    Ok(DeviceAuthorization {
        device_code,
        verification_uri_complete: format!("{verification_uri}?user_code={user_code}"),
        user_code: user_code.to_string(),
        verification_uri,
        expires_in: LIFETIME.num_seconds(),
        interval: INTERVAL,
    })
}

impl std::fmt::Debug for DeviceAuthorization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DeviceAuthorization({})", self.verification_uri)
    }
}
