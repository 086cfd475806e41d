//! Our sign-in page: what it shows, and what a typed password leads to.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use homerealm_connectors::assertion::{AssertionParts, ReplayKey, Subject};
use serde_json::json;
use zeroize::Zeroizing;

use super::{Admission, Attempts, TooEarly, admission};
use crate::app::App;
use crate::catalog::{
    AccountEmail, Connection, ConnectionOptions, EmailAddress, PasswordAccount, TraceOutcome,
};
use crate::login::access::may_use;
use crate::login::begin::own;
use crate::login::error::ErrorPage;
use crate::login::facts::{Question, gather};
use crate::login::failure::Failure;
use crate::login::home_realm::EmailFact;
use crate::login::standing::{self, Standing};
use crate::login::trace::{Proof, Trail};
use crate::login::transaction::{
    Browser, Found, ParkedAnswer, Stage, TransactionError, Transactions, UpstreamHandle,
};

/// What the sign-in page shows.
#[derive(Clone, Debug)]
pub struct SignInPage {
    /// The transaction and its attempt, as the page's address names them.
    pub handle: String,
    /// The transaction alone, for the page that asks for another address.
    pub transaction: String,
    /// The app's name.
    pub client_name: String,
    /// Where the browser will end, if not with us (RULES 30).
    pub redirect_uri: Option<String>,
    /// What was typed or hinted.
    pub email: Option<String>,
    /// Why it is shown again.
    pub problem: Option<Problem>,
}

/// Why a password did not lead on. An unknown address, a disabled account and a wrong password are one and the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Problem {
    /// The address signs in with a connection that this client may use.
    CompanySignIn,
    /// Address and password do not belong together.
    NotAccepted,
    /// The address is not one.
    NotAnAddress,
    /// Too soon after the last attempt.
    TooEarly(TooEarly),
}

/// What a person typed.
pub struct Typed {
    /// The address.
    pub email: String,
    /// The password.
    pub password: Zeroizing<String>,
}

/// What it leads to.
#[derive(Debug)]
pub enum Submitted {
    /// To `/login/continue` with this transaction.
    Continue(String),
    /// The page again.
    Page(Box<SignInPage>),
}

/// How long what was parked can be marked as used.
const STATEMENT_LIFETIME: TimeDelta = TimeDelta::minutes(5);
/// RFC 8176 §2.
const AMR: &str = "pwd";

/// The sign-in page of a login that waits for a password, for its own browser.
///
/// # Errors
/// An [`ErrorPage`].
pub async fn page(
    app: &App,
    browser: &Browser,
    handle: &str,
) -> Result<SignInPage, Box<ErrorPage>> {
    let mut trail = Trail::at(browser.address());
    match waiting(app, browser, handle, &mut trail).await {
        Ok(waiting) => Ok(waiting.page(None, None)),
        Err(failure) => Err(failed(app, trail, failure, handle).await),
    }
}

/// Compares what was typed. The form is known to be ours.
///
/// # Errors
/// An [`ErrorPage`].
pub async fn submit(
    app: &App,
    browser: &Browser,
    handle: &str,
    typed: Typed,
) -> Result<Submitted, Box<ErrorPage>> {
    let mut trail = Trail::at(browser.address());
    match try_submit(app, browser, handle, typed, &mut trail).await {
        Ok(submitted) => Ok(submitted),
        Err(failure) => Err(failed(app, trail, failure, handle).await),
    }
}

async fn failed(app: &App, trail: Trail, failure: Failure, handle: &str) -> Box<ErrorPage> {
    let transaction = UpstreamHandle::parse(handle).map(|named| named.handle);
    trail.failed(app, failure).await.continuing(&transaction.unwrap_or_default())
}

/// A login that waits for a password.
pub(super) struct Waiting {
    pub(super) named: UpstreamHandle,
    pub(super) found: Found,
    pub(super) standing: Standing,
    email: Option<String>,
}

pub(super) async fn waiting(
    app: &App,
    browser: &Browser,
    handle: &str,
    trail: &mut Trail,
) -> Result<Waiting, Failure> {
    let named = UpstreamHandle::parse(handle).ok_or(TransactionError::Expired)?;
    let found = own(app, browser, &named.handle, trail).await?;
    let (connection, email) = match &found.login().stage {
        Stage::Pending { connection, email, .. } => (connection.clone(), email.clone()),
        Stage::Parked { .. } => return Err(TransactionError::AlreadyReceived.into()),
        Stage::Completed => return Err(TransactionError::Completed.into()),
        Stage::Account { .. } | Stage::Asked { .. } => {
            return Err(TransactionError::Superseded.into());
        }
    };
    found.awaits(&connection, named.attempt)?;
    trail.connection = Some(connection.clone());
    let standing = standing::at_the_end(app, &found.login().request.client_id, &connection).await?;
    if !matches!(standing.connection.options, ConnectionOptions::Password(_)) {
        return Err(TransactionError::OtherConnection.into());
    }
    Ok(Waiting { named, found, standing, email })
}

