//! Logout: at a client's request (RP-Initiated Logout 1.0), by the user on our page, by an administrator.
//!
//! Our own session always ends first. Then every client of it that registered an address is told: by a logout token from
//! here ([`notifier`]), by a frame on our page. What is not ours to end, the IdP's own session, is said to the user.

pub mod ending;
pub mod notifier;
#[cfg(test)]
mod tests;
mod turns;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use url::Url;

use super::client_authentication::registered;
use super::error::Trouble;
use super::id_token_hint::{self, IdTokenHint};
use super::params::Params;
use crate::app::App;
use crate::catalog::Client;
use crate::login::Browser;
use crate::login::session::{SessionCookie, SsoSession};

pub use ending::{By, Ended, after};

/// What a client asks for, as far as it holds.
#[derive(Clone, Debug)]
pub struct LogoutRequest {
    hint: Option<IdTokenHint>,
    /// The client, where it is known.
    pub client: Option<Arc<Client>>,
    /// Where the browser goes afterwards, one of the client's own.
    pub return_to: Option<String>,
    state: Option<String>,
}

/// What comes of it.
#[derive(Debug)]
pub enum Logout {
    /// The user is asked first.
    Confirm(Box<Confirmation>),
    /// Nobody is signed in, or not any more.
    Done(Box<LoggedOut>),
}

/// The question, and what its form sends back.
#[derive(Debug)]
pub struct Confirmation {
    /// What is asked for.
    pub request: LogoutRequest,
    /// Whom the browser is signed in as.
    pub session: SsoSession,
    /// Bound to the session and to the request.
    pub form_token: String,
}

/// How it ended.
#[derive(Debug)]
pub struct LoggedOut {
    /// What was asked for.
    pub request: LogoutRequest,
    /// What ended; `None`: nobody was signed in.
    pub ended: Option<Ended>,
    /// Whether the browser may be sent back without a click: the client showed an ID token, or the user agreed.
    pub may_redirect: bool,
}

/// Why a logout cannot be served; nothing has ended.
#[derive(Debug, thiserror::Error)]
pub enum LogoutError {
    /// The form was not made by our page in this browser.
    #[error("the form was not made by our page in this browser")]
    FormNotOurs,
    /// The parameters contradict each other, or cannot be read.
    #[error("{0}")]
    Invalid(&'static str),
    /// Ours to mend.
    #[error(transparent)]
    Trouble(#[from] Trouble),
}

/// Longest `state` that goes back.
const LONGEST_STATE: usize = 2048;

impl LogoutRequest {
    /// Reads the parameters (RP-Initiated Logout §2). An address that is not registered exactly is left out: the logout
    /// happens, and ends on our page.
    ///
    /// # Errors
    /// [`LogoutError::Invalid`].
    pub async fn read(app: &App, params: &Params) -> Result<Self, LogoutError> {
        if params.has_repeated() {
            return Err(LogoutError::Invalid("A parameter came more than once."));
        }
        let hint = match params.get("id_token_hint") {
            None => None,
            // one that proves nothing, as of a key that was retired meanwhile, is as none: then the user is asked
            Some(token) => id_token_hint::read(app, token),
        };
        let named = params.get("client_id");
        let hinted = hint.as_ref().map(|hint| hint.client_id.as_str());
        if let (Some(named), Some(hinted)) = (named, hinted)
            && named != hinted
        {
            return Err(LogoutError::Invalid("id_token_hint is another client's."));
        }
        let client = match named.or(hinted) {
            Some(id) => registered(&app.catalog, id).await.map_err(Trouble::from)?,
            None => None,
        };
        let client = client.filter(|client| client.enabled);
        let asked = params.get("post_logout_redirect_uri");
        let registered = |asked: &&str| {
            client.as_ref().is_some_and(|client| {
                client.post_logout_redirect_uris.iter().any(|known| known == asked)
            })
        };
        let state = params.get("state").filter(|state| state.len() <= LONGEST_STATE);
        Ok(Self {
            return_to: asked.filter(registered).map(str::to_owned),
            state: state.map(str::to_owned),
            hint,
            client,
        })
    }

    /// Whether the client showed an ID token of this very session.
    fn proves(&self, session: &SsoSession) -> bool {
        self.hint.as_ref().is_some_and(|hint| {
            hint.sub == session.user_id && hint.sid.as_ref() == Some(&session.sid)
        })
    }

    /// Where the browser goes afterwards, with `state` (RP-Initiated Logout §3).
    pub fn way_back(&self) -> Option<String> {
        let mut url = Url::parse(self.return_to.as_deref()?).ok()?;
        if let Some(state) = &self.state {
            url.query_pairs_mut().append_pair("state", state);
        }
        Some(url.into())
    }

    /// What the form sends back so that the request is found again, by name.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let client_id = self.client.as_ref().map(|client| client.client_id.clone());
        let all = [
            ("client_id", client_id),
            ("post_logout_redirect_uri", self.return_to.clone()),
            ("state", self.state.clone()),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    fn form_token(&self, cookie: &SessionCookie) -> String {
        let fields = self.fields();
        let text: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        cookie.form_token(&format!("logout\n{}", text.join("\n")))
    }
}

/// A client sends the browser here: ends its session, or asks the user first where nothing proves that the session's user
/// wants that.
///
/// # Errors
/// [`LogoutError`]; nothing has ended then.
pub async fn ask(
    app: &App,
    browser: &Browser,
    request: LogoutRequest,
    now: DateTime<Utc>,
) -> Result<Logout, LogoutError> {
    let may_redirect = request.hint.is_some();
    let found = app.sso_sessions().of_cookie(browser.session()).await.map_err(Trouble::from)?;
    let Some((live, cookie)) = found.zip(browser.session()) else {
        return Ok(Logout::Done(Box::new(LoggedOut { request, ended: None, may_redirect })));
    };
    if request.proves(&live.session) {
        let ended = end(app, browser, live.session, now).await?;
        return Ok(Logout::Done(Box::new(LoggedOut { request, ended, may_redirect })));
    }
    let form_token = request.form_token(cookie);
    let session = live.session;
    Ok(Logout::Confirm(Box::new(Confirmation { request, session, form_token })))
}

/// The user agreed on our page.
///
/// # Errors
/// [`LogoutError`]; nothing has ended then.
pub async fn confirm(
    app: &App,
    browser: &Browser,
    request: LogoutRequest,
    form_token: &str,
    now: DateTime<Utc>,
) -> Result<LoggedOut, LogoutError> {
    let cookie = browser.session().ok_or(LogoutError::FormNotOurs)?;
    if !is_same(&request.form_token(cookie), form_token) {
        return Err(LogoutError::FormNotOurs);
    }
    let live = app.sso_sessions().of_cookie(Some(cookie)).await.map_err(Trouble::from)?;
    let ended = match live {
        Some(live) => end(app, browser, live.session, now).await?,
        None => None,
    };
    Ok(LoggedOut { request, ended, may_redirect: true })
}

async fn end(
    app: &App,
    browser: &Browser,
    session: SsoSession,
    now: DateTime<Utc>,
) -> Result<Option<Ended>, Trouble> {
    let by = By::user(&session.user_id, browser.address());
    Ok(ending::end(app, &[session], &by, now).await?.pop())
}

/// In constant time.
pub fn is_same(own: &str, sent: &str) -> bool {
    subtle::ConstantTimeEq::ct_eq(own.as_bytes(), sent.as_bytes()).into()
}
