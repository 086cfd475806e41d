//! `/authorize`: from the parameters to a validated request, one check after the other (RFC 6749 §4.1.1, OIDC Core §3.1.2.1).

mod parameters;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use parameters::ignored;
use parameters::{
    asks_for_a_code, code_challenge, dpop_jkt, max_age, no_request_object, nothing_is_oversized,
    nothing_is_repeated, prompt, response_mode,
};

use super::answer::{Answer, WayBack};
use super::client_authentication::{is_enabled, registered};
use super::error::Trouble;
use super::params::Params;
use super::scope::AskedScopes;
use super::target::{self, TargetError};
use super::{id_token_hint, origins, par};
use crate::app::App;
use crate::catalog::{Catalog, Client};
use crate::login::{Access, AnswerTo, AuthorizationRequest, ResponseMode, WayThere};

/// Not a valid request.
#[derive(Debug)]
pub enum AuthorizeError {
    /// The client is told, through the browser; and the trace.
    Answer(Answer, Box<Refusal>),
    /// The user is told, on our page.
    Page(Box<Refusal>),
    /// Ours to mend.
    Trouble(Trouble),
}

/// What our page says, or the trace alone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// Stable code, for the trace.
    pub code: &'static str,
    /// For the app's developers, in the trace.
    pub detail: String,
    /// The client, where it is known.
    pub client_id: Option<String>,
    /// A way back to the app, where it is a safe one.
    pub link: Option<ClientLink>,
}

/// A visible link to the client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientLink {
    /// The client's name.
    pub name: String,
    /// Where it leads.
    pub url: String,
}

/// What is wrong with a request whose client and redirect URI are known.
#[derive(Debug)]
pub(super) enum Fault {
    Refused { error: &'static str, description: String },
    Trouble(Trouble),
}

/// Checks the parameters of a request.
///
/// # Errors
/// A page as long as client and redirect URI are not known to be good (RFC 6749 §4.1.2.1); after that the client's answer,
/// or a page with a link for third-party clients (RULES 28).
pub async fn validate(app: &App, params: &Params) -> Result<AuthorizationRequest, AuthorizeError> {
    let client = known_client(app, params).await?;
    if let Some(request_uri) = params.get("request_uri").filter(|uri| uri.starts_with(par::PREFIX))
    {
        return pushed(app, &client, request_uri).await;
    }
    let redirect_uri = registered_redirect_uri(&client, params)?;
    let way_back = WayBack {
        redirect_uri,
        response_mode: response_mode(params).unwrap_or(ResponseMode::Query),
        state: params.get("state"),
        issuer: app.config.issuer.as_str(),
    };
    let checked = match must_be_pushed(&client) {
        Ok(()) => checked(app, &client, redirect_uri, params).await,
        Err(fault) => Err(fault),
    };
    match checked {
        Ok(request) => Ok(request),
        Err(Fault::Trouble(trouble)) => Err(AuthorizeError::Trouble(trouble)),
        Err(Fault::Refused { error, description }) => {
            let silent = params.get("prompt") == Some("none");
            Err(refused(&client, &way_back, silent, (error, description)))
        }
    }
}

/// Checks the parameters that a client pushes (RFC 9126 §2.1): what would be a page is an error for the client there.
///
/// # Errors
/// [`Fault`].
pub(super) async fn validate_pushed(
    app: &App,
    client: &Client,
    params: &Params,
) -> Result<AuthorizationRequest, Fault> {
    let Ok(redirect_uri) = registered_redirect_uri(client, params) else {
        return refuse("invalid_request", "redirect_uri must be exactly a registered one.");
    };
    checked(app, client, redirect_uri, params).await
}

/// RFC 9126 §4: the request as it was pushed; nothing else of the query counts. Without it nobody knows where an answer
/// could go.
async fn pushed(
    app: &App,
    client: &Client,
    request_uri: &str,
) -> Result<AuthorizationRequest, AuthorizeError> {
    let found = par::take(app, client, request_uri, app.now()).await?;
    let is_registered = |asked: &AuthorizationRequest| {
        asked.redirect_uri().is_some_and(|used| client.has_redirect_uri(used))
    };
    found.filter(is_registered).ok_or_else(|| {
        AuthorizeError::Page(Box::new(Refusal {
            code: "request_uri_unknown",
            detail: "request_uri is unknown, used or expired, or another client's.".to_owned(),
            client_id: Some(client.client_id.clone()),
            link: home_page(client),
        }))
    })
}

/// RFC 9126 §6.
fn must_be_pushed(client: &Client) -> Result<(), Fault> {
    if client.requests.require_pushed_authorization_requests {
        return refuse("invalid_request", "The client pushes its requests (RFC 9126).");
    }
    Ok(())
}

impl Refusal {
    /// The document that the client is known by is not taken.
    pub fn document(detail: String) -> Self {
        Self { code: "client_document_refused", detail, client_id: None, link: None }
    }

