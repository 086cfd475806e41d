//! The refresh token grant (RFC 6749 §6, RFC 9700 §4.14.2; RULES 27).

use chrono::{DateTime, Utc};

use super::{ErrorCode, Granted, GrantedUser, TokenError, refuse};
use crate::app::App;
use crate::catalog::Client;
use crate::login::Access;
use crate::login::trace::Trail;
use crate::oauth::barred::turns_away;
use crate::oauth::client_authentication::AuthenticatedClient;
use crate::oauth::confirmation::Confirmation;
use crate::oauth::consent;
use crate::oauth::error::Trouble;
use crate::oauth::params::Params;
use crate::oauth::refresh::{self, Manner, RefreshFamily, RefreshToken, Standing};
use crate::oauth::scope::{AskedScopes, InvalidScope, OFFLINE_ACCESS};
use crate::oauth::sender_constraint::Proven;
use crate::oauth::target::{self, Target, TargetError};

/// Readings of a family that others change at the same moment. Each change but the last few is a use of a successor, which
/// makes the presented token a reused one, so that this is never reached by an honest client.
const ATTEMPTS: u8 = 8;

/// Refreshes. Everything is checked first; then the token is rotated, once, before anything is minted.
pub(super) async fn take(
    app: &App,
    client: &AuthenticatedClient,
    params: &Params,
    proven: &Proven,
    now: DateTime<Utc>,
) -> Result<Granted, TokenError> {
    let Some(text) = params.get("refresh_token") else {
        return refuse(ErrorCode::InvalidRequest, "refresh_token is missing.");
    };
    let Some(presented) = RefreshToken::parse(text) else { return invalid_grant() };
    let bound = proven.confirmation();
    let (mut counted, mut spent) = (client.is_confidential(), false);
    for _ in 0..ATTEMPTS {
        let found = refresh::find(&app.records, presented.family(), now).await;
        let Some(found) = found.map_err(Trouble::from)? else { return invalid_grant() };
        let family = &found.record;
        let is_own = family.client_id == client.client().client_id;
        if !is_own || !family.is_bound_to(bound, client.client()) {
            return invalid_grant();
        }
        let standing = family.standing(&presented, app.config.refresh_tokens.grace, now);
        match standing {
            Standing::Current | Standing::InGrace => {}
            Standing::MadeUp => return invalid_grant(),
            Standing::Reused => return reused(app, &presented, family, now).await,
        }
        if !counted {
            super::count(app, client, now)?;
            counted = true;
        }
        let asked = asked(family, client, params, bound)?;
        let target = granted(app, client.client(), (presented.family(), family), &asked).await?;
        if !consent_stands(app, client.client(), family, &target).await? {
            refresh::end(&app.records, presented.family(), now).await.map_err(Trouble::from)?;
            return invalid_grant();
        }
        let answers = standing == Standing::Current || family.answers_again(&asked);
        if answers && !spent {
            proven.spend(app, now).await?;
            spent = true;
        }
        let next = if standing == Standing::Current {
            let chance = (app.random.as_ref(), now);
            refresh::rotate(&app.records, &found, &presented, asked, chance).await?
        } else if answers {
            let again = refresh::repeat(&app.records, &found, &presented, now).await?;
            if again.is_some() {
                repeated(app, family).await;
            }
            again
        } else {
            return invalid_grant();
        };
        if let Some(next) = next {
            return Ok(answer(family, &presented, target, &next));
        }
    }
    Err(Trouble::Away("a refresh family is used by too many at once".to_owned()).into())
}

fn answer(
    family: &RefreshFamily,
    presented: &RefreshToken,
    target: Target,
    next: &RefreshToken,
) -> Granted {
    Granted {
        target,
        user: Some(GrantedUser {
            login: family.login.clone(),
            family: presented.family().to_owned(),
            // OIDC Core §12.2: a refreshed ID token has none
            nonce: None,
            refresh_token: Some(next.as_str().to_owned()),
        }),
    }
}