impl Waiting {
    fn page(&self, typed: Option<&str>, problem: Option<Problem>) -> SignInPage {
        let request = &self.found.login().request;
        let typed = typed.map(|text| text.chars().take(254).collect());
        SignInPage {
            handle: self.named.to_string(),
            transaction: self.named.handle.clone(),
            client_name: self.standing.client.client_name.clone(),
            redirect_uri: request.redirect_uri().map(str::to_owned),
            email: typed.or_else(|| self.email.clone()).or_else(|| request.login_hint.clone()),
            problem,
        }
    }
}

async fn try_submit(
    app: &App,
    browser: &Browser,
    handle: &str,
    typed: Typed,
    trail: &mut Trail,
) -> Result<Submitted, Failure> {
    let waiting = waiting(app, browser, handle, trail).await?;
    let again =
        |problem| Ok(Submitted::Page(Box::new(waiting.page(Some(&typed.email), Some(problem)))));
    let Ok(email) = AccountEmail::try_from(typed.email.clone()) else {
        return again(Problem::NotAnAddress);
    };
    let Standing { connection, organization, .. } = &waiting.standing;
    let admitted = admission(app, connection, organization.as_deref(), &email).await?;
    let company = admitted == Admission::Enterprise && is_company(app, &waiting, &email).await?;
    if company {
        note(app, trail, "password_domain_enterprise").await;
        return again(Problem::CompanySignIn);
    }
    let now = app.now();
    if let Err(too_early) = Attempts::admit(&app.records, connection, &email, now).await? {
        note(app, trail, "password_too_early").await;
        return again(Problem::TooEarly(too_early));
    }
    match compare(app, connection, &email, &typed.password, admitted).await? {
        Ok(account) => {
            Attempts::forgive(&app.records, connection, &email, now).await?;
            trail.passed("password", None);
            park(app, waiting, &account, trail).await.map(Submitted::Continue)
        }
        Err(code) => {
            note(app, trail, code).await;
            again(Problem::NotAccepted)
        }
    }
}

/// Every refusal leaves its trace, which the person does not see: the login goes on.
async fn note(app: &App, trail: &Trail, code: &'static str) {
    trail.clone().refused(app, TraceOutcome::Failed, code, None).await;
}

/// Whether the home realm says to everybody that this client's users of the domain sign in elsewhere: then the page may too.
async fn is_company(app: &App, waiting: &Waiting, email: &AccountEmail) -> Result<bool, Failure> {
    let question = Question { email: Some(email.address()), ..Question::default() };
    let facts = gather(app, Arc::clone(&waiting.standing.client), question).await?;
    let EmailFact::Domain(candidates) = &facts.email else { return Ok(false) };
    let own = &waiting.standing.connection.name;
    Ok(candidates.iter().any(|c| c.connection.name != *own && may_use(&facts.client, c)))
}

/// The account whose password it is. Whatever the reason of a no, the same work is done for it, so that it comes as late; the
/// reason is for the trace.
async fn compare(
    app: &App,
    connection: &Connection,
    email: &AccountEmail,
    password: &str,
    admitted: Admission,
) -> Result<Result<Arc<PasswordAccount>, &'static str>, Failure> {
    let found = app.catalog.password_account_by_email(&connection.name, email).await?;
    let stored = found.as_ref().and_then(|account| account.password.clone());
    let right = app.passwords.matches(password, stored.as_ref()).await?;
    let Some(account) = found else { return Ok(Err("password_account_unknown")) };
    Ok(match admitted {
        Admission::Enterprise => Err("password_domain_enterprise"),
        Admission::Foreign => Err("email_domain_foreign"),
        Admission::Admitted if !right => Err("password_wrong"),
        Admission::Admitted if !account.enabled => Err("password_account_disabled"),
        Admission::Admitted => Ok(account.object),
    })
}

/// Parks the statement for its browser, which shows itself again at `/login/continue`.
async fn park(
    app: &App,
    waiting: Waiting,
    account: &PasswordAccount,
    trail: &mut Trail,
) -> Result<String, Failure> {
    let Waiting { named, found, standing, .. } = waiting;
    let parts = Box::new(statement(app, &named, account));
    let checks = std::mem::take(&mut trail.checks);
    trail.proof = Proof::Login(named.handle.clone());
    Transactions::new(&app.records, app.now())
        .park(found, standing.connection.name.clone(), ParkedAnswer::Password { parts }, checks)
        .await?;
    Ok(named.handle)
}

/// What we say of an account, as an upstream IdP would.
fn statement(app: &App, named: &UpstreamHandle, account: &PasswordAccount) -> AssertionParts {
    let now = app.now();
    let address: &EmailAddress = account.email.address();
    let mut attributes = BTreeMap::from([("email".to_owned(), vec![json!(address.to_string())])]);
    attributes.extend(account.name.iter().map(|name| ("name".to_owned(), vec![json!(name)])));
    AssertionParts {
        issuer: app.config.issuer.as_str().to_owned(),
        subject: Subject::bare(account.id.clone()),
        attributes,
        auth_time: Some(now),
        acr: None,
        amr: vec![AMR.to_owned()],
        session_index: None,
        session_not_on_or_after: None,
        replay: ReplayKey { value: named.to_string(), until: now + STATEMENT_LIFETIME },
        issued_at: now,
        upstream_email_verified: Some(account.email_proven_at.is_some()),
    }
}

impl std::fmt::Debug for Typed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Typed(..)")
    }
}