    /// The parameters themselves cannot be read.
    pub fn unreadable() -> Self {
        Self {
            code: "parameters_unreadable",
            detail: "Parameters are form-urlencoded UTF-8, a hundred at most.".to_owned(),
            client_id: None,
            link: None,
        }
    }
}

async fn known_client(app: &App, params: &Params) -> Result<Arc<Client>, AuthorizeError> {
    let page = |code, client_id: Option<&str>, detail: &str| {
        let client_id = client_id.map(str::to_owned);
        let refusal = Refusal { code, detail: detail.to_owned(), client_id, link: None };
        AuthorizeError::Page(Box::new(refusal))
    };
    let id = params.get("client_id");
    let id = id.ok_or_else(|| page("client_missing", None, "client_id must come once."))?;
    let client = registered(&app.catalog, id).await.map_err(Trouble::from)?;
    let client = client.ok_or_else(|| page("client_unknown", None, "No such client_id."))?;
    if is_enabled(app, &client).await.map_err(Trouble::from)? {
        Ok(client)
    } else {
        Err(page("client_disabled", Some(id), "The client or its organization is disabled."))
    }
}

/// RFC 9700 §4.1.3. It must be named even where only one is registered (OIDC Core §3.1.2.1).
fn registered_redirect_uri<'p>(
    client: &Client,
    params: &'p Params,
) -> Result<&'p str, AuthorizeError> {
    let asked = params.get("redirect_uri");
    let found = asked.filter(|asked| client.has_redirect_uri(asked));
    found.ok_or_else(|| {
        let detail = "redirect_uri must come once and be exactly a registered one.".to_owned();
        let client_id = Some(client.client_id.clone());
        let link = home_page(client);
        AuthorizeError::Page(Box::new(Refusal {
            code: "redirect_uri_mismatch",
            detail,
            client_id,
            link,
        }))
    })
}

async fn checked(
    app: &App,
    client: &Client,
    redirect_uri: &str,
    params: &Params,
) -> Result<AuthorizationRequest, Fault> {
    nothing_is_repeated(params)?;
    nothing_is_oversized(params)?;
    no_request_object(params)?;
    let response_mode = response_mode(params)?;
    asks_for_a_code(client, params)?;
    let code_challenge = code_challenge(params)?;
    let (prompt, max_age) = (prompt(params)?, max_age(params)?);
    let hinted_user = hinted_user(app, client, params)?;
    let access = access(&app.catalog, client, params).await?;
    let text = |name: &str| params.get(name).map(str::to_owned);
    Ok(AuthorizationRequest {
        client_id: client.client_id.clone(),
        answer: AnswerTo::Client(WayThere {
            redirect_uri: redirect_uri.to_owned(),
            response_mode,
            state: text("state"),
            code_challenge: code_challenge.into(),
        }),
        nonce: text("nonce"),
        access,
        connection: text("connection"),
        organization: text("organization"),
        login_hint: text("login_hint"),
        hinted_user,
        prompt,
        max_age: max_age.or(client.session.default_max_age.map(i64::from)),
        acr_values: params
            .get("acr_values")
            .map(|values| values.split_ascii_whitespace().map(str::to_owned).collect())
            .unwrap_or_default(),
        ui_locales: text("ui_locales"),
        screen_hint: text("screen_hint"),
        dpop_jkt: dpop_jkt(params)?,
        ignored: ignored(params),
    })
}

/// OIDC Core §3.1.2.1: one of the client's own ID tokens, expired or not.
fn hinted_user(app: &App, client: &Client, params: &Params) -> Result<Option<String>, Fault> {
    let Some(token) = params.get("id_token_hint") else { return Ok(None) };
    match id_token_hint::read(app, token) {
        Some(hint) if hint.client_id == client.client_id => Ok(Some(hint.sub)),
        Some(_) | None => {
            refuse("invalid_request", "id_token_hint is not an ID token of this client.")
        }
    }
}

async fn access(catalog: &Catalog, client: &Client, params: &Params) -> Result<Access, Fault> {
    let asked = match AskedScopes::of(client, params.get("scope")) {
        Ok(asked) => asked,
        Err(invalid) => return refuse("invalid_scope", &invalid.to_string()),
    };
    let chosen = target::choose(catalog, client, params, asked).await;
    chosen.map_err(|error| match (error.code(), error) {
        (_, TargetError::Trouble(trouble)) => Fault::Trouble(trouble),
        (code, error) => {
            Fault::Refused { error: code.unwrap_or("server_error"), description: error.to_string() }
        }
    })
}

/// RULES 28: nobody has signed in yet, so a redirect to a third-party client would make us a stranger's open redirector
/// (RFC 9700 §4.11.2). The user sees where the link leads.
fn refused(
    client: &Client,
    way_back: &WayBack<'_>,
    silent: bool,
    (error, description): (&'static str, String),
) -> AuthorizeError {
    let answer = way_back.error(error, &description);
    let client_id = Some(client.client_id.clone());
    let refusal = Refusal { code: error, detail: description, client_id, link: None };
    if silent || !client.is_third_party() {
        return AuthorizeError::Answer(answer, Box::new(refusal));
    }
    let link = match answer {
        Answer::Redirect { url } => Some(ClientLink { name: client.client_name.clone(), url }),
        Answer::FormPost { .. } | Answer::Stay(_) => home_page(client),
    };
    AuthorizeError::Page(Box::new(Refusal { link, ..refusal }))
}

fn home_page(client: &Client) -> Option<ClientLink> {
    let url = origins::home_page(client)?.to_owned();
    Some(ClientLink { name: client.client_name.clone(), url })
}

fn refuse<T>(error: &'static str, description: &str) -> Result<T, Fault> {
    Err(Fault::Refused { error, description: description.to_owned() })
}

impl From<Trouble> for AuthorizeError {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}
