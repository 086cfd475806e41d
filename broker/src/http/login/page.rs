//! `/login`: the identifier-first page, the choice, and their one form.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Query};
use actix_web::{HttpRequest, HttpResponse};

use super::fields::{Pairs, take, transaction};
use super::{answer, browser, form};
use crate::app::App;
use crate::http::oauth as reply;
use crate::http::pages::{self, AccountPage, Choice, ChoicePage, FieldProblem, Hidden, LoginPage};
use crate::login::begin::{self, Account, Next, PageModel, Problem};
use crate::login::{Browser, ErrorPage};
use crate::oauth::silent::{self, GoOnError};

pub(super) async fn show(
    app: Data<App>,
    request: HttpRequest,
    query: Query<Pairs>,
) -> HttpResponse {
    let browser = browser::of(&request, &app.config);
    let transaction = transaction(query.into_inner());
    match begin::page(&app, &browser, &transaction).await {
        Ok(page) => render(&app, &browser, &page),
        Err(page) => answer::error_page(&app, &page).await,
    }
}

/// The identifier form sends `email`, the choice sends `connection`; both their hidden fields.
pub(super) async fn submit(
    app: Data<App>,
    request: HttpRequest,
    form: Form<Pairs>,
) -> HttpResponse {
    let browser = browser::of(&request, &app.config);
    let fields = Fields::read(form.into_inner());
    let fields = match form::checked((&app, &request, &browser), fields, Fields::hidden) {
        Ok(fields) => fields,
        Err(failure) => return form::refuse(&app, &browser, failure).await,
    };
    let next = match &fields.account {
        Some(account) => return account_chosen(&app, &browser, &fields, account).await,
        None => forward(&app, &browser, &fields).await,
    };
    shown(&app, &browser, next).await
}

/// The user goes on with the account that the browser is signed in with, or takes another.
async fn account_chosen(
    app: &App,
    browser: &Browser,
    fields: &Fields,
    account: &str,
) -> HttpResponse {
    let transaction = &fields.transaction;
    if account == "current" {
        match silent::go_on(app, browser, transaction, app.now()).await {
            Ok(Some(answered)) => return reply::answered(app, &answered),
            Ok(None) => {}
            Err(GoOnError::Login(error)) => return reply::login_error(app, &error).await,
            Err(GoOnError::Trouble(trouble)) => return reply::trouble_page(&trouble),
        }
    }
    shown(app, browser, begin::use_another_account(app, browser, transaction).await).await
}

async fn forward(app: &App, browser: &Browser, fields: &Fields) -> Result<Next, Box<ErrorPage>> {
    match &fields.connection {
        Some(connection) => {
            let begun = begin::choose(app, browser, &fields.transaction, connection).await;
            begun.map(Next::Upstream)
        }
        None => begin::identify(app, browser, &fields.transaction, fields.email.trim()).await,
    }
}

async fn shown(app: &App, browser: &Browser, next: Result<Next, Box<ErrorPage>>) -> HttpResponse {
    match next {
        Ok(Next::Upstream(begun)) => answer::upstream(begun),
        Ok(Next::Page(page)) => render(app, browser, &page),
        Err(page) => answer::error_page(app, &page).await,
    }
}

struct Fields {
    transaction: String,
    token: String,
    email: String,
    connection: Option<String>,
    account: Option<String>,
}

impl Fields {
    fn hidden(&self) -> (&str, &str) {
        (&self.transaction, &self.token)
    }

    /// `None` where a field was sent twice.
    fn read(mut form: Pairs) -> Option<Self> {
        Some(Self {
            transaction: take(&mut form, "transaction").ok()?.unwrap_or_default(),
            token: take(&mut form, "token").ok()?.unwrap_or_default(),
            email: take(&mut form, "email").ok()?.unwrap_or_default(),
            connection: take(&mut form, "connection").ok()?,
            account: take(&mut form, "account").ok()?,
        })
    }
}

/// Always 200: an address that leads nowhere can be tried again (DESIGN §3.4).
fn render(app: &App, browser: &Browser, page: &PageModel) -> HttpResponse {
    let token = answer::token(browser, &page.transaction);
    let hidden = Hidden { transaction: &page.transaction, token: &token };
    let sources = answer::form_sources(app, page.redirect_uri.as_deref());
    let email = page.email.as_deref().unwrap_or_default();
    let client_name = &page.client_name;
    if let Some(Account { name, email }) = &page.account {
        let email = email.as_deref().unwrap_or_default();
        let template = AccountPage { client_name, hidden, name, email };
        return pages::page_with_form_to(StatusCode::OK, &template, &sources);
    }
    if page.choices.is_empty() {
        let problem = page.problem.map(words);
        let offer = page.offer.as_ref();
        let offer = offer.map(|c| Choice { name: c.name.as_str(), display_name: &c.display_name });
        let template = LoginPage { client_name, hidden, email, problem, offer };
        return pages::page_with_form_to(StatusCode::OK, &template, &sources);
    }
    let choice = |c: &'_ std::sync::Arc<crate::catalog::Connection>| {
        (c.name.to_string(), c.display_name.clone())
    };
    let named: Vec<_> = page.choices.iter().map(choice).collect();
    let choices: Vec<_> =
        named.iter().map(|(name, display_name)| Choice { name, display_name }).collect();
    let template = ChoicePage { client_name, hidden, email, choices: &choices };
    pages::page_with_form_to(StatusCode::OK, &template, &sources)
}

const fn words(problem: Problem) -> FieldProblem<'static> {
    match problem {
        Problem::NotAnAddress => FieldProblem {
            text: "Enter your work e-mail address, such as name@company.com.",
            advice: "",
        },
        Problem::UnknownDomain => FieldProblem {
            text: "We do not know a company sign-in for this e-mail domain.",
            advice: "If the address is right, ask your IT team how to sign in to this app.",
        },
    }
}
