//! How a login is answered to the client: through consent where that is needed, then with a code (RFC 6749 §4.1.2, RFC 9207).

use std::fmt;

use chrono::{DateTime, Utc};
use url::form_urlencoded;

use super::code::{self, AuthorizationGrant, Gives, Login};
use super::device::{self, Verdict};
use super::error::Trouble;
use super::pkce::CodeChallenge;
use super::{consent, logout};
use crate::app::App;
use crate::ids;
use crate::login::ending::Ending;
use crate::login::failure::Failure;
use crate::login::session::SessionCookie;
use crate::login::transaction::Browser;
use crate::login::{
    AnswerTo, AuthorizationRequest, CompletedLogin, ErrorPage, ResponseMode, WayThere,
};
use crate::sessions::StoreError;
use crate::sessions::record::Batch;

#[cfg(test)]
mod tests;

/// What the browser gets.
#[derive(Clone, Eq, PartialEq)]
pub enum Answer {
    /// A page whose form posts itself (OAuth 2.0 Form Post Response Mode).
    FormPost {
        /// The redirect URI.
        action: String,
        /// Names and values.
        fields: Vec<(String, String)>,
    },
    /// 303 to the client, or to our own consent page.
    Redirect {
        /// Where to.
        url: String,
    },
    /// A page of ours: a device, not the browser, gets the answer (RFC 8628 §3.3).
    Stay(DeviceEnd),
}

/// How it ended for a device.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DeviceEnd {
    /// It gets its tokens.
    Allowed,
    /// It is told that it gets none.
    Denied,
    /// Its code was used, refused or has expired before.
    TooLate {
        /// Names the trace, or the line in the log.
        reference: String,
    },
}

/// Where a client's answer goes, and how.
#[derive(Clone, Copy)]
pub struct WayBack<'a> {
    /// One of the client's own.
    pub redirect_uri: &'a str,
    /// By query or by form.
    pub response_mode: ResponseMode,
    /// Given back as it came.
    pub state: Option<&'a str>,
    /// Our issuer: tells the client that the answer is ours (RFC 9207).
    pub issuer: &'a str,
}

/// What the browser gets, and what becomes of its session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answered {
    /// What it gets.
    pub answer: Answer,
    /// The cookie of its session, where that is a new one.
    pub cookie: Option<SessionCookie>,
}

/// Why a login is not answered.
#[derive(Debug)]
pub enum AnswerError {
    /// A page of ours, with a reference: its assertion was used before.
    Page(Box<ErrorPage>),
    /// Ours to mend.
    Trouble(Trouble),
}

/// Between reading a browser's session and writing it, another tab may have changed it; so often it is read again.
const ATTEMPTS: u8 = 4;

/// Answers a completed login, which gives the browser a session too: with our consent page where a third-party client needs
/// it, else with a code.
///
/// # Errors
/// [`AnswerError`]; nothing was issued then.
pub async fn answer(
    app: &App,
    browser: &Browser,
    mut login: CompletedLogin,
    now: DateTime<Utc>,
) -> Result<Answered, AnswerError> {
    let need =
        consent::needed(app, &login.request, &Login::from(&login), browser.session().is_some())
            .await?;
    if need == consent::Need::Forbidden {
        let mut batch = app.records.batch(now);
        let ended = login.ending.add(&mut batch)?;
        if let Err(failure) = ended.read(&mut batch.run().await?, &mut login.trail) {
            return Err(AnswerError::Page(login.trail.failed(app, failure).await));
        }
        let answer = consent::forbidden(app, &login.request, login.trail, now).await?;
        return Ok(Answered { answer, cookie: None });
    }
    let mut ends = true;
    for _ in 0..ATTEMPTS {
        match try_answer(app, browser, (&mut login, ends), need, now).await? {
            Tried::Answered(answered) => {
                if need == consent::Need::No {
                    login.trail.succeeded(app).await;
                }
                return Ok(answered);
            }
            Tried::SessionChanged => ends = false,
            Tried::Failed(failure) => {
                return Err(AnswerError::Page(login.trail.failed(app, failure).await));
            }
        }
    }
    Err(Trouble::Away("the session changes too often".to_owned()).into())
}

