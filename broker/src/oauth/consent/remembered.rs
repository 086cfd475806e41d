//! What users allowed before, and whether it covers what is asked for.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::catalog::{CatalogError, Client};
use crate::login::single_sign_on::is_any_program;
use crate::login::{Access, AnswerTo, ApiAccess, AuthorizationRequest, Prompt};
use crate::oauth::client_authentication::registered;
use crate::oauth::code::Login;
use crate::oauth::error::Trouble;

/// Whether the user has to be asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Need {
    /// They would have to be, and `prompt=none` forbids it (OIDC Core §3.1.2.6).
    Forbidden,
    /// First-party, or allowed before.
    No,
    /// Yes.
    Yes,
}

/// Whether this client needs the user's word for this.
///
/// # Errors
/// [`Trouble`].
pub async fn needed(
    app: &App,
    request: &AuthorizationRequest,
    login: &Login,
) -> Result<Need, Trouble> {
    if let AnswerTo::Device { .. } = request.answer {
        return Ok(Need::Yes);
    }
    let client = registered(&app.catalog, &request.client_id).await?;
    if client.as_ref().is_some_and(|client| !client.is_third_party()) {
        return Ok(Need::No);
    }
    // RFC 8252 §8.6: what could be another program is asked for each time
    let remembers = client.is_some_and(|client| !is_any_program(&client, request.redirect_uri()));
    let remembered = is_remembered(app, (&login.user_id, &request.client_id), &request.access);
    if remembers && remembered.await? && !request.prompt.contains(&Prompt::Consent) {
        return Ok(Need::No);
    }
    Ok(if request.is_silent() { Need::Forbidden } else { Need::Yes })
}

/// Whether a user allowed a client all of this.
async fn is_remembered(
    app: &App,
    (user_id, client_id): (&str, &str),
    access: &Access,
) -> Result<bool, CatalogError> {
    let allowed = app.catalog.consent(user_id, client_id).await?;
    Ok(names(access).iter().all(|name| allowed.contains(name)))
}

/// Whether a client may go on with what it was granted at `issued_at`: a first-party one always, another as long as its
/// user's consent stands. A consent that was withdrawn and given again is another one.
///
/// # Errors
/// [`Trouble`].
pub(in crate::oauth) async fn stands(
    app: &App,
    client: &Client,
    (user_id, issued_at): (&str, DateTime<Utc>),
    access: &Access,
) -> Result<bool, Trouble> {
    if !client.is_third_party() {
        return Ok(true);
    }
    let consent = app.catalog.consented(user_id, &client.client_id).await?;
    let asked = names(access);
    Ok(consent.is_some_and(|consent| {
        consent.since <= issued_at && asked.iter().all(|name| consent.scopes.contains(name))
    }))
}

/// How consent is remembered: an API's scope with the API in front, for the same word means something else elsewhere. A
/// space stands in neither.
pub(super) fn names(access: &Access) -> Vec<String> {
    let at_api = |api: &ApiAccess| {
        let audience = &api.audience;
        let scopes = api.scopes.iter().map(|scope| format!("{audience} {scope}"));
        scopes.chain([format!("{audience} ")]).collect::<Vec<_>>()
    };
    access.oidc_scopes.iter().cloned().chain(access.apis.iter().flat_map(at_api)).collect()
}

/// What a remembered consent is for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Allowed<'a> {
    /// Scopes of OpenID Connect.
    pub scopes: Vec<&'a str>,
    /// APIs and their scopes.
    pub apis: BTreeMap<&'a str, Vec<&'a str>>,
}

/// Reads what `names` wrote.
pub fn allowed(names: &[String]) -> Allowed<'_> {
    let mut allowed = Allowed::default();
    for name in names {
        match name.split_once(' ') {
            None => allowed.scopes.push(name),
            Some((audience, scope)) => {
                let scopes = allowed.apis.entry(audience).or_default();
                scopes.extend(Some(scope).filter(|scope| !scope.is_empty()));
            }
        }
    }
    allowed
}
