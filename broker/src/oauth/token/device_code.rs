//! The device authorization grant at the token endpoint (RFC 8628 §3.4, §3.5).

use chrono::{DateTime, Utc};

use super::authorization_code::still_granted;
use super::offline::Begun;
use super::spending::{Spending, spend};
use super::{ErrorCode, Granted, TokenError, refuse};
use crate::app::App;
use crate::login::trace::Trail;
use crate::oauth::client_authentication::AuthenticatedClient;
use crate::oauth::device::{self, DeviceGrant, DeviceState, Pace};
use crate::oauth::error::Trouble;
use crate::oauth::params::Params;
use crate::oauth::refresh;
use crate::oauth::sender_constraint::Proven;

/// Redeems a device code, once, after its user said yes; until then it says how things stand.
pub(super) async fn take(
    app: &App,
    client: &AuthenticatedClient,
    params: &Params,
    proven: &Proven,
    now: DateTime<Utc>,
) -> Result<Granted, TokenError> {
    let Some(code) = params.get("device_code") else {
        return refuse(ErrorCode::InvalidRequest, "device_code is missing.");
    };
    let found = device::find(app, code, now).await?;
    let own = |grant: &DeviceGrant| grant.client_id == client.client().client_id;
    let Some(found) = found.filter(|found| own(&found.record)) else { return invalid_grant() };
    let grant = &found.record;
    let gives = match &grant.state {
        DeviceState::Spent if grant.may_be_asked_again(now) => return invalid_grant(),
        DeviceState::Spent => return replayed(app, grant, now).await,
        DeviceState::Denied => {
            return refuse(ErrorCode::AccessDenied, "The user did not allow it.");
        }
        DeviceState::Allowed(_) | DeviceState::Waiting if now >= grant.expires_at => {
            return refuse(ErrorCode::ExpiredToken, "The device code has expired.");
        }
        DeviceState::Waiting => return wait(device::polled(app, code, &found, now).await?),
        DeviceState::Allowed(gives) => gives,
    };
    if !client.is_confidential() {
        super::count(app, client, now)?;
    }
    let of_family = (grant.family.as_str(), gives.as_ref());
    let granted = still_granted(app, client.client(), of_family, params).await?;
    let Some(mut granted) = granted else { return invalid_grant() };
    let begun = Begun::of(app, client, of_family, proven.confirmation(), now);
    proven.spend(app, now).await?;
    // whoever is second must not write over the family of the first: it lives on
    let life = begun.life(&granted, now);
    match spend(app, gives, |batch| device::redeem(batch, code, &found, life, now), now).await? {
        Spending::TooLate => invalid_grant(),
        Spending::SignedOut => {
            refresh::end(&app.records, &grant.family, now).await.map_err(Trouble::from)?;
            invalid_grant()
        }
        Spending::Done => {
            begun.store(app, &grant.family, now).await?;
            begun.give(&mut granted);
            Ok(granted)
        }
    }
}

fn wait<T>(pace: Pace) -> Result<T, TokenError> {
    match pace {
        Pace::Fine => refuse(ErrorCode::AuthorizationPending, "The user has not decided yet."),
        Pace::TooFast => refuse(ErrorCode::SlowDown, "Wait five seconds longer from now on."),
    }
}

/// Longer after the first than a lost answer explains: as with an authorization code.
async fn replayed<T>(app: &App, grant: &DeviceGrant, now: DateTime<Utc>) -> Result<T, TokenError> {
    let trail = Trail { client_id: Some(grant.client_id.clone()), ..Trail::default() };
    super::revoke_reused(app, &grant.family, (trail, "device_code_reused"), now).await?;
    invalid_grant()
}

/// One text for all: a stolen code says nothing about itself.
fn invalid_grant<T>() -> Result<T, TokenError> {
    refuse(ErrorCode::InvalidGrant, "The device code is unknown or spent, or not for this client.")
}
