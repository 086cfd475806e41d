//! Whether a browser's session may answer a client without another login: a pure function of facts (RULES 24).

#[cfg(test)]
mod tests;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::request::{AuthorizationRequest, Prompt};
use super::session::SsoSession;
use super::standing::Standing;
use crate::catalog::{Client, ClientAuthMethod, ClientKind, Name, Organization, User};

/// Everything that the decision may look at.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The browser's session, alive.
    pub session: &'a SsoSession,
    /// What the client asks for.
    pub request: &'a AuthorizationRequest,
    /// Client, connection and the connection's owner; `None` where one of them is disabled, gone or closed to the other.
    pub standing: Option<&'a Standing>,
    /// The session's user, if there is still one.
    pub user: Option<&'a User>,
    /// The organization of the session, if it has one, that is enabled and the user still belongs to it.
    pub organization: Option<&'a Organization>,
    /// The `connection` parameter, looked up.
    pub connection: Named<'a>,
    /// The `organization` parameter, looked up.
    pub asked_organization: Named<'a>,
    /// The time.
    pub now: DateTime<Utc>,
}

/// A parameter that names an object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Named<'a> {
    /// Not sent.
    Absent,
    /// There is no such object.
    Unknown,
    /// Sent and found.
    Is(&'a Name),
}

/// Why the session does not answer this request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unfit {
    /// None of the wanted authentication contexts.
    Acr,
    /// Client, connection, organization or user is disabled, gone, blocked or closed.
    Barred,
    /// The client could be any program on the user's machine, so the user has a word in it (RFC 8252 §8.6).
    NativeApp,
    /// Another connection was asked for.
    OtherConnection,
    /// Another organization was asked for.
    OtherOrganization,
    /// The hint is about another user.
    OtherUser,
    /// `prompt=login`.
    PromptLogin,
    /// `prompt=select_account`.
    SelectAccount,
    /// Longer ago than client or organization allow.
    TooOld,
}

/// The first reason against it, if there is any.
///
/// # Errors
/// [`Unfit`].
pub fn may_serve(facts: &Facts<'_>) -> Result<(), Unfit> {
    let standing = facts.standing.ok_or(Unfit::Barred)?;
    still_stands(facts)?;
    is_of_the_asked_connection(facts)?;
    is_of_the_asked_organization(facts, &standing.client)?;
    is_the_hinted_user(facts)?;
    has_a_wanted_acr(facts)?;
    is_recent_enough(facts)?;
    if facts.request.prompt.contains(&Prompt::Login) {
        return Err(Unfit::PromptLogin);
    }
    if facts.request.prompt.contains(&Prompt::SelectAccount) {
        return Err(Unfit::SelectAccount);
    }
    if is_any_program(&standing.client, facts.request.redirect_uri()) {
        return Err(Unfit::NativeApp);
    }
    Ok(())
}

/// DESIGN §5, invariant 2, at this login's end, which is also its start.
fn still_stands(facts: &Facts<'_>) -> Result<(), Unfit> {
    let session = facts.session;
    let counts =
        |user: &&User| user.bars(Some(&session.connection), Some(session.signed_in_at)).is_none();
    let linked = |user: &User| user.identities.contains(&session.identity());
    let user = facts.user.filter(counts).is_some_and(linked);
    let organization = facts.session.organization.is_none() || facts.organization.is_some();
    if user && organization { Ok(()) } else { Err(Unfit::Barred) }
}

fn is_of_the_asked_connection(facts: &Facts<'_>) -> Result<(), Unfit> {
    match facts.connection {
        Named::Absent => Ok(()),
        Named::Is(name) if *name == facts.session.connection => Ok(()),
        Named::Is(_) | Named::Unknown => Err(Unfit::OtherConnection),
    }
}

/// The parameter's, else the one that a first-party client is tied to (RULES 21).
fn is_of_the_asked_organization(facts: &Facts<'_>, client: &Client) -> Result<(), Unfit> {
    let asked = match (facts.asked_organization, &client.kind) {
        (Named::Unknown, _) => return Err(Unfit::OtherOrganization),
        (Named::Is(name), _) => name,
        (Named::Absent, ClientKind::FirstParty { organization: Some(own) }) => own,
        (Named::Absent, ClientKind::FirstParty { organization: None })
        | (Named::Absent, ClientKind::ThirdParty { .. }) => return Ok(()),
    };
    if facts.session.organization.as_ref() == Some(asked) {
        Ok(())
    } else {
        Err(Unfit::OtherOrganization)
    }
}

