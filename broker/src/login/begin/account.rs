//! Going on with the account that the browser is signed in with, or with another.

use super::{Next, Started, Step, decide_for, go, offer, opened, own, page_model, question};
use crate::app::App;
use crate::catalog::EmailAddress;
use crate::ids;
use crate::login::error::{ErrorPage, LoginError};
use crate::login::failure::Failure;
use crate::login::home_realm::Decision;
use crate::login::request::{AuthorizationRequest, Prompt};
use crate::login::trace::Trail;
use crate::login::transaction::{Browser, Stage, TransactionError, Transactions};

/// Asks on our page whether to go on with the account that this browser is signed in with, or with another, which is then
/// chosen upstream too.
///
/// # Errors
/// [`LoginError`]: a page.
pub async fn ask_for_account(
    app: &App,
    browser: &Browser,
    mut request: AuthorizationRequest,
) -> Result<Started, LoginError> {
    if !request.selects_account() {
        request.prompt.push(Prompt::SelectAccount);
    }
    let mut trail = Trail::at(browser.address());
    trail.concerns(&request);
    let transaction = ids::transaction(app.random.as_ref());
    let stage = Stage::Account { email: request.login_hint.clone() };
    match opened(app, browser, transaction, request, (stage, Step::Page)).await {
        Ok(started) => Ok(started),
        Err(failure) => Err(trail.failed(app, failure).await.into()),
    }
}

/// The user wants another account than the one that the browser is signed in with.
///
/// # Errors
/// An [`ErrorPage`].
pub async fn use_another_account(
    app: &App,
    browser: &Browser,
    transaction: &str,
) -> Result<Next, Box<ErrorPage>> {
    let mut trail = Trail::at(browser.address());
    match try_another_account(app, browser, transaction, &mut trail).await {
        Ok(next) => Ok(next),
        Err(failure) => Err(trail.failed(app, failure).await.continuing(transaction)),
    }
}

async fn try_another_account(
    app: &App,
    browser: &Browser,
    transaction: &str,
    trail: &mut Trail,
) -> Result<Next, Failure> {
    let found = own(app, browser, transaction, trail).await?;
    let Stage::Account { email } = &found.login().stage else {
        return Err(TransactionError::NotAnswered.into());
    };
    let email = email.clone();
    let hint = email.as_deref().and_then(|hint| EmailAddress::parse(hint).ok());
    let request = &found.login().request;
    match decide_for(app, &request.client_id, question(request, hint.as_ref())).await? {
        Decision::Refused(refusal) => Err(Failure::HomeRealm(refusal)),
        Decision::Connection(connection, reason) => {
            trail.passed("home_realm", Some(reason.as_str().to_owned()));
            go(app, found, &connection, hint, trail).await.map(Next::Upstream)
        }
        Decision::Choose(choices, _) => offer(app, found, email.unwrap_or_default(), choices).await,
        Decision::Ask(_) | Decision::Suggest(..) => {
            let choices = Vec::new();
            let stage = Stage::Asked { email: None, choices, unknown_domain: false, offer: None };
            let page = page_model(app, &found, None, None, Vec::new()).await?;
            let attempt = found.login().attempt;
            Transactions::new(&app.records, app.now()).show_or_send(found, stage, attempt).await?;
            Ok(Next::Page(Box::new(page)))
        }
    }
}
