//! The first half of a login: from the request to the IdP, by way of our page where nothing says where to go.

mod account;
mod page;

use std::sync::Arc;

use homerealm_connectors::connector::{BeginRequest, Beginning, Begun};

pub use account::{ask_for_account, use_another_account};
use page::page_model;
pub use page::{Account, PageModel, Problem, page};

use super::access::asked_for_closed;
use super::error::{ErrorPage, LoginError};
use super::facts::{self, Question};
use super::failure::Failure;
use super::home_realm::{AskReason, Decision, Refusal, decide};
use super::request::AuthorizationRequest;
use super::trace::{Proof, Trail};
use super::transaction::{
    Browser, Found, LoginTransaction, Stage, TransactionError, Transactions, UpstreamHandle,
};
use super::urls;
use crate::app::App;
use crate::catalog::{Connection, EmailAddress, Name};
use crate::ids;

/// A login that has begun.
#[derive(Debug)]
pub struct Started {
    /// Its handle.
    pub transaction: String,
    /// The login cookie's value; set it where the browser had none.
    pub browser_secret: String,
    /// Whether the browser had none: then other tabs may be getting one too.
    pub is_first: bool,
    /// What the browser does next.
    pub step: Step,
}

/// What the browser does next.
#[derive(Debug)]
pub enum Step {
    /// Opens our login page for this transaction.
    Page,
    /// Goes to the IdP.
    Upstream(Begun),
}

/// What a submitted form leads to.
#[derive(Debug)]
pub enum Next {
    /// The page again.
    Page(Box<PageModel>),
    /// The IdP.
    Upstream(Begun),
}

/// Begins a login for a validated request.
///
/// # Errors
/// [`LoginError`]: a page, or `login_required` for the client.
pub async fn start(
    app: &App,
    browser: &Browser,
    request: AuthorizationRequest,
) -> Result<Started, LoginError> {
    if request.is_silent() {
        return Err(LoginError::login_required(request));
    }
    let mut trail = Trail::at(browser.address());
    trail.concerns(&request);
    match try_start(app, browser, request, &mut trail).await {
        Ok(started) => Ok(started),
        Err(failure) => Err(trail.failed(app, failure).await.into()),
    }
}

async fn try_start(
    app: &App,
    browser: &Browser,
    request: AuthorizationRequest,
    trail: &mut Trail,
) -> Result<Started, Failure> {
    let hint = request.login_hint.as_deref().and_then(|hint| EmailAddress::parse(hint).ok());
    let remembered = browser.remembered().filter(|_| !request.wants_another());
    let question = Question { remembered, ..question(&request, hint.as_ref()) };
    let decision = decide_for(app, &request.client_id, question).await?;
    let email = request.login_hint.clone();
    let transaction = ids::transaction(app.random.as_ref());
    let (stage, step) = match decision {
        Decision::Refused(refusal) => return Err(Failure::HomeRealm(refusal)),
        Decision::Connection(connection, reason) => {
            trail.connection = Some(connection.name.clone());
            trail.passed("home_realm", Some(reason.as_str().to_owned()));
            let beginning = send(app, &transaction, 1, &request, (&connection, None)).await?;
            let (stage, begun) = pending(&connection, beginning, email);
            (stage, Step::Upstream(begun))
        }
        Decision::Choose(choices, _) => {
            let choices = choices.iter().map(|c| c.name.clone()).collect();
            (Stage::Asked { email, choices, unknown_domain: false, offer: None }, Step::Page)
        }
        Decision::Ask(reason) => {
            let unknown_domain = reason == AskReason::UnknownDomain;
            let choices = Vec::new();
            (Stage::Asked { email, choices, unknown_domain, offer: None }, Step::Page)
        }
        Decision::Suggest(connection, _) => {
            let offer = Some(connection.name.clone());
            let choices = Vec::new();
            (Stage::Asked { email, choices, unknown_domain: false, offer }, Step::Page)
        }
    };
    opened(app, browser, transaction, request, (stage, step)).await
}