/// How an attempt to answer went.
enum Tried {
    Answered(Answered),
    /// Since it was read; the login has ended, its session and code are written anew.
    SessionChanged,
    Failed(Failure),
}

/// The login's end, session and code in one round trip (RULES 40).
async fn try_answer(
    app: &App,
    browser: &Browser,
    (login, ends): (&mut CompletedLogin, bool),
    need: consent::Need,
    now: DateTime<Utc>,
) -> Result<Tried, Trouble> {
    let sessions = app.sso_sessions();
    let old = sessions.of_cookie(browser.session()).await?;
    let (mut write, cookie) = sessions.signed_in(old, login, app.random.as_ref());
    let established = Login {
        session: Some(write.session.sid.clone()),
        signed_in_at: Some(write.session.signed_in_at),
        ..Login::from(&*login)
    };
    if need == consent::Need::No {
        write.serve(&login.request.client_id);
    }
    let mut batch = app.records.batch(now);
    let ended = ends.then(|| login.ending.add(&mut batch)).transpose()?;
    let tickets = sessions.add(&mut batch, &write)?;
    let answer = if need == consent::Need::No {
        new_code(app, &mut batch, &login.request, established)?
    } else {
        let (request, mut trail) = (login.request.clone(), login.trail.clone());
        if ends {
            // read only where that has been so
            Ending::passed(&mut trail);
        }
        let asked = consent::Asked { request, login: established, trail };
        consent::add(app, &mut batch, browser, asked)?
    };
    let mut outcomes = batch.run().await?;
    let ended = ended.map_or(Ok(()), |ended| ended.read(&mut outcomes, &mut login.trail));
    let written = tickets.read(&mut outcomes)?;
    let is_written = written.is_some();
    if let Some(written) = written {
        logout::after(app, written, now).await;
    }
    Ok(match ended {
        Err(failure) => Tried::Failed(failure),
        Ok(()) if !is_written => Tried::SessionChanged,
        Ok(()) => Tried::Answered(Answered { answer, cookie: Some(cookie) }),
    })
}

/// An error and its description for the client (RFC 6749 §4.1.2.1), with `state` and `iss`; a device is refused.
///
/// # Errors
/// [`Trouble`]; a device waits on then.
pub async fn error_answer(
    app: &App,
    request: &AuthorizationRequest,
    (error, description): (&str, &str),
    now: DateTime<Utc>,
) -> Result<Answer, Trouble> {
    match &request.answer {
        AnswerTo::Client(way) => {
            Ok(WayBack::of(way, app.config.issuer.as_str()).error(error, description))
        }
        AnswerTo::Device { device, .. } => device_answer(app, device, Verdict::Deny, now).await,
    }
}

/// Lets a device have what it asks for.
///
/// # Errors
/// [`Trouble`]; nothing was given then.
pub(super) async fn to_device(
    app: &App,
    request: &AuthorizationRequest,
    device: &str,
    login: Login,
    now: DateTime<Utc>,
) -> Result<Answer, Trouble> {
    let access = request.access.clone();
    let gives = Gives { access, nonce: None, login, given_at: now };
    device_answer(app, device, Verdict::Allow(Box::new(gives)), now).await
}

async fn device_answer(
    app: &App,
    device: &str,
    verdict: Verdict,
    now: DateTime<Utc>,
) -> Result<Answer, Trouble> {
    let end = match verdict {
        Verdict::Allow(_) => DeviceEnd::Allowed,
        Verdict::Deny => DeviceEnd::Denied,
    };
    if device::decide(app, device, verdict, now).await? {
        return Ok(Answer::Stay(end));
    }
    let reference = ids::reference(app.random.as_ref());
    tracing::info!(login.reference = reference, "a device was decided on too late");
    Ok(Answer::Stay(DeviceEnd::TooLate { reference }))
}

