//! Redeeming the code (RFC 6749 §4.1.3).

use homerealm_certs::strict_json;
use serde_json::{Map, Value};
use url::Url;

use super::ClientAuthentication;
use crate::http::{Fetched, Outbound, Secret};

/// A code, what it is bound to, and who redeems it where.
pub(crate) struct Redemption<'a> {
    pub(crate) endpoint: &'a Url,
    pub(crate) client_id: &'a str,
    pub(crate) authentication: ClientAuthentication<'a>,
    pub(crate) code: &'a str,
    pub(crate) callback: &'a Url,
    pub(crate) pkce_verifier: Option<&'a str>,
}

/// What the token endpoint gave, a bearer token if any. Nothing in it is verified.
pub(crate) struct TokenAnswer {
    pub(crate) members: Map<String, Value>,
    pub(crate) access_token: Option<Secret>,
}

/// Why there are no tokens.
pub(crate) enum Fault {
    /// The answer is not what RFC 6749 §5.1 describes.
    Answer(&'static str),
    /// The request was refused (RFC 6749 §5.2): the error's code.
    Refused(String),
    /// The server did not answer, or cannot now.
    Unreachable(String),
}

const MAX_ANSWER: usize = 256 * 1024;

pub(crate) async fn redeem(
    outbound: &Outbound,
    redemption: &Redemption<'_>,
) -> Result<TokenAnswer, Fault> {
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", redemption.code),
        ("redirect_uri", redemption.callback.as_str()),
    ];
    fields.extend(redemption.pkce_verifier.map(|verifier| ("code_verifier", verifier)));
    fields.extend(redemption.authentication.fields(redemption.client_id));
    let basic = redemption.authentication.basic(redemption.client_id);
    let basic = basic.as_ref().map(|(user, password)| (user.as_str(), password));
    let fetched = outbound
        .post_form(redemption.endpoint, &fields, basic, MAX_ANSWER)
        .await
        .map_err(|e| Fault::Unreachable(e.to_string()))?;
    read(&fetched)
}

/// RFC 6749 §5.1: 200 and JSON, and nothing else counts as tokens, whatever it carries.
fn read(fetched: &Fetched) -> Result<TokenAnswer, Fault> {
    if fetched.status != 200 {
        return Err(refusal(fetched));
    }
    let members = members(fetched)?;
    if members.contains_key("error") {
        return Err(Fault::Refused(error_code(&members)));
    }
    if !matches!(members.get("token_type"), Some(Value::String(t)) if t.eq_ignore_ascii_case("bearer"))
    {
        return Err(Fault::Answer("token_type is not Bearer"));
    }
    let access_token = match members.get("access_token") {
        Some(Value::String(token)) if !token.is_empty() => Some(Secret::from(token.clone())),
        None => None,
        Some(_) => return Err(Fault::Answer("access_token is not a token")),
    };
    Ok(TokenAnswer { members, access_token })
}

fn members(fetched: &Fetched) -> Result<Map<String, Value>, Fault> {
    if !fetched.is_json() {
        return Err(Fault::Answer("the content type is not JSON"));
    }
    match strict_json(&fetched.body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Fault::Answer("not a JSON object")),
        Err(_) => Err(Fault::Answer("not well-formed JSON")),
    }
}

/// RFC 6749 §5.2. What the server itself cannot do is no refusal, and may work on the next try.
fn refusal(fetched: &Fetched) -> Fault {
    let status = fetched.status;
    if status == 429 || status >= 500 {
        return Fault::Unreachable(format!("answered with status {status}"));
    }
    match members(fetched) {
        Ok(answer) if answer.contains_key("error") => Fault::Refused(error_code(&answer)),
        Ok(_) | Err(_) => Fault::Refused(format!("status {status}")),
    }
}

/// Only what looks like an error code is repeated: a description could hold anything.
fn error_code(answer: &Map<String, Value>) -> String {
    let is_code = |text: &&str| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
    };
    answer
        .get("error")
        .and_then(Value::as_str)
        .filter(is_code)
        .unwrap_or("an unreadable error")
        .to_owned()
}
