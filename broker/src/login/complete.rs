//! The second half of a login: bind the parked answer to its browser, then find out who it is and whether they may (RULES 3).

use homerealm_connectors::assertion::AssertionParts;
use homerealm_connectors::connector::{Expected, UpstreamAnswer};
use homerealm_connectors::error::ConnectorError;

use super::claims::{self, ClaimRefusal, Normalized};
use super::completed::CompletedLogin;
use super::email;
use super::ending::Ending;
use super::error::LoginError;
use super::failure::{Barred, Failure};
use super::receive::{Against, Held, verify};
use super::replay::Marker;
use super::request::AuthorizationRequest;
use super::session::UpstreamSession;
use super::standing::{self, Standing};
use super::trace::{Proof, Trail};
use super::transaction::{
    Browser, LoginTransaction, ParkedAnswer, Stage, TransactionError, Transactions,
};
use super::users;
use crate::app::App;
use crate::catalog::{EmailAddress, ForeignDomains, NormalizedClaims, TraceOutcome};

/// Finishes the login of a transaction, once, for its own browser.
///
/// # Errors
/// [`LoginError`]: a page; or an error for the client: `access_denied` where the user said no at the IdP, `login_required`
/// where it is another user than the client named.
pub async fn finish(
    app: &App,
    browser: &Browser,
    transaction: &str,
) -> Result<CompletedLogin, LoginError> {
    let mut trail = Trail::at(browser.address());
    let taken = take(app, browser, transaction, &mut trail).await;
    let login = match taken {
        Ok(login) => login,
        Err(failure) => return Err(trail.failed(app, failure).await.into()),
    };
    let request = login.request.clone();
    match complete(app, transaction, login, &mut trail).await {
        Ok(mut completed) => {
            trail.user_id = Some(completed.user.id.clone());
            if !is_expected(&request, &completed) {
                trail.refused(app, TraceOutcome::Denied, "hinted_user_other", None).await;
                return Err(LoginError::other_user(request));
            }
            completed.trail = trail;
            Ok(completed)
        }
        Err(Failure::Connector(ConnectorError::Denied { .. })) => {
            trail.denied(app).await;
            Err(LoginError::access_denied(request))
        }
        Err(failure) => Err(trail.failed(app, failure).await.into()),
    }
}

/// OIDC Core §3.1.2.2: the user whom `id_token_hint` names, or nobody.
fn is_expected(request: &AuthorizationRequest, completed: &CompletedLogin) -> bool {
    request.hinted_user.as_ref().is_none_or(|expected| *expected == completed.user.id)
}

async fn take(
    app: &App,
    browser: &Browser,
    transaction: &str,
    trail: &mut Trail,
) -> Result<LoginTransaction, Failure> {
    let logins = Transactions::new(&app.records, app.now());
    let picked_up = logins.pick_up(transaction, browser).await?;
    trail.concerns(&picked_up.login().request);
    trail.proof = Proof::Login(transaction.to_owned());
    let login = logins.finish(picked_up, browser).await?;
    trail.passed("login_cookie", None);
    Ok(login)
}

