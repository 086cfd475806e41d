//! The authorization code grant (RFC 6749 §4.1.3, RFC 7636 §4.6; RULES 26).

use chrono::{DateTime, Utc};

use super::offline::Begun;
use super::spending::{Spending, spend};
use super::{ErrorCode, Granted, GrantedUser, TokenError, refuse};
use crate::app::App;
use crate::catalog::Client;
use crate::login::trace::Trail;
use crate::oauth::barred::turns_away;
use crate::oauth::client_authentication::AuthenticatedClient;
use crate::oauth::code::{self, AuthorizationGrant, Gives};
use crate::oauth::confirmation::Confirmation;
use crate::oauth::consent;
use crate::oauth::error::Trouble;
use crate::oauth::params::Params;
use crate::oauth::refresh;
use crate::oauth::sender_constraint::Proven;
use crate::oauth::target::{self, Target, TargetError};

/// Redeems a code. Everything is checked first, so that a wrong request leaves the code unspent; what can fail for reasons
/// of ours is read first too. Then the code is spent, once, before anything is minted.
pub(super) async fn take(
    app: &App,
    client: &AuthenticatedClient,
    params: &Params,
    proven: &Proven,
    now: DateTime<Utc>,
) -> Result<Granted, TokenError> {
    let required = |name| params.get(name).map_or_else(|| missing(name), Ok);
    let code = required("code")?;
    let redirect_uri = required("redirect_uri")?;
    let verifier = required("code_verifier")?;

    let found = app.records.get::<AuthorizationGrant>(code, now).await.map_err(Trouble::from)?;
    let Some(found) = found else { return invalid_grant() };
    let grant = &found.record;
    belongs_to(grant, client, redirect_uri)?;
    if !grant.code_challenge.is_answered_by(verifier) {
        return invalid_grant();
    }
    is_by_the_same_key(grant, proven.confirmation())?;
    let Some(gives) = &grant.gives else { return replayed(app, grant, now).await };
    if !client.is_confidential() {
        super::count(app, client, now)?;
    }
    if !client.client().has_redirect_uri(redirect_uri) {
        return invalid_grant();
    }
    let of_family = (grant.family.as_str(), gives);
    let granted = still_granted(app, client.client(), of_family, params).await?;
    let Some(mut granted) = granted else { return invalid_grant() };
    let begun = Begun::of(app, client, of_family, proven.confirmation(), now);
    proven.spend(app, now).await?;
    let life = begun.life(&granted, now);
    let spent = spend(app, gives, |batch| code::redeem(batch, code, &found, life, now), now);
    let stored = begun.store(app, &grant.family, now);
    match futures_util::try_join!(spent, stored)? {
        (Spending::TooLate, ()) => replayed(app, grant, now).await,
        (Spending::SignedOut, ()) => {
            refresh::end(&app.records, &grant.family, now).await.map_err(Trouble::from)?;
            invalid_grant()
        }
        (Spending::Done, ()) => {
            begun.give(&mut granted);
            Ok(granted)
        }
    }
}

/// RFC 6749 §4.1.3.
fn belongs_to(
    grant: &AuthorizationGrant,
    client: &AuthenticatedClient,
    redirect_uri: &str,
) -> Result<(), TokenError> {
    if grant.client_id == client.client().client_id && grant.redirect_uri == redirect_uri {
        Ok(())
    } else {
        invalid_grant()
    }
}

/// RFC 9449 §10: a code that was asked for with a key is redeemed with that key.
fn is_by_the_same_key(
    grant: &AuthorizationGrant,
    bound: Option<&Confirmation>,
) -> Result<(), TokenError> {
    match &grant.dpop_jkt {
        Some(key) if bound.and_then(Confirmation::key) != Some(key) => invalid_grant(),
        Some(_) | None => Ok(()),
    }
}

/// What a code gives at the API that its token is asked for (RFC 8707 §2.2), if its user, connection, organization and API are
/// still there and enabled, the client still has its grant, and its user has not taken the consent back: what was taken from
/// that grant since the start is not given.
pub(super) async fn still_granted(
    app: &App,
    client: &Client,
    (family, gives): (&str, &Gives),
    params: &Params,
) -> Result<Option<Granted>, TokenError> {
    let Gives { access, login, .. } = gives;
    let api = access.api(target::named(params)?).map_err(|_| TargetError::NotGranted)?;
    let scopes = access.scopes_at(api);
    if turns_away(app, &client.client_id, login, family).await? {
        return Ok(None);
    }
    let target = match api {
        None => Some(Target { api: None, scopes }),
        Some(api) => {
            let of = (client, api.audience.as_str());
            target::still(&app.catalog, of, &scopes).await.map_err(Trouble::from)?
        }
    };
    let Some(target) = target else { return Ok(None) };
    let whose = (login, gives.given_at);
    if !consent::stands(app, client, whose, &target.access()).await? {
        return Ok(None);
    }
    let user = GrantedUser {
        login: login.clone(),
        family: family.to_owned(),
        nonce: gives.nonce.clone(),
        refresh_token: None,
    };
    Ok(Some(Granted { target, user: Some(user) }))
}

/// RFC 6749 §10.5.
async fn replayed<T>(
    app: &App,
    grant: &AuthorizationGrant,
    now: DateTime<Utc>,
) -> Result<T, TokenError> {
    let trail = Trail { client_id: Some(grant.client_id.clone()), ..Trail::default() };
    let reused = (trail, "authorization_code_reused");
    super::revoke_reused(app, &grant.family, reused, now).await?;
    invalid_grant()
}

fn missing<T>(name: &str) -> Result<T, TokenError> {
    refuse(ErrorCode::InvalidRequest, &format!("{name} is missing."))
}

/// One text for all: a stolen code says nothing about itself.
fn invalid_grant<T>() -> Result<T, TokenError> {
    refuse(
        ErrorCode::InvalidGrant,
        "The code is unknown, spent or expired, or not for this client, redirect_uri, code_verifier and key.",
    )
}
