//! The login page: what it shows, for the transaction's own browser.

use std::sync::Arc;

use super::own;
use crate::app::App;
use crate::catalog::Connection;
use crate::login::error::ErrorPage;
use crate::login::failure::Failure;
use crate::login::session::SsoSession;
use crate::login::standing;
use crate::login::trace::Trail;
use crate::login::transaction::{Browser, Found, Stage, TransactionError};

/// What the login page shows.
#[derive(Clone, Debug)]
pub struct PageModel {
    /// The transaction.
    pub transaction: String,
    /// The app's name.
    pub client_name: String,
    /// Where the browser will end, if not with us: the page's form must be allowed to end there (RULES 30).
    pub redirect_uri: Option<String>,
    /// What was typed or hinted.
    pub email: Option<String>,
    /// Whom this browser is signed in as, where it may go on as that.
    pub account: Option<Account>,
    /// Why the address did not lead on.
    pub problem: Option<Problem>,
    /// Connections to choose from; empty: ask for the e-mail address.
    pub choices: Vec<Arc<Connection>>,
    /// Offered beside the question for the e-mail address: this browser's last one.
    pub offer: Option<Arc<Connection>>,
}

/// An account as its owner knows it.
#[derive(Clone)]
pub struct Account {
    /// Their name, else their address.
    pub name: String,
    /// Their address.
    pub email: Option<String>,
}

/// Why an address did not lead on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Problem {
    /// It is not an e-mail address.
    NotAnAddress,
    /// Its domain leads to no connection of this client.
    UnknownDomain,
}

/// The login page of a transaction, for its own browser.
///
/// # Errors
/// An [`ErrorPage`].
pub async fn page(
    app: &App,
    browser: &Browser,
    transaction: &str,
) -> Result<PageModel, Box<ErrorPage>> {
    let mut trail = Trail::at(browser.address());
    match try_page(app, browser, transaction, &mut trail).await {
        Ok(page) => Ok(page),
        Err(failure) => Err(trail.failed(app, failure).await.continuing(transaction)),
    }
}

async fn try_page(
    app: &App,
    browser: &Browser,
    transaction: &str,
    trail: &mut Trail,
) -> Result<PageModel, Failure> {
    let found = own(app, browser, transaction, trail).await?;
    let mut account = None;
    let (email, names, unknown_domain) = match &found.login().stage {
        Stage::Account { email } => {
            account = signed_in_as(app, browser).await?;
            (email.clone(), Vec::new(), false)
        }
        Stage::Asked { email, choices, unknown_domain, .. } => {
            (email.clone(), choices.clone(), *unknown_domain)
        }
        // the user came back from the IdP's page: ask again
        Stage::Pending { email, .. } => (email.clone(), Vec::new(), false),
        Stage::Parked { .. } => return Err(TransactionError::AlreadyReceived.into()),
        Stage::Completed => return Err(TransactionError::Completed.into()),
    };
    let mut choices = Vec::new();
    for name in names {
        let found = app.catalog.get::<Connection>(name.as_str()).await?;
        choices.extend(found.map(|found| found.object));
    }
    let problem = unknown_domain.then_some(Problem::UnknownDomain);
    Ok(PageModel { account, ..page_model(app, &found, email, problem, choices).await? })
}

/// Whom this browser is signed in as; `None` where that has ended meanwhile: then the page asks who it is.
async fn signed_in_as(app: &App, browser: &Browser) -> Result<Option<Account>, Failure> {
    let found = app.sso_sessions().of_cookie(browser.session()).await?;
    Ok(found.map(|live| Account::of(&live.session)))
}

pub(super) async fn page_model(
    app: &App,
    found: &Found,
    email: Option<String>,
    problem: Option<Problem>,
    choices: Vec<Arc<Connection>>,
) -> Result<PageModel, Failure> {
    let request = &found.login().request;
    let client = standing::client(app, &request.client_id).await?;
    Ok(PageModel {
        transaction: found.handle.clone(),
        client_name: client.client_name.clone(),
        redirect_uri: request.redirect_uri().map(str::to_owned),
        email,
        account: None,
        problem,
        choices,
        offer: offered(app, found).await?,
    })
}

async fn offered(app: &App, found: &Found) -> Result<Option<Arc<Connection>>, Failure> {
    let Stage::Asked { offer: Some(name), .. } = &found.login().stage else { return Ok(None) };
    let found = app.catalog.get::<Connection>(name.as_str()).await?;
    Ok(found.map(|found| found.object))
}

impl Account {
    fn of(session: &SsoSession) -> Self {
        let claims = &session.claims;
        let name = [&claims.name, &claims.email, &claims.preferred_username];
        let name = name.into_iter().flatten().next();
        let name = name.cloned().unwrap_or_else(|| "your account".to_owned());
        Self { email: claims.email.clone().filter(|email| *email != name), name }
    }
}

/// Names a person.
impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Account(..)")
    }
}
