//! `/authorize`: from the parameters to a validated request, one check after the other (RFC 6749 §4.1.1, OIDC Core §3.1.2.1).

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::answer::{Answer, WayBack};
use super::client_authentication::{is_enabled, registered};
use super::error::Trouble;
use super::params::Params;
use super::pkce::CodeChallenge;
use super::scope::AskedScopes;
use super::target::{self, Target, TargetError};
use super::{confirmation, id_token_hint, origins, par};
use crate::app::App;
use crate::catalog::{Catalog, Client, GrantType, SubjectType};
use crate::login::{AnswerTo, AuthorizationRequest, Prompt, ResponseMode, WayThere};

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
    let target = target(&app.catalog, client, params).await?;
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
        scopes: target.scopes,
        audience: target.api.map(|api| api.identifier.clone()),
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

/// RFC 6749 §3.1, RULES 28: what nobody here knows is not refused, not sent upstream, and can be seen in the trace.
pub fn ignored(params: &Params) -> Vec<String> {
    const KNOWN: [&str; 26] = [
        "acr_values",
        "audience",
        "client_assertion",
        "client_assertion_type",
        "client_id",
        "client_secret",
        "code_challenge",
        "code_challenge_method",
        "connection",
        "dpop_jkt",
        "id_token_hint",
        "login_hint",
        "max_age",
        "nonce",
        "organization",
        "prompt",
        "redirect_uri",
        "request",
        "request_uri",
        "resource",
        "response_mode",
        "response_type",
        "scope",
        "state",
        "screen_hint",
        "ui_locales",
    ];
    const MOST: usize = 10;
    let unknown = params.names().filter(|name| !KNOWN.contains(name));
    unknown.take(MOST).map(parameter_name).collect()
}

/// A name for the trace: short, and nothing that could be an address or markup.
fn parameter_name(name: &str) -> String {
    const LONGEST: usize = 40;
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-._~".contains(c) { c } else { '?' };
    name.chars().take(LONGEST).map(plain).collect()
}

/// RFC 6749 §3.1.
fn nothing_is_repeated(params: &Params) -> Result<(), Fault> {
    if params.has_repeated() {
        return refuse("invalid_request", "A parameter came more than once.");
    }
    Ok(())
}

/// A started login is kept for minutes and costs its sender nothing, so what it makes us keep has a limit, in bytes.
fn nothing_is_oversized(params: &Params) -> Result<(), Fault> {
    for (name, most) in [
        ("acr_values", 1024),
        ("connection", 128),
        ("login_hint", 320),
        ("nonce", 1024),
        ("organization", 128),
        ("screen_hint", 64),
        ("state", 2048),
        ("ui_locales", 256),
    ] {
        if params.get(name).is_some_and(|value| value.len() > most) {
            return refuse("invalid_request", &format!("{name} has {most} bytes at most."));
        }
    }
    Ok(())
}

/// OIDC Core §3.1.2.6: parameters come in the open, or not at all (THREATS A4).
fn no_request_object(params: &Params) -> Result<(), Fault> {
    for (name, error) in [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ] {
        if params.has(name) {
            return refuse(error, "Send the parameters themselves.");
        }
    }
    Ok(())
}

/// OAuth 2.0 Multiple Response Type Encoding Practices §2.1; a fragment would be for tokens, which never go this way.
fn response_mode(params: &Params) -> Result<ResponseMode, Fault> {
    match params.get("response_mode") {
        None | Some("query") => Ok(ResponseMode::Query),
        Some("form_post") => Ok(ResponseMode::FormPost),
        Some(_) => refuse("invalid_request", "response_mode is query or form_post."),
    }
}

/// RFC 9700 §2.1.2: nothing but codes.
fn asks_for_a_code(client: &Client, params: &Params) -> Result<(), Fault> {
    match params.get("response_type") {
        None => return refuse("invalid_request", "response_type is missing."),
        Some("code") => {}
        Some(_) => return refuse("unsupported_response_type", "response_type is code."),
    }
    if !client.grant_types.contains(&GrantType::AuthorizationCode) {
        return refuse(
            "unauthorized_client",
            "The client is not registered for authorization_code.",
        );
    }
    Ok(())
}

/// RFC 7636 §4.4.1, RFC 9700 §2.1.1: for every client, and `plain`, also by its absence, is none.
fn code_challenge(params: &Params) -> Result<CodeChallenge, Fault> {
    if params.get("code_challenge_method") != Some("S256") {
        return refuse("invalid_request", "PKCE is required: code_challenge_method is S256.");
    }
    let challenge = params.get("code_challenge").unwrap_or_default().to_owned();
    CodeChallenge::try_from(challenge).or_else(|_| {
        refuse(
            "invalid_request",
            "PKCE is required: code_challenge is base64url of a SHA-256 hash.",
        )
    })
}

/// RFC 9449 §10: the thumbprint of the key that the code will be redeemed with.
fn dpop_jkt(params: &Params) -> Result<Option<String>, Fault> {
    match params.get("dpop_jkt") {
        None => Ok(None),
        Some(text) if confirmation::is_thumbprint(text) => Ok(Some(text.to_owned())),
        Some(_) => refuse("invalid_request", "dpop_jkt is the SHA-256 thumbprint of a key."),
    }
}

/// OIDC Core §3.1.2.1: `none` stands alone.
fn prompt(params: &Params) -> Result<Vec<Prompt>, Fault> {
    let mut prompts = Vec::new();
    for word in params.get("prompt").unwrap_or_default().split_ascii_whitespace() {
        prompts.push(match word {
            "consent" => Prompt::Consent,
            "login" => Prompt::Login,
            "none" => Prompt::None,
            "select_account" => Prompt::SelectAccount,
            _ => {
                return refuse(
                    "invalid_request",
                    "prompt is none, login, consent or select_account.",
                );
            }
        });
    }
    if prompts.contains(&Prompt::None) && prompts.len() > 1 {
        return refuse("invalid_request", "prompt=none stands alone.");
    }
    Ok(prompts)
}

fn max_age(params: &Params) -> Result<Option<i64>, Fault> {
    let Some(text) = params.get("max_age") else { return Ok(None) };
    let seconds = Some(text).filter(|t| t.bytes().all(|b| b.is_ascii_digit()));
    match seconds.and_then(|t| t.parse::<u32>().ok()) {
        Some(seconds) => Ok(Some(i64::from(seconds))),
        None => refuse("invalid_request", "max_age is a number of seconds."),
    }
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

async fn target(catalog: &Catalog, client: &Client, params: &Params) -> Result<Target, Fault> {
    let asked = match AskedScopes::of(client, params.get("scope")) {
        Ok(asked) => asked,
        Err(invalid) => return refuse("invalid_scope", &invalid.to_string()),
    };
    let chosen = target::choose(catalog, &client.client_id, SubjectType::User, params, asked).await;
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
