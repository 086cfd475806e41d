//! Consent: a third-party client gets a code only after its user has seen what for, and said yes; a device, whosever app is
//! on it, only after its user has compared the code (RFC 8628 §5.4).
//!
//! The question waits as a record of its own, bound to the browser's login cookie, and is answered once. What was allowed is
//! remembered for the user, the organization they signed in with, the client and the scopes, so that only more is asked for again.

mod remembered;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use remembered::names;
pub(super) use remembered::stands;
pub use remembered::{Allowed, Need, allowed, needed};

use super::answer::{Answer, DeviceEnd, error_answer, new_code, to_device};
use super::barred::login_is_barred;
use super::code::Login;
use super::error::Trouble;
use super::{origins, scope, target};
use crate::app::App;
use crate::catalog::{Client, Organization, TraceOutcome};
use crate::ids;
use crate::login::failure::Failure;
use crate::login::trace::Trail;
use crate::login::{AnswerTo, ApiAccess, AuthorizationRequest, Browser, standing};
use crate::sessions::record::{Batch, Record, Stored};

/// What the user decided.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision {
    /// Yes, and remember it.
    Allow,
    /// No: the client gets `access_denied`.
    Deny,
}

/// Why a consent page cannot be shown or answered. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum ConsentError {
    /// Client, user, connection or organization was disabled in between: 403.
    #[error("barred in the meantime: {0}")]
    Barred(&'static str),
    /// Unknown, answered before, or longer ago than it waits.
    #[error("no such question, or it was answered or has expired")]
    Expired,
    /// The cookie is missing or another browser's, or the form is not ours.
    #[error("the question belongs to another browser")]
    OtherBrowser,
    /// Ours to mend.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

/// What the page says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConsentQuestion {
    /// Finds the question again; a hidden field.
    pub handle: String,
    /// Binds the form to the browser; a hidden field.
    pub form_token: String,
    /// The app.
    pub client_name: String,
    /// Its home page.
    pub client_uri: Option<String>,
    /// Where it is on the web, if that is what it is known by.
    pub host: Option<String>,
    /// Whether it is one of our own apps.
    pub is_ours: bool,
    /// Whose app it is; empty where it is nobody's else.
    pub organization: String,
    /// Who signed in, as they know themselves.
    pub account: Option<String>,
    /// What it may see of the user, in plain words.
    pub permissions: Vec<String>,
    /// The APIs that it wants to use.
    pub apis: Vec<AskedApi>,
    /// Where the answer goes; for the page's words and its form-action.
    pub answer: AnswerTo,
}

/// An API that an app wants to use.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AskedApi {
    /// Its name.
    pub name: String,
    /// What the app may do there, in its operator's words.
    pub permissions: Vec<String>,
}

/// A question that waits for its answer.
#[derive(Clone, Deserialize, Serialize)]
struct PendingConsent {
    request: AuthorizationRequest,
    login: Login,
    /// What only this browser can send.
    form_token: String,
    /// What the login's checks said; it is written down with the answer.
    #[serde(default)]
    trail: Trail,
}

/// What a question is about.
#[derive(Debug)]
pub struct Asked {
    /// What the client asks for.
    pub request: AuthorizationRequest,
    /// What the login established.
    pub login: Login,
    /// What its checks said.
    pub trail: Trail,
}

impl Record for PendingConsent {
    const KIND: &'static str = "consent";
    const LIFETIME: TimeDelta = TimeDelta::minutes(10);
}

/// What the client gets where the user would have to be asked and may not be.
///
/// # Errors
/// [`Trouble`].
pub(super) async fn forbidden(
    app: &App,
    request: &AuthorizationRequest,
    trail: Trail,
    now: DateTime<Utc>,
) -> Result<Answer, Trouble> {
    let text = "The user has not allowed this yet, and prompt=none allows no page.";
    let answer = error_answer(app, request, ("consent_required", text), now).await?;
    trail.refused(app, TraceOutcome::Failed, "consent_required", None).await;
    Ok(answer)
}

/// Remembers the question and sends the browser to the page.
///
/// # Errors
/// [`Trouble`].
pub(super) async fn ask(
    app: &App,
    browser: &Browser,
    asked: Asked,
    now: DateTime<Utc>,
) -> Result<Answer, Trouble> {
    let mut batch = app.records.batch(now);
    let answer = add(app, &mut batch, browser, asked)?;
    batch.run().await?;
    Ok(answer)
}

