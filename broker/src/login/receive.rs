//! The IdP's answer arrives: verified where that needs no browser, parked, and bound to its browser afterwards (RULES 2-4).

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use homerealm_connectors::assertion::VerifiedAssertion;
use homerealm_connectors::check::Checks;
use homerealm_connectors::connector::{Completion, Expected, OnceGuard, UpstreamAnswer};
use homerealm_connectors::error::{ConnectorError, StoreUnavailable};
use homerealm_connectors::saml::SamlResponse;
use url::Url;

use super::error::ErrorPage;
use super::failure::Failure;
use super::home_realm::Refusal;
use super::replay::Marker;
use super::trace::{Proof, Trail};
use super::transaction::{
    Browser, Found, ParkedAnswer, TransactionError, Transactions, UpstreamHandle,
};
use super::{epoch, initiated, urls};
use crate::app::App;
use crate::catalog::{Connection, ConnectionOptions};

/// What the ACS was posted (SAML Bindings §3.5).
#[derive(Clone, Debug, Default)]
pub struct SamlForm {
    /// Base64 of the response.
    pub response: Option<String>,
    /// Our handle, if the IdP kept it.
    pub relay_state: Option<String>,
    /// Where the browser is.
    pub address: Option<IpAddr>,
}

/// An authorization response (RFC 6749 §4.1.2, RFC 9207), from the query or from a form.
#[derive(Clone, Default)]
pub struct OidcCallback {
    /// `code`.
    pub code: Option<String>,
    /// `error`.
    pub error: Option<String>,
    /// `error_description`.
    pub error_description: Option<String>,
    /// `iss`.
    pub iss: Option<String>,
    /// `state`.
    pub state: Option<String>,
    /// Where the browser is.
    pub address: Option<IpAddr>,
}

/// Where the browser goes after an answer.
#[derive(Debug)]
pub enum Received {
    /// To `/login/continue` with this transaction.
    Continue(String),
    /// The IdP started the login itself: to the client's own start of a login (OIDC Core §4).
    StartAt(Url),
}

/// The ACS: takes a SAML response for the connection of the path.
///
/// # Errors
/// An [`ErrorPage`]; the login transaction is as it was.
pub async fn saml(app: &App, connection: &str, form: SamlForm) -> Result<Received, Box<ErrorPage>> {
    let mut trail = Trail::at(form.address);
    let mut handle = None;
    match try_saml(app, connection, form, &mut trail, &mut handle).await {
        Ok(received) => Ok(received),
        Err(failure) => {
            let page = trail.failed(app, failure).await;
            Err(page.continuing(handle.as_deref().unwrap_or_default()))
        }
    }
}

async fn try_saml(
    app: &App,
    path: &str,
    form: SamlForm,
    trail: &mut Trail,
    handle: &mut Option<String>,
) -> Result<Received, Failure> {
    let connection = of_path(app, path, trail).await?;
    let ConnectionOptions::Saml(options) = &connection.options else {
        return Err(Failure::HomeRealm(Refusal::UnknownConnection));
    };
    let mut response = SamlResponse::new(form.response.ok_or(Failure::ResponseMissing)?);
    let named = form.relay_state.as_deref().and_then(UpstreamHandle::parse).or_else(|| {
        let id = response.unverified_in_response_to(options.largest_response())?;
        UpstreamHandle::from_request_id(id)
    });
    let answer = UpstreamAnswer::Saml { response };
    let Some(named) = named else {
        let began = app.records.store().epoch().await?;
        let verified = verify(app, &connection, Against::Epoch(began), answer, trail).await?;
        first_use(app, &Marker::of(&connection, verified.replay()), trail).await?;
        epoch::still_stands(app.records.store(), began).await?;
        return initiated::restart(app, &connection, trail).await.map(Received::StartAt);
    };
    *handle = Some(named.handle.clone());
    let found = awaiting(app, &connection, &named, trail).await?;
    let expected = found.awaits(&connection.name, named.attempt)?.clone();
    let held = Held { expected: &expected, max_age: found.login().request.max_age };
    match verify(app, &connection, Against::Login(held), answer, trail).await {
        Ok(verified) => {
            let parts = Box::new(verified.into_parts());
            let answer = ParkedAnswer::Saml { parts };
            let checks = std::mem::take(&mut trail.checks);
            let logins = Transactions::new(&app.records, app.now());
            logins.park(found, connection.name.clone(), answer, checks).await?;
        }
        Err(Failure::Connector(ConnectorError::Denied { .. })) => {
            Transactions::new(&app.records, app.now()).note_denial(found).await?;
        }
        Err(failure) => return Err(failure),
    }
    Ok(Received::Continue(named.handle))
}