async fn complete(
    app: &App,
    transaction: &str,
    login: LoginTransaction,
    trail: &mut Trail,
) -> Result<CompletedLogin, Failure> {
    let taken = LoginTransaction { stage: Stage::Completed, ..login.clone() };
    let LoginTransaction { request, stage, .. } = login;
    let (connection, answer) = match stage {
        Stage::Parked { connection, answer, mut checks } => {
            checks.append(&mut trail.checks);
            trail.checks = checks;
            if matches!(answer, ParkedAnswer::Password { .. } | ParkedAnswer::Saml { .. }) {
                trail.proof = Proof::Statement;
            }
            (connection, answer)
        }
        Stage::Pending { connection, denied: true, .. } => {
            trail.connection = Some(connection);
            standing::answerable(app, &request).await?;
            let error = "access_denied".to_owned();
            return Err(ConnectorError::Denied { error, description: None }.into());
        }
        Stage::Account { .. } | Stage::Asked { .. } | Stage::Pending { .. } | Stage::Completed => {
            return Err(TransactionError::NotAnswered.into());
        }
    };
    trail.connection = Some(connection.clone());
    standing::answerable(app, &request).await?;
    let standing = standing::at_the_end(app, &request.client_id, &connection).await?;
    let (parts, forced_at) = statement(app, &request, &standing, answer, trail).await?;
    let marker = Marker::of(&standing.connection, &parts.replay);
    let ending = Ending { transaction: transaction.to_owned(), login: taken, marker };
    let mut normalized =
        claims::normalize(&standing.connection, standing.organization.as_deref(), &parts)
            .map_err(Failure::Claims)?;
    leave_others_domains(app, &standing, &mut normalized.claims).await?;
    trail.passed("claims", None);
    let signed_in = users::sign_in(app, &request, &standing, &parts, &normalized).await?;
    for (code, what) in signed_in.notes {
        trail.passed(code, Some(what));
    }
    if signed_in.user.blocked {
        trail.user_id = Some(signed_in.user.id.clone());
        return Err(Failure::Barred(Barred::User));
    }
    let Normalized { acr, amr, .. } = normalized;
    Ok(CompletedLogin {
        ending,
        request,
        user: signed_in.user,
        connection,
        organization: signed_in.organization,
        auth_time: parts.auth_time.or(forced_at),
        acr,
        amr,
        claims: signed_in.claims,
        upstream: UpstreamSession {
            issuer: parts.issuer,
            subject: parts.subject,
            session_index: parts.session_index,
            ends_at: parts.session_not_on_or_after,
        },
        trail: Trail::default(),
    })
}

/// An address in a domain that another organization holds is foreign to this one's connections, whatever patterns of their
/// own it matches: a wildcard ends where somebody else holds a name below it (RULES 20, 25; THREATS X2).
async fn leave_others_domains(
    app: &App,
    standing: &Standing,
    claims: &mut NormalizedClaims,
) -> Result<(), Failure> {
    let Some(owner) = standing.organization.as_deref() else { return Ok(()) };
    let address = claims.email.as_deref().and_then(|email| EmailAddress::parse(email).ok());
    let Some(address) = address else { return Ok(()) };
    let holder = app.catalog.organization_holding(address.domain()).await?;
    if holder.is_none_or(|holder| holder.name == owner.name) {
        return Ok(());
    }
    match standing.connection.foreign_domains() {
        ForeignDomains::OmitEmail => {
            (claims.email, claims.email_verified) = (None, None);
            Ok(())
        }
        ForeignDomains::Refuse => {
            let refusal = email::foreign(&standing.connection, Some(owner), address.domain());
            Err(Failure::Claims(ClaimRefusal::Email(refusal)))
        }
    }
}

/// The verified statement; a code is redeemed only now, behind the cookie check (RULES 4).
async fn statement(
    app: &App,
    request: &AuthorizationRequest,
    standing: &Standing,
    answer: ParkedAnswer,
    trail: &mut Trail,
) -> Result<(AssertionParts, Option<chrono::DateTime<chrono::Utc>>), Failure> {
    match answer {
        ParkedAnswer::Password { parts } | ParkedAnswer::Saml { parts } => Ok((*parts, None)),
        ParkedAnswer::Code { code, iss, expected } => {
            let held = Held { expected: &expected, max_age: request.max_age };
            let answer = UpstreamAnswer::Code { code, iss };
            let verified =
                verify(app, &standing.connection, Against::Login(held), answer, trail).await?;
            trail.proof = Proof::Statement;
            Ok((verified.into_parts(), forced_at(&expected)))
        }
    }
}

/// RULES 18: where the IdP does not say when the user authenticated, a forced login was no earlier than its request.
fn forced_at(expected: &Expected) -> Option<chrono::DateTime<chrono::Utc>> {
    match expected {
        Expected::OAuth2 { force_login: true, sent_at, .. }
        | Expected::Oidc { force_login: true, sent_at, .. }
        | Expected::Saml { force_login: true, sent_at, .. } => Some(*sent_at),
        Expected::OAuth2 { .. }
        | Expected::Oidc { .. }
        | Expected::Password { .. }
        | Expected::Saml { .. } => None,
    }
}