/// As [`ask`], in a batch: the page is there once that has run.
///
/// # Errors
/// [`Trouble`].
pub(super) fn add(
    app: &App,
    batch: &mut Batch<'_>,
    browser: &Browser,
    asked: Asked,
) -> Result<Answer, Trouble> {
    let Asked { request, login, trail } = asked;
    let handle = ids::secret(app.random.as_ref());
    let form_token = browser.form_token(&handle);
    // a login is completed with the cookie only
    let form_token =
        form_token.ok_or_else(|| Trouble::Broken("a login without cookie".to_owned()))?;
    batch.put(&handle, &PendingConsent { request, login, form_token, trail })?;
    Ok(Answer::Redirect {
        url: app.config.issuer.url(&format!("/consent?consent={handle}")).into(),
    })
}

/// What to show to the browser that was asked.
///
/// # Errors
/// [`ConsentError`].
pub async fn question(
    app: &App,
    browser: &Browser,
    handle: &str,
    now: DateTime<Utc>,
) -> Result<ConsentQuestion, ConsentError> {
    let pending = find(app, browser, handle, now).await?.record;
    let client = still_allowed(app, &pending).await?;
    let request = &pending.request;
    let mut apis = Vec::with_capacity(request.access.apis.len());
    for api in &request.access.apis {
        apis.push(described(app, api).await?);
    }
    Ok(ConsentQuestion {
        handle: handle.to_owned(),
        form_token: pending.form_token.clone(),
        organization: organization_name(app, &client).await?,
        is_ours: !client.is_third_party(),
        host: origins::host(&client),
        client_name: client.client_name.clone(),
        client_uri: origins::home_page(&client).map(str::to_owned),
        permissions: request.access.oidc_scopes.iter().map(|scope| plain_words(scope)).collect(),
        apis,
        account: account(&pending.login),
        answer: request.answer.clone(),
    })
}

/// Takes the answer, once.
///
/// # Errors
/// [`ConsentError`].
pub async fn decide(
    app: &App,
    browser: &Browser,
    (handle, form_token): (&str, &str),
    decision: Decision,
    now: DateTime<Utc>,
) -> Result<Answer, ConsentError> {
    let found = find(app, browser, handle, now).await?;
    if !browser.made_form(handle, form_token) {
        return Err(ConsentError::OtherBrowser);
    }
    let client = still_allowed(app, &found.record).await?;
    let taken = app.records.take::<PendingConsent>(handle, now).await.map_err(Trouble::from)?;
    let PendingConsent { request, login, mut trail, .. } = taken.ok_or(ConsentError::Expired)?;
    if decision == Decision::Deny {
        let reference = trail.refused(app, TraceOutcome::Denied, "consent_denied", None).await;
        let denied = ("access_denied", "The user did not allow it.");
        let answer = error_answer(app, &request, denied, now).await?;
        return Ok(if is_too_late(&answer) { too_late(reference) } else { answer });
    }
    let sid = login.session.clone().unwrap_or_default();
    if app.sso_sessions().find(&sid).await.map_err(Trouble::from)?.is_none() {
        return Err(ConsentError::Barred("session_ended"));
    }
    if client.is_third_party() {
        let allowed = names(&login, &request.access);
        let catalog = &app.catalog;
        let remembered =
            catalog.remember_consent(&login.user_id, &request.client_id, &allowed, now);
        remembered.await.map_err(Trouble::from)?;
    }
    let answer = issue(app, &request, login, now).await?;
    trail.passed("consent", None);
    if is_too_late(&answer) {
        let failed = trail.refused(app, TraceOutcome::Failed, "device_code_expired", None);
        return Ok(too_late(failed.await));
    }
    trail.succeeded(app).await;
    Ok(answer)
}

fn is_too_late(answer: &Answer) -> bool {
    matches!(answer, Answer::Stay(DeviceEnd::TooLate { .. }))
}

/// The page names the trace.
fn too_late(reference: String) -> Answer {
    Answer::Stay(DeviceEnd::TooLate { reference })
}

fn account(login: &Login) -> Option<String> {
    let claims = &login.claims;
    claims.email.clone().or_else(|| claims.name.clone())
}