/// Writes the transaction that begins.
async fn opened(
    app: &App,
    browser: &Browser,
    transaction: String,
    request: AuthorizationRequest,
    (stage, step): (Stage, Step),
) -> Result<Started, Failure> {
    let attempt = u16::from(matches!(step, Step::Upstream(_)));
    let browser_secret = browser.secret_or_new(app.random.as_ref());
    let login =
        LoginTransaction { attempt, ..LoginTransaction::new(request, &browser_secret, stage) };
    Transactions::new(&app.records, app.now()).open(&transaction, &login).await?;
    Ok(Started { transaction, browser_secret, is_first: !browser.has_shared_cookie(), step })
}

/// The user typed an e-mail address.
///
/// # Errors
/// An [`ErrorPage`].
pub async fn identify(
    app: &App,
    browser: &Browser,
    transaction: &str,
    typed: &str,
) -> Result<Next, Box<ErrorPage>> {
    let mut trail = Trail::at(browser.address());
    match try_identify(app, browser, transaction, typed, &mut trail).await {
        Ok(next) => Ok(next),
        Err(failure) => Err(trail.failed(app, failure).await.continuing(transaction)),
    }
}

async fn try_identify(
    app: &App,
    browser: &Browser,
    transaction: &str,
    typed: &str,
    trail: &mut Trail,
) -> Result<Next, Failure> {
    let found = own(app, browser, transaction, trail).await?;
    let shown: String = typed.chars().take(254).collect();
    let Ok(address) = EmailAddress::parse(typed) else {
        let problem = Some(Problem::NotAnAddress);
        let page = page_model(app, &found, Some(shown), problem, Vec::new()).await?;
        return Ok(Next::Page(Box::new(page)));
    };
    let request = found.login().request.clone();
    match decide_for(app, &request.client_id, question(&request, Some(&address))).await? {
        Decision::Refused(refusal) => Err(Failure::HomeRealm(refusal)),
        Decision::Connection(connection, reason) => {
            trail.passed("home_realm", Some(reason.as_str().to_owned()));
            go(app, found, &connection, Some(address), trail).await.map(Next::Upstream)
        }
        Decision::Choose(choices, _) => offer(app, found, shown, choices).await,
        Decision::Ask(_) | Decision::Suggest(..) => {
            let problem = Some(Problem::UnknownDomain);
            let page = page_model(app, &found, Some(shown), problem, Vec::new()).await?;
            Ok(Next::Page(Box::new(page)))
        }
    }
}

/// Remembers what is offered, so that nothing else can be chosen.
async fn offer(
    app: &App,
    found: Found,
    email: String,
    choices: Vec<Arc<Connection>>,
) -> Result<Next, Failure> {
    let stage = Stage::Asked {
        email: Some(email.clone()),
        choices: choices.iter().map(|c| c.name.clone()).collect(),
        unknown_domain: false,
        offer: None,
    };
    let page = page_model(app, &found, Some(email), None, choices).await?;
    let attempt = found.login().attempt;
    Transactions::new(&app.records, app.now()).show_or_send(found, stage, attempt).await?;
    Ok(Next::Page(Box::new(page)))
}

/// The user chose one of the connections that the page offered.
///
/// # Errors
/// An [`ErrorPage`].
pub async fn choose(
    app: &App,
    browser: &Browser,
    transaction: &str,
    chosen: &str,
) -> Result<Begun, Box<ErrorPage>> {
    let mut trail = Trail::at(browser.address());
    match try_choose(app, browser, transaction, chosen, &mut trail).await {
        Ok(begun) => Ok(begun),
        Err(failure) => Err(trail.failed(app, failure).await.continuing(transaction)),
    }
}

