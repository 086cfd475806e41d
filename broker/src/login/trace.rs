//! The login trace as it grows: every login leaves one, with each check (DESIGN §3.4).

mod budget;

use std::net::IpAddr;

use homerealm_connectors::check::{Check, Outcome};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use budget::TraceBudget;

use super::error::ErrorPage;
use super::failure::Failure;
use super::request::AuthorizationRequest;
use crate::app::App;
use crate::catalog::audit::LOGIN;
use crate::catalog::{
    Action, Actor, ActorKind, AuditEntry, AuditObject, Author, Behind, CatalogError, EndedLogin,
    LoginTrace, Name, TraceOutcome,
};
use crate::ids;

/// What is known of a login so far.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Trail {
    /// Whose login page it is for.
    pub client_id: Option<String>,
    /// Where the user was sent.
    pub connection: Option<Name>,
    /// Local subject, once it is known.
    pub user_id: Option<String>,
    /// Where the browser is.
    pub address: Option<IpAddr>,
    /// How far it came.
    pub proof: Proof,
    /// Parameters of the request that were ignored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<String>,
    /// Every check in order.
    pub checks: Vec<Check>,
}

/// What a login's end can show for itself: what costs nothing to cause is not traced without bounds.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Proof {
    /// It named no login.
    #[default]
    Nothing,
    /// It belongs to the login with this handle, which somebody has started.
    Login(String),
    /// An identity provider's verified statement, used for the first time.
    Statement,
}

impl Trail {
    /// At this address.
    pub fn at(address: Option<IpAddr>) -> Self {
        Self { address, ..Self::default() }
    }

    /// The login is for this request.
    pub fn concerns(&mut self, request: &AuthorizationRequest) {
        self.client_id = Some(request.client_id.clone());
        self.ignored.clone_from(&request.ignored);
    }

    /// Notes a check that passed.
    pub fn passed(&mut self, code: &str, received: Option<String>) {
        self.checks.push(passed(code, received));
    }

    /// The login succeeded.
    pub async fn succeeded(mut self, app: &App) {
        // what was let in rests on a statement, whenever that was
        self.proof = Proof::Statement;
        self.write(app, TraceOutcome::Succeeded, None).await;
    }

    /// An app got another code from a session that had served it already: traced within the session's share, and not in the
    /// audit log again.
    pub async fn served_again(self, app: &App) {
        self.write(app, TraceOutcome::Succeeded, None).await;
    }

    /// The user said no at the IdP.
    pub async fn denied(self, app: &App) {
        self.write(app, TraceOutcome::Denied, Some("access_denied")).await;
    }

    /// The login ends with a page.
    pub async fn failed(mut self, app: &App, failure: Failure) -> Box<ErrorPage> {
        let code = failure.code();
        let known = |c: &Check| c.outcome == Outcome::Failed && c.code == code;
        if !self.checks.iter().any(known) {
            self.checks.push(failure.check());
        }
        let outcome =
            if failure.status() == 403 { TraceOutcome::Denied } else { TraceOutcome::Failed };
        let client_id = self.client_id.clone();
        let reference = self.write(app, outcome, Some(code)).await;
        Box::new(ErrorPage::new(&failure, reference, client_id))
    }

    /// Something was refused outside a login: the request before it began, or consent after it; answers with the reference.
    pub async fn refused(
        mut self,
        app: &App,
        outcome: TraceOutcome,
        code: &'static str,
        expected: Option<String>,
    ) -> String {
        self.checks.push(Check {
            code: code.to_owned(),
            outcome: Outcome::Failed,
            expected,
            received: None,
            fix: None,
        });
        self.write(app, outcome, Some(code)).await
    }

    /// What a finished login gave was used by somebody who should not have it. Only what we gave can lead here; `proof` is
    /// the statement the first time only.
    pub async fn reused(mut self, app: &App, code: &'static str, proof: Proof) {
        self.proof = proof;
        self.refused(app, TraceOutcome::Denied, code, None).await;
    }

    /// Something after a finished login that is allowed, but worth a look; the audit log has the login already.
    pub async fn noted(mut self, app: &App, code: &'static str) {
        self.passed(code, None);
        let mut trace = self.into_trace(app, TraceOutcome::Succeeded, None);
        insert(app, &mut trace, Behind::Login, None).await;
    }