/// Adds the code's record to a batch, and sends the code to the client; it is good once the batch has run.
///
/// # Errors
/// [`Trouble`]; no code exists then.
pub(super) fn new_code(
    app: &App,
    batch: &mut Batch<'_>,
    request: &AuthorizationRequest,
    login: Login,
) -> Result<Answer, Trouble> {
    let AnswerTo::Client(way) = &request.answer else {
        return Err(Trouble::Broken("a device gets no code".to_owned()));
    };
    let code_challenge = CodeChallenge::try_from(way.code_challenge.clone());
    let grant = AuthorizationGrant {
        family: code::new_family(app.random.as_ref()),
        client_id: request.client_id.clone(),
        redirect_uri: way.redirect_uri.clone(),
        code_challenge: code_challenge.map_err(|e| Trouble::Broken(e.to_string()))?,
        dpop_jkt: request.dpop_jkt.clone(),
        gives: Some(Gives {
            access: request.access.clone(),
            nonce: request.nonce.clone(),
            login,
            given_at: batch.now(),
        }),
    };
    let code = code::add(batch, &grant, app.random.as_ref())?;
    Ok(WayBack::of(way, app.config.issuer.as_str()).with(&[("code", &code)]))
}

impl<'a> WayBack<'a> {
    /// Of a validated request.
    pub fn of(way: &'a WayThere, issuer: &'a str) -> Self {
        Self {
            redirect_uri: &way.redirect_uri,
            response_mode: way.response_mode,
            state: way.state.as_deref(),
            issuer,
        }
    }

    /// An error.
    pub fn error(&self, error: &str, description: &str) -> Answer {
        self.with(&[("error", error), ("error_description", description)])
    }

    /// These parameters, `state` and `iss`.
    fn with(&self, parameters: &[(&str, &str)]) -> Answer {
        let mut all = parameters.to_vec();
        all.extend(self.state.map(|state| ("state", state)));
        all.push(("iss", self.issuer));
        match self.response_mode {
            ResponseMode::FormPost => Answer::FormPost {
                action: self.redirect_uri.to_owned(),
                fields: all.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            },
            ResponseMode::Query => Answer::Redirect { url: self.with_query(&all) },
        }
    }

    /// Adds to the query that the redirect URI has (RFC 6749 §3.1.2); its own text is kept as it was registered.
    fn with_query(&self, parameters: &[(&str, &str)]) -> String {
        let query =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let separator = match self.redirect_uri.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some(_) => "&",
        };
        format!("{}{separator}{query}", self.redirect_uri)
    }
}

impl From<Trouble> for AnswerError {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<StoreError> for AnswerError {
    fn from(error: StoreError) -> Self {
        Self::Trouble(error.into())
    }
}

impl From<&CompletedLogin> for Login {
    fn from(login: &CompletedLogin) -> Self {
        Self {
            user_id: login.user.id.clone(),
            connection: login.connection.clone(),
            organization: login.organization.as_deref().map(Into::into),
            auth_time: login.auth_time,
            acr: login.acr.clone(),
            amr: login.amr.clone(),
            signed_in_at: None,
            session: None,
            claims: login.claims.clone(),
        }
    }
}

/// Holds a code: shows where it goes only.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FormPost { action, .. } => write!(f, "FormPost({action})"),
            Self::Redirect { url } => {
                write!(f, "Redirect({})", url.split('?').next().unwrap_or_default())
            }
            Self::Stay(end) => write!(f, "Stay({end:?})"),
        }
    }
}

impl fmt::Debug for WayBack<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WayBack({}, {:?})", self.redirect_uri, self.response_mode)
    }
}