/// The callback: takes an authorization response for the connection of the path. By GET the browser is known: its cookie
/// is checked at once; by POST (`form_post`) it is not, so nothing is redeemed before `/login/continue`.
///
/// # Errors
/// An [`ErrorPage`]; the login transaction is as it was.
pub async fn oidc(
    app: &App,
    connection: &str,
    callback: OidcCallback,
    browser: Option<&Browser>,
) -> Result<Received, Box<ErrorPage>> {
    let mut trail = Trail::at(callback.address);
    let handle = callback.state.as_deref().and_then(UpstreamHandle::parse).map(|h| h.handle);
    match try_oidc(app, connection, callback, browser, &mut trail).await {
        Ok(received) => Ok(received),
        Err(failure) => {
            let page = trail.failed(app, failure).await;
            Err(page.continuing(handle.as_deref().unwrap_or_default()))
        }
    }
}

async fn try_oidc(
    app: &App,
    path: &str,
    callback: OidcCallback,
    browser: Option<&Browser>,
    trail: &mut Trail,
) -> Result<Received, Failure> {
    let connection = of_path(app, path, trail).await?;
    if !matches!(connection.options, ConnectionOptions::OAuth2(_) | ConnectionOptions::Oidc(_)) {
        return Err(Failure::HomeRealm(Refusal::UnknownConnection));
    }
    let state = callback.state.as_deref().ok_or(Failure::CallbackMalformed)?;
    let named = UpstreamHandle::parse(state).ok_or(TransactionError::Expired)?;
    let found = awaiting(app, &connection, &named, trail).await?;
    if let Some(browser) = browser {
        found.login().belongs_to(browser)?;
    }
    let expected = found.awaits(&connection.name, named.attempt)?.clone();
    let logins = Transactions::new(&app.records, app.now());
    match (callback.code, callback.error) {
        (Some(code), None) => {
            let answer = ParkedAnswer::Code { code, iss: callback.iss, expected };
            let checks = std::mem::take(&mut trail.checks);
            logins.park(found, connection.name.clone(), answer, checks).await?;
        }
        (None, Some(error)) if error == "access_denied" => logins.note_denial(found).await?,
        (None, Some(error)) => {
            let description = callback.error_description;
            return Err(ConnectorError::UpstreamError { code: word(&error), description }.into());
        }
        (Some(_), Some(_)) | (None, None) => return Err(Failure::CallbackMalformed),
    }
    Ok(Received::Continue(named.handle))
}

/// An error code as the trace shows it: RFC 6749 §4.1.2.1 allows printable ASCII only.
fn word(error: &str) -> String {
    error.chars().filter(|c| matches!(c, ' '..='~')).take(100).collect()
}

/// The connection of the path, by its name alone.
async fn of_path(app: &App, path: &str, trail: &mut Trail) -> Result<Arc<Connection>, Failure> {
    let found = app.catalog.get::<Connection>(path).await?.map(|found| found.object);
    let connection = found.filter(|c| c.name.as_str() == path);
    let connection = connection.ok_or(Failure::HomeRealm(Refusal::UnknownConnection))?;
    trail.connection = Some(connection.name.clone());
    Ok(connection)
}

