//! The single parameters of an authorization request, a rule each.

use super::{Fault, refuse};
use crate::catalog::{Client, GrantType};
use crate::login::{Prompt, ResponseMode};
use crate::oauth::confirmation;
use crate::oauth::params::Params;
use crate::oauth::pkce::CodeChallenge;

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
pub(super) fn nothing_is_repeated(params: &Params) -> Result<(), Fault> {
    if params.has_repeated() {
        return refuse("invalid_request", "A parameter came more than once.");
    }
    Ok(())
}

/// A started login is kept for minutes and costs its sender nothing, so what it makes us keep has a limit, in bytes.
pub(super) fn nothing_is_oversized(params: &Params) -> Result<(), Fault> {
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
pub(super) fn no_request_object(params: &Params) -> Result<(), Fault> {
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
pub(super) fn response_mode(params: &Params) -> Result<ResponseMode, Fault> {
    match params.get("response_mode") {
        None | Some("query") => Ok(ResponseMode::Query),
        Some("form_post") => Ok(ResponseMode::FormPost),
        Some(_) => refuse("invalid_request", "response_mode is query or form_post."),
    }
}

/// RFC 9700 §2.1.2: nothing but codes.
pub(super) fn asks_for_a_code(client: &Client, params: &Params) -> Result<(), Fault> {
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
pub(super) fn code_challenge(params: &Params) -> Result<CodeChallenge, Fault> {
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
pub(super) fn dpop_jkt(params: &Params) -> Result<Option<String>, Fault> {
    match params.get("dpop_jkt") {
        None => Ok(None),
        Some(text) if confirmation::is_thumbprint(text) => Ok(Some(text.to_owned())),
        Some(_) => refuse("invalid_request", "dpop_jkt is the SHA-256 thumbprint of a key."),
    }
}

/// OIDC Core §3.1.2.1: `none` stands alone.
pub(super) fn prompt(params: &Params) -> Result<Vec<Prompt>, Fault> {
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

pub(super) fn max_age(params: &Params) -> Result<Option<i64>, Fault> {
    let Some(text) = params.get("max_age") else { return Ok(None) };
    let seconds = Some(text).filter(|t| t.bytes().all(|b| b.is_ascii_digit()));
    match seconds.and_then(|t| t.parse::<u32>().ok()) {
        Some(seconds) => Ok(Some(i64::from(seconds))),
        None => refuse("invalid_request", "max_age is a number of seconds."),
    }
}