/// Only what was offered can be chosen, and only while this client may use it.
async fn try_choose(
    app: &App,
    browser: &Browser,
    transaction: &str,
    chosen: &str,
    trail: &mut Trail,
) -> Result<Begun, Failure> {
    let found = own(app, browser, transaction, trail).await?;
    let unknown = Failure::HomeRealm(Refusal::UnknownConnection);
    let Stage::Asked { choices, email, offer, .. } = &found.login().stage else {
        return Err(TransactionError::NotAnswered.into());
    };
    let Some(name) = choices.iter().chain(offer).find(|c| c.as_str() == chosen).cloned() else {
        return Err(unknown);
    };
    let address = email.as_deref().and_then(|e| EmailAddress::parse(e).ok());
    let request = &found.login().request;
    let question = Question { connection: Some(name.as_str()), ..question(request, None) };
    let facts = facts::of_client(app, &request.client_id, question).await?;
    let Decision::Connection(connection, _) = decide(&facts) else {
        return Err(asked_for_closed(&facts).map_or(unknown, Failure::Closed));
    };
    trail.passed("home_realm", Some("choice".to_owned()));
    go(app, found, &connection, address, trail).await
}

/// The transaction, if it is this browser's.
pub(super) async fn own(
    app: &App,
    browser: &Browser,
    transaction: &str,
    trail: &mut Trail,
) -> Result<Found, Failure> {
    let found = Transactions::new(&app.records, app.now()).find(transaction).await?;
    trail.concerns(&found.login().request);
    trail.proof = Proof::Login(transaction.to_owned());
    found.login().belongs_to(browser)?;
    Ok(found)
}

async fn decide_for(
    app: &App,
    client_id: &str,
    question: Question<'_>,
) -> Result<Decision, Failure> {
    let facts = facts::of_client(app, client_id, question).await?;
    match (decide(&facts), asked_for_closed(&facts)) {
        (Decision::Refused(Refusal::UnknownConnection), Some(closed)) => {
            Err(Failure::Closed(closed))
        }
        (decision, _) => Ok(decision),
    }
}

fn question<'a>(
    request: &'a AuthorizationRequest,
    email: Option<&'a EmailAddress>,
) -> Question<'a> {
    Question {
        connection: request.connection.as_deref(),
        organization: request.organization.as_deref(),
        email,
        remembered: None,
    }
}

/// Sends the user of an open transaction upstream, each time under an own handle.
async fn go(
    app: &App,
    found: Found,
    connection: &Arc<Connection>,
    address: Option<EmailAddress>,
    trail: &mut Trail,
) -> Result<Begun, Failure> {
    trail.connection = Some(connection.name.clone());
    let attempt = found.next_attempt()?;
    let email = address.map(|a| a.to_string());
    let request = &found.login().request;
    let beginning =
        send(app, &found.handle, attempt, request, (connection, email.as_deref())).await?;
    let (stage, begun) = pending(connection, beginning, email);
    Transactions::new(&app.records, app.now()).show_or_send(found, stage, attempt).await?;
    Ok(begun)
}

fn pending(connection: &Connection, beginning: Beginning, email: Option<String>) -> (Stage, Begun) {
    let Beginning { begun, expected } = beginning;
    let connection: Name = connection.name.clone();
    (Stage::Pending { connection, expected, email, denied: false }, begun)
}

/// Asks the connector for the request to the IdP.
async fn send(
    app: &App,
    transaction: &str,
    attempt: u16,
    request: &AuthorizationRequest,
    (connection, typed): (&Arc<Connection>, Option<&str>),
) -> Result<Beginning, Failure> {
    let connector = app.connector(connection).await?;
    let handle = UpstreamHandle { handle: transaction.to_owned(), attempt }.to_string();
    let acr_values = upstream_acr_values(connection, &request.acr_values);
    let begin = BeginRequest {
        callback: &urls::answer(&app.config.issuer, connection),
        transaction: &handle,
        login_hint: typed.or(request.login_hint.as_deref()),
        force_login: request.forces_login(),
        select_account: request.selects_account(),
        acr_values: &acr_values,
        ui_locales: request.ui_locales.as_deref(),
        random: app.random.as_ref(),
        now: app.now(),
    };
    Ok(connector.begin(begin).await?)
}

/// The IdP's words for the classes that the client wants; what the table does not name is not asked for (RULES 16, 22).
fn upstream_acr_values(connection: &Connection, wanted: &[String]) -> Vec<String> {
    let named = connection.acr_values.iter().filter(|(_, ours)| wanted.contains(ours));
    named.map(|(upstream, _)| upstream.clone()).collect()
}
