//! An answer from the browser's session: silent where the session may serve the client (RULES 24), else by a login.

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};

use super::answer::{Answer, Answered, error_answer, new_code};
use super::code::Login;
use super::consent;
use super::error::Trouble;
use crate::app::App;
use crate::catalog::{Connection, Organization, TraceOutcome, User};
use crate::login::error::LoginError;
use crate::login::failure::Failure;
use crate::login::membership::is_kept;
use crate::login::session::{LiveSession, SsoSession};
use crate::login::single_sign_on::{Facts, Known, Named, Unfit, may_serve};
use crate::login::trace::{Proof, Trail};
use crate::login::transaction::{TransactionError, Transactions};
use crate::login::{AuthorizationRequest, Browser, standing};

/// What a request comes to before any login.
#[derive(Debug)]
pub enum Silent {
    /// The client gets its answer.
    Answer(Answer),
    /// The user says first whether they go on with their account.
    AskForAccount(Box<AuthorizationRequest>),
    /// A login begins.
    Login(Box<AuthorizationRequest>),
}

/// Between reading a session and writing it, others may change it; so often it is read again.
const ATTEMPTS: u8 = 4;

/// Answers from the session that the browser has.
///
/// # Errors
/// [`Trouble`]; nothing was given out then.
pub async fn answer(
    app: &App,
    browser: &Browser,
    request: AuthorizationRequest,
    now: DateTime<Utc>,
) -> Result<Silent, Trouble> {
    for _ in 0..ATTEMPTS {
        let found = app.sso_sessions().of_cookie(browser.session()).await?;
        let Some(live) = found else {
            let mut trail = Trail::at(browser.address());
            trail.concerns(&request);
            return without(app, request, None, trail).await;
        };
        let known = known(app, &request, &live.session).await?;
        if let Err(unfit) = may_serve(&facts(&known, &request, &live.session, now)) {
            let trail = trail(browser, &request, &live.session);
            return without(app, request, Some(unfit), trail).await;
        }
        if let Some(answer) = serve(app, browser, &request, live, &known).await? {
            return Ok(Silent::Answer(answer));
        }
    }
    Err(Trouble::Away("the session changes too often".to_owned()))
}

/// The user chose, on our page, to go on with the account that the browser is signed in with. `None`: the session has ended
/// or does not fit any more, so the page asks who it is.
///
/// # Errors
/// [`LoginError`]: a page.
pub async fn go_on(
    app: &App,
    browser: &Browser,
    transaction: &str,
    now: DateTime<Utc>,
) -> Result<Option<Answered>, GoOnError> {
    let logins = Transactions::new(&app.records, now);
    let failed = async |error: TransactionError| {
        GoOnError::Login(Trail::at(browser.address()).failed(app, error.into()).await.into())
    };
    let found = match logins.find(transaction).await {
        Ok(found) => found,
        Err(error) => return Err(failed(error).await),
    };
    let request = found.login().request.clone();
    let live = app.sso_sessions().of_cookie(browser.session()).await.map_err(Trouble::from)?;
    let Some(live) = live else { return Ok(None) };
    let known = known(app, &request, &live.session).await?;
    match may_serve(&facts(&known, &request, &live.session, now)) {
        Ok(()) => {}
        Err(unfit) if unfit.is_for_the_user_to_say() => {}
        Err(_) => return Ok(None),
    }
    if let Err(error) = logins.finish_by_session(found, browser).await {
        return Err(failed(error).await);
    }
    let answer = serve(app, browser, &request, live, &known).await?;
    let answer = answer.ok_or_else(|| Trouble::Away("the session has changed".to_owned()))?;
    Ok(Some(Answered { answer, cookie: None }))
}

/// Why the user's choice leads nowhere.
#[derive(Debug)]
pub enum GoOnError {
    /// A page.
    Login(LoginError),
    /// Ours to mend.
    Trouble(Trouble),
}

/// `prompt=none` shows no page (OIDC Core §3.1.2.6).
async fn without(
    app: &App,
    request: AuthorizationRequest,
    unfit: Option<Unfit>,
    trail: Trail,
) -> Result<Silent, Trouble> {
    let for_the_user = unfit.is_some_and(Unfit::is_for_the_user_to_say);
    if request.is_silent() {
        let error = if for_the_user {
            (
                "interaction_required",
                "The user has to agree to this app, and prompt=none allows no page.",
            )
        } else {
            (
                "login_required",
                "No session of the user fits this request, and prompt=none allows no page.",
            )
        };
        let answer = error_answer(app, &request, error, app.now()).await?;
        trail.refused(app, TraceOutcome::Failed, error.0, None).await;
        return Ok(Silent::Answer(answer));
    }
    let request = Box::new(request);
    Ok(if for_the_user { Silent::AskForAccount(request) } else { Silent::Login(request) })
}