/// Finds the pending login that an answer names, and checks that it waits for this connection.
async fn awaiting(
    app: &App,
    connection: &Connection,
    named: &UpstreamHandle,
    trail: &mut Trail,
) -> Result<Found, Failure> {
    let found = Transactions::new(&app.records, app.now()).find(&named.handle).await?;
    trail.concerns(&found.login().request);
    trail.proof = Proof::Login(named.handle.clone());
    found.awaits(&connection.name, named.attempt)?;
    trail.passed("login_pending", None);
    Ok(found)
}

/// An unsolicited response is marked as used before it leads anywhere.
async fn first_use(app: &App, marker: &Marker, trail: &mut Trail) -> Result<(), Failure> {
    let mut batch = app.records.batch(app.now());
    let first = marker.set(&mut batch);
    if !batch.run().await?.of(first)? {
        return Err(marker.replayed());
    }
    trail.proof = Proof::Statement;
    trail.passed("first_use", None);
    Ok(())
}

/// What an answer is held against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held<'a> {
    pub(super) expected: &'a Expected,
    pub(super) max_age: Option<i64>,
}

/// What makes an answer current.
#[derive(Clone, Copy, Debug)]
pub(super) enum Against<'a> {
    /// Nobody asked: it must be younger than the session store (RULES 32).
    Epoch(DateTime<Utc>),
    /// The login that waits for it is younger than the store: the epoch decides nothing and needs no round trip (RULES 40).
    Login(Held<'a>),
}

impl<'a> Against<'a> {
    const fn held(self) -> Option<Held<'a>> {
        match self {
            Self::Epoch(_) => None,
            Self::Login(held) => Some(held),
        }
    }
}

/// Has the connector verify an answer. That it is used for the first time is the caller's to see to.
pub(super) async fn verify(
    app: &App,
    connection: &Arc<Connection>,
    against: Against<'_>,
    answer: UpstreamAnswer,
    trail: &mut Trail,
) -> Result<VerifiedAssertion, Failure> {
    let connector = app.connector(connection).await?;
    let (now, held) = (app.now(), against.held());
    let guard = Guard {
        app,
        connection: &connection.id,
        request_id: held.and_then(|h| request_id(h.expected)),
        address: trail.address,
        now,
    };
    let mut checks = Checks::default();
    let epoch = match against {
        Against::Epoch(epoch) => epoch,
        Against::Login(_) => now,
    };
    let completion = Completion {
        expected: held.map(|h| h.expected),
        callback: &urls::answer(&app.config.issuer, connection),
        max_age: held.and_then(|h| h.max_age),
        guard: &guard,
        epoch,
        now,
        checks: &mut checks,
    };
    let verified = connector.complete(completion, answer).await;
    trail.checks.extend(checks.into_vec());
    Ok(verified?)
}

/// Kind of a connector's own markers.
const ONCE: &str = "once";

/// A connector's insert-once markers, each within its connection, and the decryptions of one login.
#[derive(Debug)]
struct Guard<'a> {
    app: &'a App,
    connection: &'a str,
    request_id: Option<&'a str>,
    address: Option<IpAddr>,
    now: DateTime<Utc>,
}

fn request_id(expected: &Expected) -> Option<&str> {
    match expected {
        Expected::Saml { request_id, .. } => Some(request_id),
        Expected::OAuth2 { .. } | Expected::Oidc { .. } | Expected::Password { .. } => None,
    }
}

#[async_trait]
impl OnceGuard for Guard<'_> {
    async fn first_use(&self, key: &str, until: DateTime<Utc>) -> Result<bool, StoreUnavailable> {
        let key = format!("{}\n{key}", self.connection);
        self.app.records.first_use(ONCE, &key, until, self.now).await.map_err(|error| {
            tracing::error!(%error, "the session store did not take a marker");
            StoreUnavailable
        })
    }

    fn allows_decryption(&self) -> bool {
        let decryptions = &self.app.decryptions;
        match self.request_id {
            Some(id) => decryptions.allow_answer(id, self.now),
            None => decryptions.allow_unsolicited(self.connection, self.address, self.now),
        }
    }
}

impl std::fmt::Debug for OidcCallback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OidcCallback")
            .field("has_code", &self.code.is_some())
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}