/// What is asked for: at one API of the family, the first where none is named; all of its scopes, or some.
fn asked(
    family: &RefreshFamily,
    client: &AuthenticatedClient,
    params: &Params,
    bound: Option<&Confirmation>,
) -> Result<Manner, TokenError> {
    let access = &family.access;
    let api = access.api(target::named(params)?).map_err(|_| TargetError::NotGranted)?;
    Ok(Manner {
        method: client.client().token_endpoint_auth_method,
        confirmation: bound.cloned(),
        audience: api.map(|api| api.audience.clone()),
        scopes: narrowed(access, access.scopes_at(api), params.get("scope"))?,
    })
}

/// RFC 6749 §6: nothing that the login did not grant. What it granted at other APIs means nothing at this one (RFC 8707
/// §2.2), but one scope at least must.
fn narrowed(
    access: &Access,
    here: Vec<String>,
    text: Option<&str>,
) -> Result<Vec<String>, TokenError> {
    if text.is_none() {
        return Ok(here);
    }
    let asked = AskedScopes::parse(text);
    let asked = asked.or_else(|e: InvalidScope| refuse(ErrorCode::InvalidScope, &e.to_string()))?;
    let mut asked: Vec<String> = asked.oidc.into_iter().chain(asked.api).collect();
    let all = access.all_scopes();
    let is_granted = asked.iter().all(|scope| all.contains(scope));
    asked.retain(|scope| here.contains(scope));
    if asked.is_empty() || !is_granted {
        return refuse(ErrorCode::InvalidScope, "The refresh token has fewer scopes.");
    }
    Ok(asked)
}

/// Everything that the login rested on is asked again (THREATS X7): user, connection, organization, the client's grant.
async fn granted(
    app: &App,
    client: &Client,
    (name, family): (&str, &RefreshFamily),
    asked: &Manner,
) -> Result<Target, TokenError> {
    if turns_away(app, &client.client_id, &family.login, name).await? {
        return invalid_grant();
    }
    let Some(audience) = &asked.audience else {
        return Ok(Target { api: None, scopes: asked.scopes.clone() });
    };
    let of = (client, audience.as_str());
    let target = target::still(&app.catalog, of, &asked.scopes).await.map_err(Trouble::from)?;
    target.map_or_else(invalid_grant, Ok)
}

/// The user's consent to what is granted, and to being away.
async fn consent_stands(
    app: &App,
    client: &Client,
    family: &RefreshFamily,
    target: &Target,
) -> Result<bool, Trouble> {
    let mut access = target.access();
    access.oidc_scopes.push(OFFLINE_ACCESS.to_owned());
    let whose = (&family.login, family.issued_at);
    consent::stands(app, client, whose, &access).await
}

/// RFC 9700 §4.14.2: either the client or a thief has used it before.
async fn reused<T>(
    app: &App,
    presented: &RefreshToken,
    family: &RefreshFamily,
    now: DateTime<Utc>,
) -> Result<T, TokenError> {
    let reused = (trail(family), "refresh_token_reused");
    super::revoke_reused(app, presented.family(), reused, now).await?;
    invalid_grant()
}

/// The client did not get, or did not keep, its answer. Noted: it may as well have been somebody else.
async fn repeated(app: &App, family: &RefreshFamily) {
    trail(family).noted(app, "refresh_token_repeated").await;
}

fn trail(family: &RefreshFamily) -> Trail {
    Trail {
        client_id: Some(family.client_id.clone()),
        connection: Some(family.login.connection.clone()),
        user_id: Some(family.login.user_id.clone()),
        ..Trail::default()
    }
}

/// One text for all: a stolen token says nothing about itself.
fn invalid_grant<T>() -> Result<T, TokenError> {
    refuse(
        ErrorCode::InvalidGrant,
        "The refresh token is unknown, used, expired or revoked, or not this client's.",
    )
}
