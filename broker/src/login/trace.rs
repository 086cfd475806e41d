//! The login trace as it grows: every login leaves one, with each check (DESIGN §3.4).

use std::net::IpAddr;

use homerealm_connectors::check::{Check, Outcome};
use serde_json::json;

use super::error::ErrorPage;
use super::failure::Failure;
use crate::app::App;
use crate::catalog::audit::LOGIN;
use crate::catalog::{
    Action, Actor, ActorKind, AuditEntry, AuditObject, Author, CatalogError, LoginTrace, Name,
    TraceOutcome,
};
use crate::ids;

/// What is known of a login so far.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    /// Whose login page it is for.
    pub client_id: Option<String>,
    /// Where the user was sent.
    pub connection: Option<Name>,
    /// Local subject, once it is known.
    pub user_id: Option<String>,
    /// Where the browser is.
    pub address: Option<IpAddr>,
    /// Every check in order.
    pub checks: Vec<Check>,
}

impl Trail {
    /// Of a client's request.
    pub fn of(client_id: &str) -> Self {
        Self { client_id: Some(client_id.to_owned()), ..Self::default() }
    }

    /// Notes a check that passed.
    pub fn passed(&mut self, code: &str, received: Option<String>) {
        let code = code.to_owned();
        let check = Check { code, outcome: Outcome::Passed, expected: None, received, fix: None };
        self.checks.push(check);
    }

    /// The login succeeded.
    pub async fn succeeded(self, app: &App) {
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

    /// A trace that cannot be written does not change how the login ends; the reference then stands in the log alone.
    async fn write(self, app: &App, outcome: TraceOutcome, code: Option<&'static str>) -> String {
        let mut trace = LoginTrace {
            id: ids::id("ltr", app.random.as_ref()),
            reference: ids::reference(app.random.as_ref()),
            at: app.now(),
            outcome,
            code: code.map(str::to_owned),
            connection: self.connection.map(String::from),
            client_id: self.client_id,
            user_id: self.user_id,
            checks: self.checks,
        };
        let entry = audit_entry(app, &trace, self.address);
        let mut written = app.catalog.insert_audited_trace(&trace, entry.as_ref()).await;
        if matches!(written, Err(CatalogError::Conflict { .. })) {
            trace.reference = ids::reference(app.random.as_ref());
            let entry = audit_entry(app, &trace, self.address);
            written = app.catalog.insert_audited_trace(&trace, entry.as_ref()).await;
        }
        if let Err(error) = written {
            tracing::error!(%error, login.reference = trace.reference, "the login trace was not written");
        }
        let word = match outcome {
            TraceOutcome::Denied => "denied",
            TraceOutcome::Failed => "failed",
            TraceOutcome::Succeeded => "succeeded",
        };
        app.metrics.login(word, code);
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
}

/// What the audit log keeps of a login, longer than the trace: who was let in or turned away. A failure that proves nothing
/// leaves its trace only, so that nobody without an assertion can fill the audit log.
fn audit_entry(app: &App, trace: &LoginTrace, address: Option<IpAddr>) -> Option<AuditEntry> {
    let action = match trace.outcome {
        TraceOutcome::Succeeded => Action::SignedIn,
        TraceOutcome::Denied => Action::TurnedAway,
        TraceOutcome::Failed => return None,
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