    async fn write(self, app: &App, outcome: TraceOutcome, code: Option<&'static str>) -> String {
        app.metrics.login(word(outcome), code);
        let proof = self.proof.clone();
        let address = self.address;
        let mut trace = self.into_trace(app, outcome, code);
        if !app.traces.allows(&proof, address, trace.at) {
            app.metrics.trace_left_out();
            tracing::debug!(login.reference = trace.reference, "a login trace was left out");
            return trace.reference;
        }
        insert(app, &mut trace, proof.behind(), address).await;
        tracing::info!(
            login.reference = trace.reference,
            outcome = ?trace.outcome,
            rejection.code = trace.code.as_deref().unwrap_or("none"),
            connection.name = trace.connection.as_deref().unwrap_or("none"),
            client.id = trace.client_id.as_deref().unwrap_or("none"),
            "login"
        );
        trace.reference
    }

    fn into_trace(
        mut self,
        app: &App,
        outcome: TraceOutcome,
        code: Option<&'static str>,
    ) -> LoginTrace {
        if !self.ignored.is_empty() {
            let names = self.ignored.join(" ");
            self.checks.insert(0, passed("parameters_ignored", Some(names)));
        }
        LoginTrace {
            id: ids::id("ltr", app.random.as_ref()),
            reference: ids::reference(app.random.as_ref()),
            at: app.now(),
            outcome,
            code: code.map(str::to_owned),
            connection: self.connection.map(String::from),
            client_id: self.client_id,
            user_id: self.user_id,
            checks: self.checks,
        }
    }
}

fn passed(code: &str, received: Option<String>) -> Check {
    let code = code.to_owned();
    Check { code, outcome: Outcome::Passed, expected: None, received, fix: None }
}

impl Proof {
    const fn behind(&self) -> Behind {
        match self {
            Self::Nothing => Behind::Nothing,
            Self::Login(_) => Behind::Login,
            Self::Statement => Behind::Statement,
        }
    }
}

/// A trace that cannot be written does not change how the login ends; the reference then stands in the log alone.
async fn insert(app: &App, trace: &mut LoginTrace, behind: Behind, address: Option<IpAddr>) {
    let ended = |trace: &LoginTrace| EndedLogin {
        trace: trace.clone(),
        entry: audit_entry(app, trace, behind, address),
        behind,
    };
    let mut written = app.catalog.record_end(ended(trace)).await;
    if matches!(written, Err(CatalogError::Conflict { .. })) {
        trace.reference = ids::reference(app.random.as_ref());
        written = app.catalog.record_end(ended(trace)).await;
    }
    if let Err(error) = written {
        tracing::error!(%error, login.reference = trace.reference, "the login trace was not written");
    }
}

const fn word(outcome: TraceOutcome) -> &'static str {
    match outcome {
        TraceOutcome::Denied => "denied",
        TraceOutcome::Failed => "failed",
        TraceOutcome::Succeeded => "succeeded",
    }
}

/// What the audit log keeps of a login, longer than the trace: who was let in or turned away. What ends without a verified
/// statement leaves its trace only, so that nobody without one can fill the audit log.
fn audit_entry(
    app: &App,
    trace: &LoginTrace,
    behind: Behind,
    address: Option<IpAddr>,
) -> Option<AuditEntry> {
    let action = match (trace.outcome, behind) {
        (TraceOutcome::Succeeded, Behind::Statement) => Action::SignedIn,
        (TraceOutcome::Denied, Behind::Statement) => Action::TurnedAway,
        (TraceOutcome::Denied | TraceOutcome::Succeeded, Behind::Login | Behind::Nothing)
        | (TraceOutcome::Failed, _) => return None,
    };
    let name = trace.user_id.clone().unwrap_or_else(|| "unknown".to_owned());
    let author = Author {
        id: ids::id("aud", app.random.as_ref()),
        actor: Actor::new(ActorKind::User, name),
        address,
        at: trace.at,
    };
    let object =
        AuditObject { kind: LOGIN.to_owned(), id: trace.id.clone(), name: trace.reference.clone() };
    let after = json!({
        "client_id": trace.client_id, "connection": trace.connection, "code": trace.code,
    });
    Some(author.entry(action, object, None, Some(after)))
}