/// OIDC Core §3.1.2.1: `id_token_hint` names the user by `sub`. A `login_hint` is whatever the client knows them by.
fn is_the_hinted_user(facts: &Facts<'_>) -> Result<(), Unfit> {
    let session = facts.session;
    let by_token = facts.request.hinted_user.as_ref().is_none_or(|sub| *sub == session.user_id);
    let by_name = facts.request.login_hint.as_ref().is_none_or(|hint| {
        let known = [&session.claims.email, &session.claims.preferred_username];
        let hint = hint.to_lowercase();
        known.into_iter().flatten().any(|name| name.to_lowercase() == hint)
            || session.user_id == hint
    });
    if by_token && by_name { Ok(()) } else { Err(Unfit::OtherUser) }
}

/// OIDC Core §3.1.2.1: where a login could state a wanted context, the session's must be one.
fn has_a_wanted_acr(facts: &Facts<'_>) -> Result<(), Unfit> {
    let wanted = &facts.request.acr_values;
    let has = facts.session.acr.as_ref().is_some_and(|acr| wanted.contains(acr));
    let could = facts.standing.is_some_and(|standing| {
        standing.connection.acr_values.values().any(|acr| wanted.contains(acr))
    });
    if has || !could { Ok(()) } else { Err(Unfit::Acr) }
}

/// The client's age counts from the authentication upstream, and where that is not known nothing is recent enough
/// (RULES 18); the organization's from the login here.
fn is_recent_enough(facts: &Facts<'_>) -> Result<(), Unfit> {
    let since_authentication = facts.session.auth_time.map(|at| facts.now - at);
    let by_client = facts.request.max_age.is_none_or(|most| {
        // at 0 not even this second's will do
        most > 0 && since_authentication.is_some_and(|age| age <= TimeDelta::seconds(most))
    });
    let limit = facts.organization.and_then(|organization| organization.session_max_age_seconds);
    let age = facts.now - facts.session.signed_in_at;
    let by_organization = limit.is_none_or(|most| age < TimeDelta::seconds(most.into()));
    if by_client && by_organization { Ok(()) } else { Err(Unfit::TooOld) }
}

/// RFC 8252 §8.6: a public client behind a loopback or private-use redirect URI cannot be told from another program, so what
/// was answered once does not hold for the next time. A device's user is asked anyway.
pub fn is_any_program(client: &Client, redirect_uri: Option<&str>) -> bool {
    client.token_endpoint_auth_method == ClientAuthMethod::None
        && redirect_uri.is_some_and(|uri| !uri.starts_with("https:"))
}

impl Unfit {
    /// Stable word for the trace.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acr => "acr",
            Self::Barred => "barred",
            Self::NativeApp => "native_app",
            Self::OtherConnection => "other_connection",
            Self::OtherOrganization => "other_organization",
            Self::OtherUser => "other_user",
            Self::PromptLogin => "prompt_login",
            Self::SelectAccount => "select_account",
            Self::TooOld => "too_old",
        }
    }

    /// Whether the user may go on with this very account once they say so.
    pub const fn is_for_the_user_to_say(self) -> bool {
        matches!(self, Self::NativeApp | Self::SelectAccount)
    }
}

/// A looked-up parameter.
impl<'a> Named<'a> {
    /// From the parameter and what was found for it.
    pub fn of(parameter: Option<&str>, found: Option<&'a Name>) -> Self {
        match (parameter, found) {
            (None, _) => Self::Absent,
            (Some(_), None) => Self::Unknown,
            (Some(_), Some(name)) => Self::Is(name),
        }
    }
}

/// What facts are made of, read from the catalog.
#[derive(Debug)]
pub struct Known {
    /// As in [`Facts`]; here and below.
    pub standing: Option<Standing>,
    /// The user.
    pub user: Option<Arc<User>>,
    /// The session's organization.
    pub organization: Option<Arc<Organization>>,
    /// The asked connection's name.
    pub connection: Option<Name>,
    /// The asked organization's name.
    pub asked_organization: Option<Name>,
}