/// Gives the client its code, or asks for consent first; `None` where the session has changed since it was read.
async fn serve(
    app: &App,
    browser: &Browser,
    request: &AuthorizationRequest,
    live: LiveSession,
    known: &Known,
) -> Result<Option<Answer>, Trouble> {
    let now = app.now();
    let session = &live.session;
    let login = established(session, known.organization.as_deref());
    let trail = trail(browser, request, session);
    match consent::needed(app, request, &login, false).await? {
        consent::Need::Forbidden => {
            return Ok(Some(consent::forbidden(app, request, trail, now).await?));
        }
        consent::Need::Yes => {
            let asked = consent::Asked { request: request.clone(), login, trail };
            return Ok(Some(consent::ask(app, browser, asked, now).await?));
        }
        consent::Need::No => {}
    }
    let sessions = app.sso_sessions();
    let mut write = sessions.serving(live);
    let is_new = write.serve(&request.client_id);
    let mut batch = app.records.batch(now);
    let tickets = sessions.add(&mut batch, &write)?;
    let answer = new_code(app, &mut batch, request, login)?;
    let mut outcomes = batch.run().await?;
    if tickets.read(&mut outcomes)?.is_none() {
        return Ok(None);
    }
    if is_new {
        trail.succeeded(app).await;
    } else {
        trail.served_again(app).await;
    }
    Ok(Some(answer))
}

/// What the session's login established.
fn established(session: &SsoSession, organization: Option<&Organization>) -> Login {
    Login {
        user_id: session.user_id.clone(),
        connection: session.connection.clone(),
        organization: organization.map(Into::into),
        auth_time: session.auth_time,
        acr: session.acr.clone(),
        amr: session.amr.clone(),
        signed_in_at: Some(session.signed_in_at),
        claims: session.claims.clone(),
        session: Some(session.sid.clone()),
    }
}

fn trail(browser: &Browser, request: &AuthorizationRequest, session: &SsoSession) -> Trail {
    let mut trail = Trail {
        connection: Some(session.connection.clone()),
        user_id: Some(session.user_id.clone()),
        proof: Proof::Login(session.sid.clone()),
        ..Trail::at(browser.address())
    };
    trail.concerns(request);
    trail.passed("session", Some(session.sid.clone()));
    trail
}

fn facts<'a>(
    known: &'a Known,
    request: &'a AuthorizationRequest,
    session: &'a SsoSession,
    now: DateTime<Utc>,
) -> Facts<'a> {
    Facts {
        session,
        request,
        standing: known.standing.as_ref(),
        user: known.user.as_deref(),
        organization: known.organization.as_deref(),
        connection: Named::of(request.connection.as_deref(), known.connection.as_ref()),
        asked_organization: Named::of(
            request.organization.as_deref(),
            known.asked_organization.as_ref(),
        ),
        now,
    }
}

async fn known(
    app: &App,
    request: &AuthorizationRequest,
    session: &SsoSession,
) -> Result<Known, Trouble> {
    let catalog = &app.catalog;
    let standing = match standing::at_the_end(app, &request.client_id, &session.connection).await {
        Ok(standing) => Some(standing),
        Err(Failure::Barred(_)) => None,
        Err(away) => return Err(Trouble::Away(away.to_string())),
    };
    let connection = match &request.connection {
        Some(asked) => catalog.get::<Connection>(asked).await?.map(|found| found.name.clone()),
        None => None,
    };
    let asked_organization = match &request.organization {
        Some(asked) => catalog.get::<Organization>(asked).await?.map(|found| found.name.clone()),
        None => None,
    };
    let organization = match &session.organization {
        Some(name) => catalog.get::<Organization>(name.as_str()).await?.map(|found| found.object),
        None => None,
    };
    let user = catalog.get::<User>(&session.user_id).await?.map(|found| found.object);
    let organization = organization.filter(|organization| organization.enabled);
    let belongs = match (&standing, &organization, &user) {
        (Some(standing), Some(organization), Some(user)) => {
            is_kept(app, standing, organization, user, Some(&session.claims)).await?
        }
        _ => true,
    };
    Ok(Known {
        standing,
        user,
        organization: organization.filter(|_| belongs),
        connection,
        asked_organization,
    })
}

impl From<Trouble> for GoOnError {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}