/// The code, and the client in the list of the session's. A session that was ended while the question stood bars it: who
/// was signed out is not signed in by an open page.
async fn issue(
    app: &App,
    request: &AuthorizationRequest,
    login: Login,
    now: DateTime<Utc>,
) -> Result<Answer, ConsentError> {
    let sessions = app.sso_sessions();
    for _ in 0..ATTEMPTS {
        let sid = login.session.clone().unwrap_or_default();
        let live = sessions.find(&sid).await.map_err(Trouble::from)?;
        let live = live.ok_or(ConsentError::Barred("session_ended"))?;
        let mut write = sessions.serving(live);
        write.serve(&request.client_id);
        let mut batch = app.records.batch(now);
        let tickets = sessions.add(&mut batch, &write).map_err(Trouble::from)?;
        let code = match &request.answer {
            AnswerTo::Client(_) => Some(new_code(app, &mut batch, request, login.clone())?),
            AnswerTo::Device { .. } => None,
        };
        let mut outcomes = batch.run().await.map_err(Trouble::from)?;
        if tickets.read(&mut outcomes).map_err(Trouble::from)?.is_none() {
            continue;
        }
        return match (code, &request.answer) {
            (None, AnswerTo::Device { device, .. }) => {
                Ok(to_device(app, request, device, login, now).await?)
            }
            (code, _) => Ok(code.ok_or_else(|| Trouble::Broken("no code".to_owned()))?),
        };
    }
    Err(Trouble::Away("the session changes too often".to_owned()).into())
}

/// As often a session that others changed meanwhile is read again.
const ATTEMPTS: u8 = 4;

async fn find(
    app: &App,
    browser: &Browser,
    handle: &str,
    now: DateTime<Utc>,
) -> Result<Stored<PendingConsent>, ConsentError> {
    let found = app.records.get::<PendingConsent>(handle, now).await.map_err(Trouble::from)?;
    let found = found.ok_or(ConsentError::Expired)?;
    if browser.made_form(handle, &found.record.form_token) {
        Ok(found)
    } else {
        Err(ConsentError::OtherBrowser)
    }
}

/// The end of this login is here: what was disabled since it was completed bars it (DESIGN §5, invariant 2).
async fn still_allowed(app: &App, pending: &PendingConsent) -> Result<Arc<Client>, ConsentError> {
    let client_id = &pending.request.client_id;
    if let Some(barred) = login_is_barred(app, client_id, &pending.login).await? {
        return Err(ConsentError::Barred(barred.code()));
    }
    match standing::answerable(app, &pending.request).await {
        Ok(client) => Ok(client),
        Err(barred @ Failure::Barred(_)) => Err(ConsentError::Barred(barred.code())),
        Err(away) => Err(Trouble::Away(away.to_string()).into()),
    }
}

/// Whose app it is, as people read it; empty where it is nobody's.
///
/// # Errors
/// [`Trouble`].
pub async fn organization_name(app: &App, client: &Client) -> Result<String, Trouble> {
    let Some(name) = client.organization() else { return Ok(String::new()) };
    let organization = app.catalog.get::<Organization>(name.as_str()).await?;
    Ok(organization.map_or_else(|| name.to_string(), |o| o.display_name.clone()))
}

/// An API and its scopes as its operator describes them; by their bare names where there is no description.
///
/// # Errors
/// [`Trouble`].
pub async fn described(app: &App, access: &ApiAccess) -> Result<AskedApi, Trouble> {
    let api = target::by_identifier(&app.catalog, &access.audience).await?;
    let words = |value: &String| {
        let known = api.as_ref().and_then(|api| api.scopes.iter().find(|s| s.value == *value));
        known.and_then(|s| s.description.clone()).unwrap_or_else(|| value.clone())
    };
    Ok(AskedApi {
        name: api.as_ref().map_or_else(|| access.audience.clone(), |api| api.name.clone()),
        permissions: access.scopes.iter().map(words).collect(),
    })
}

/// A scope of OpenID Connect, for people.
pub fn plain_words(scope: &str) -> String {
    match scope {
        scope::OPENID => "Know who you are when you come back",
        "profile" => "See your name, picture, groups and roles",
        "email" => "See your e-mail address",
        "phone" => "See your phone number",
        scope::OFFLINE_ACCESS => "Keep this access while you are not using the app",
        other => other,
    }
    .to_owned()
}

impl fmt::Debug for PendingConsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PendingConsent({:?})", self.request)
    }
}
