//! `GET|POST /consents`: the apps that a user allowed, and taking it back.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::logout::name_of;
use super::own_page::{signed_in, submitted};
use super::reply;
use crate::app::App;
use crate::catalog::{CatalogError, Client, Consent, Organization};
use crate::http::login::answer::see_other;
use crate::http::login::browser;
use crate::http::pages;
use crate::login::ApiAccess;
use crate::login::session::SsoSession;
use crate::oauth::consent::{
    Allowed, AskedApi, allowed, described, organization_name, plain_words,
};
use crate::oauth::error::Trouble;
use crate::oauth::logout::By;

#[derive(Template)]
#[template(path = "consents.html")]
struct ConsentsPage<'a> {
    name: &'a str,
    token: &'a str,
    apps: &'a [Shown],
}

struct Shown {
    client_id: String,
    client_name: String,
    organization: String,
    /// Whose user they were when they allowed it; empty where nobody's.
    company: String,
    permissions: Vec<String>,
    apis: Vec<AskedApi>,
    since: String,
    since_words: String,
}

/// What the form of the page is bound to, beside the session.
const FORM: &str = "consents";

pub(super) async fn show(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let own = browser::of(&request, &app.config);
    let (session, cookie) = match signed_in(&app, &own).await {
        Ok(found) => found,
        Err(page) => return page,
    };
    match list(&app, &session).await {
        Ok(apps) => {
            let token = cookie.form_token(FORM);
            let page = ConsentsPage { name: name_of(&session), token: &token, apps: &apps };
            pages::page(StatusCode::OK, &page)
        }
        Err(trouble) => reply::trouble_page(&trouble),
    }
}

/// `withdraw` is a client's id. What is not allowed any more is withdrawn already.
pub(super) async fn withdraw(
    app: web::Data<App>,
    request: HttpRequest,
    body: String,
) -> HttpResponse {
    let own = browser::of(&request, &app.config);
    let (session, params) = match submitted(&app, &request, &own, (FORM, &body)).await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let by = By::user(&session.user_id, own.address());
    let audited = app.catalog.audited(by.author(&app, app.now()));
    let client_id = params.get("withdraw").unwrap_or_default();
    match audited.withdraw_consent(&session.user_id, client_id).await {
        Ok(()) | Err(CatalogError::NotFound) => {
            see_other(app.config.issuer.url("/consents").as_str())
        }
        Err(error) => reply::trouble_page(&error.into()),
    }
}

/// The latest first.
async fn list(app: &App, session: &SsoSession) -> Result<Vec<Shown>, Trouble> {
    let mut consents = app.catalog.consents_of(&session.user_id).await?;
    consents.sort_by_key(|consent| std::cmp::Reverse(consent.since));
    let mut all = Vec::with_capacity(consents.len());
    for consent in &consents {
        // nobody can use what a client that is gone was allowed
        if let Some(client) = app.catalog.get::<Client>(&consent.client_id).await? {
            for (signed_in_to, allowed) in allowed(&consent.scopes) {
                all.push(shown(app, (consent, &client), signed_in_to, allowed).await?);
            }
        }
    }
    Ok(all)
}

async fn shown(
    app: &App,
    (consent, client): (&Consent, &Client),
    signed_in_to: Option<&str>,
    allowed: Allowed<'_>,
) -> Result<Shown, Trouble> {
    let company = match signed_in_to {
        Some(name) => app.catalog.get::<Organization>(name).await?,
        None => None,
    };
    let mut apis = Vec::with_capacity(allowed.apis.len());
    for (audience, scopes) in allowed.apis {
        let scopes = scopes.into_iter().map(str::to_owned).collect();
        apis.push(described(app, &ApiAccess { audience: audience.to_owned(), scopes }).await?);
    }
    Ok(Shown {
        client_id: consent.client_id.clone(),
        client_name: client.client_name.clone(),
        organization: organization_name(app, client).await?,
        company: company.map_or_else(String::new, |company| company.display_name.clone()),
        permissions: allowed.scopes.into_iter().map(plain_words).collect(),
        apis,
        since: consent.since.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        since_words: consent.since.format("%-d %B %Y, %H:%M UTC").to_string(),
    })
}
