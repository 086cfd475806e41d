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

/// Whether this client needs the user's word for this. `was_signed_in`: the browser had a session before this login, also one
/// that was too old or did not fit; then the IdP may have answered without asking anybody.
///
/// # Errors
/// [`Trouble`].
pub async fn needed(
    app: &App,
    request: &AuthorizationRequest,
    login: &Login,
    was_signed_in: bool,
) -> Result<Need, Trouble> {
    if let AnswerTo::Device { .. } = request.answer {
        return Ok(Need::Yes);
    }
    let client = registered(&app.catalog, &request.client_id).await?;
    // RFC 8252 §8.6: what could be another program is asked for each time
    let any_program =
        client.as_ref().is_none_or(|client| is_any_program(client, request.redirect_uri()));
    if client.as_ref().is_some_and(|client| !client.is_third_party()) {
        // OIDC Core §3.1.2.1: who asks for the question gets it. And whoever sends another program's client_id must not get
        // by a session's own question with a request that no session fits
        let unasked = any_program && was_signed_in && !request.prompt.contains(&Prompt::Login);
        let asks = unasked || request.prompt.contains(&Prompt::Consent);
        return Ok(if asks { Need::Yes } else { Need::No });
    }
    let remembers = !any_program;
    let remembered = is_remembered(app, (login, &request.client_id), &request.access);
    if remembers && remembered.await? && !request.prompt.contains(&Prompt::Consent) {
        return Ok(Need::No);
    }
    Ok(if request.is_silent() { Need::Forbidden } else { Need::Yes })
}

/// Whether a user allowed a client all of this.
async fn is_remembered(
    app: &App,
    (login, client_id): (&Login, &str),
    access: &Access,
) -> Result<bool, CatalogError> {
    let allowed = app.catalog.consent(&login.user_id, client_id).await?;
    Ok(names(login, access).iter().all(|name| allowed.contains(name)))
}

/// Whether a client may go on with what it was granted at `issued_at`: a first-party one always, another as long as its
/// user's consent stands. A consent that was withdrawn and given again is another one.
///
/// # Errors
/// [`Trouble`].
pub(in crate::oauth) async fn stands(
    app: &App,
    client: &Client,
    (login, issued_at): (&Login, DateTime<Utc>),
    access: &Access,
) -> Result<bool, Trouble> {
    if !client.is_third_party() {
        return Ok(true);
    }
    let consent = app.catalog.consented(&login.user_id, &client.client_id).await?;
    let asked = names(login, access);
    Ok(consent.is_some_and(|consent| {
        consent.since <= issued_at && asked.iter().all(|name| consent.scopes.contains(name))
    }))
}

/// How consent is remembered: `scope` or `api scope`, behind the organization that the user signed in with where there is one,
/// `organization api scope`. The same word means something else at another API, and who says yes as one company's user has
/// said nothing as another's. Scopes of no API have `-` in its place there. A space stands in none of them.
pub(super) fn names(login: &Login, access: &Access) -> Vec<String> {
    let organization = login.organization.as_ref().map(|organization| organization.name.as_str());
    let name = |api: Option<&str>, scope: &str| match (organization, api) {
        (None, None) => scope.to_owned(),
        (None, Some(api)) => format!("{api} {scope}"),
        (Some(organization), api) => {
            format!("{organization} {} {scope}", api.unwrap_or(NO_API))
        }
    };
    let at_api = |api: &ApiAccess| {
        let scopes = api.scopes.iter().map(String::as_str).chain([""]);
        scopes.map(|scope| name(Some(&api.audience), scope)).collect::<Vec<_>>()
    };
    let oidc = access.oidc_scopes.iter().map(|scope| name(None, scope));
    oidc.chain(access.apis.iter().flat_map(at_api)).collect()
}

/// No API is called so: their identifiers are absolute URIs.
const NO_API: &str = "-";

/// What a remembered consent is for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Allowed<'a> {
    /// Scopes of OpenID Connect.
    pub scopes: Vec<&'a str>,
    /// APIs and their scopes.
    pub apis: BTreeMap<&'a str, Vec<&'a str>>,
}

/// Reads what `names` wrote, by the organization that the user signed in with.
pub fn allowed(names: &[String]) -> BTreeMap<Option<&str>, Allowed<'_>> {
    let mut all: BTreeMap<Option<&str>, Allowed<'_>> = BTreeMap::new();
    for name in names {
        let mut parts = name.splitn(3, ' ');
        let (organization, api, scope) = match (parts.next(), parts.next(), parts.next()) {
            (Some(organization), Some(api), Some(scope)) => (Some(organization), Some(api), scope),
            (Some(api), Some(scope), None) => (None, Some(api), scope),
            (scope, None, _) | (None, _, scope) => (None, None, scope.unwrap_or_default()),
        };
        let allowed = all.entry(organization).or_default();
        match api.filter(|api| *api != NO_API) {
            None => allowed.scopes.push(scope),
            Some(api) => {
                let scopes = allowed.apis.entry(api).or_default();
                scopes.extend(Some(scope).filter(|scope| !scope.is_empty()));
            }
        }
    }
    all
}
