//! Redeeming the code (OIDC Core §3.1.3, RFC 6749 §4.1.3).

use homerealm_certs::strict_json;
use homerealm_metadata::oidc::OidcProviderMetadata;
use serde_json::{Map, Value};
use url::Url;

use super::Rejection;
use super::settings::OidcSettings;
use crate::error::ConnectorError;
use crate::http::{Fetched, Outbound, Secret};

/// What the token endpoint gave. Nothing in it is verified.
pub(super) struct TokenAnswer {
    pub(super) id_token: String,
    pub(super) access_token: Option<Secret>,
}

const MAX_ANSWER: usize = 256 * 1024;
const ENDPOINT: &str = "the token endpoint";

pub(super) async fn redeem(
    settings: &OidcSettings,
    provider: &OidcProviderMetadata,
    outbound: &Outbound,
    code: &Redemption<'_>,
) -> Result<TokenAnswer, ConnectorError> {
    let authentication =
        Authentication::choose(settings, &provider.token_endpoint_auth_methods_supported)?;
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code.code),
        ("redirect_uri", code.callback.as_str()),
        ("code_verifier", code.pkce_verifier),
    ];
    let encoded;
    let basic = match &authentication {
        Authentication::Basic(secret) => {
            encoded =
                (form_encoded(&settings.client_id), Secret::from(form_encoded(secret.expose())));
            Some((encoded.0.as_str(), &encoded.1))
        }
        Authentication::Post(secret) => {
            fields.extend([
                ("client_id", settings.client_id.as_str()),
                ("client_secret", secret.expose()),
            ]);
            None
        }
        Authentication::Public => {
            fields.push(("client_id", &settings.client_id));
            None
        }
    };
    let fetched = outbound
        .post_form(&provider.token_endpoint, &fields, basic, MAX_ANSWER)
        .await
        .map_err(|e| ConnectorError::Unreachable { what: ENDPOINT, reason: e.to_string() })?;
    read(&fetched)
}

/// A code and what it is bound to.
pub(super) struct Redemption<'a> {
    pub(super) code: &'a str,
    pub(super) callback: &'a Url,
    pub(super) pkce_verifier: &'a str,
}

/// How we authenticate at the token endpoint (OIDC Core §9).
enum Authentication<'a> {
    Basic(&'a Secret),
    Post(&'a Secret),
    Public,
}

impl<'a> Authentication<'a> {
    /// As configured, else basic where the provider takes it (the default where it is silent), else post.
    fn choose(settings: &'a OidcSettings, announced: &[String]) -> Result<Self, Rejection> {
        let takes = |method: &str| announced.iter().any(|known| known == method);
        let unsupported =
            |expected| Rejection::ClientAuthentication { expected, received: announced.to_vec() };
        match (settings.token_endpoint_auth_method.as_deref(), &settings.client_secret) {
            (Some("client_secret_basic"), Some(secret)) => Ok(Self::Basic(secret)),
            (Some("client_secret_post"), Some(secret)) => Ok(Self::Post(secret)),
            (Some("none"), _) | (None, None) => Ok(Self::Public),
            (None, Some(secret)) if announced.is_empty() || takes("client_secret_basic") => {
                Ok(Self::Basic(secret))
            }
            (None, Some(secret)) if takes("client_secret_post") => Ok(Self::Post(secret)),
            (None, Some(_)) => Err(unsupported("client_secret_basic or client_secret_post")),
            (Some(_), None) => Err(unsupported("a client secret on the connection")),
            (Some(_), Some(_)) => {
                Err(unsupported("client_secret_basic, client_secret_post or none"))
            }
        }
    }
}

/// RFC 6749 §2.3.1: both halves are form-encoded before HTTP Basic joins them.
fn form_encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// RFC 6749 §5.1: 200 and JSON, and nothing else counts as tokens, whatever it carries.
fn read(fetched: &Fetched) -> Result<TokenAnswer, ConnectorError> {
    if fetched.status != 200 {
        return Err(refusal(fetched));
    }
    let answer = members(fetched)?;
    if answer.contains_key("error") {
        return Err(Rejection::TokenRefused { error: error_code(&answer) }.into());
    }
    let is_bearer = matches!(answer.get("token_type"), Some(Value::String(t)) if t.eq_ignore_ascii_case("bearer"));
    let id_token = match answer.get("id_token") {
        Some(Value::String(token)) => token.clone(),
        None | Some(Value::Null) => return Err(Rejection::IdTokenMissing.into()),
        Some(_) => return Err(Rejection::TokenAnswer { reason: "id_token is not a string" }.into()),
    };
    if !is_bearer {
        return Err(Rejection::TokenAnswer { reason: "token_type is not Bearer" }.into());
    }
    let access_token = match answer.get("access_token") {
        Some(Value::String(token)) if !token.is_empty() => Some(Secret::from(token.clone())),
        None => None,
        Some(_) => {
            return Err(Rejection::TokenAnswer { reason: "access_token is not a token" }.into());
        }
    };
    Ok(TokenAnswer { id_token, access_token })
}

fn members(fetched: &Fetched) -> Result<Map<String, Value>, Rejection> {
    if !fetched.is_json() {
        return Err(Rejection::TokenAnswer { reason: "the content type is not JSON" });
    }
    match strict_json(&fetched.body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Rejection::TokenAnswer { reason: "not a JSON object" }),
        Err(_) => Err(Rejection::TokenAnswer { reason: "not well-formed JSON" }),
    }
}

/// RFC 6749 §5.2. What the server itself cannot do is no refusal, and may work on the next try.
fn refusal(fetched: &Fetched) -> ConnectorError {
    let status = fetched.status;
    if status == 429 || status >= 500 {
        return ConnectorError::Unreachable {
            what: ENDPOINT,
            reason: format!("answered with status {status}"),
        };
    }
    match members(fetched) {
        Ok(answer) if answer.contains_key("error") => {
            Rejection::TokenRefused { error: error_code(&answer) }
        }
        Ok(_) | Err(_) => Rejection::TokenRefused { error: format!("status {status}") },
    }
    .into()
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
