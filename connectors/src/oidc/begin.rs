//! The authorization request (OIDC Core §3.1.2.1).

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use homerealm_certs::Random;
use homerealm_metadata::oidc::OidcProviderMetadata;
use url::Url;

use super::settings::OidcSettings;
use crate::connector::{BeginRequest, Beginning, Begun, Expected};

/// PKCE and nonce are always sent, whether the provider announces them or not (Entra does not).
pub(super) fn authorization_request(
    settings: &OidcSettings,
    provider: &OidcProviderMetadata,
    request: &BeginRequest<'_>,
) -> Beginning {
    let (nonce, pkce_verifier) = (unguessable(request.random), unguessable(request.random));
    let mut query = Query::default();
    query.add("response_type", "code");
    query.add("client_id", &settings.client_id);
    query.add("redirect_uri", request.callback.as_str());
    query.add("scope", &scope(&settings.scopes));
    query.add("state", request.transaction);
    query.add("nonce", &nonce);
    query.add("code_challenge", &challenge(&pkce_verifier));
    query.add("code_challenge_method", "S256");
    query.add_some("response_mode", settings.response_mode.as_deref());
    add_wishes(&mut query, settings, request);
    for (name, value) in &settings.upstream_params {
        if !is_protocol_parameter(name) {
            query.add(name, value);
        }
    }
    let expected = Expected::Oidc {
        nonce,
        pkce_verifier,
        force_login: request.force_login,
        sent_at: request.now,
    };
    Beginning {
        begun: Begun::Redirect { url: query.on(&provider.authorization_endpoint) },
        expected,
    }
}

/// Whether this name belongs to the protocol, so that `upstream_params` may not set it.
#[must_use]
pub fn is_protocol_parameter(name: &str) -> bool {
    const NAMES: [&str; 17] = [
        "claims",
        "client_assertion",
        "client_assertion_type",
        "client_id",
        "client_secret",
        "code_challenge",
        "code_challenge_method",
        "id_token_hint",
        "nonce",
        "redirect_uri",
        "registration",
        "request",
        "request_uri",
        "response_mode",
        "response_type",
        "scope",
        "state",
    ];
    NAMES.contains(&name)
}

/// What the login asks for; it goes before what the connection always sends.
fn add_wishes(query: &mut Query, settings: &OidcSettings, request: &BeginRequest<'_>) {
    let required = &settings.acr_values;
    let acr_values = if required.is_empty() { request.acr_values } else { required };
    query.add_some("login_hint", request.login_hint);
    if request.force_login {
        query.add("prompt", "login");
    } else if request.select_account {
        query.add("prompt", "select_account");
    }
    if !acr_values.is_empty() {
        query.add("acr_values", &acr_values.join(" "));
    }
    query.add_some("ui_locales", request.ui_locales);
}

fn scope(configured: &[String]) -> String {
    let others = configured.iter().map(String::as_str).filter(|scope| *scope != "openid");
    std::iter::once("openid").chain(others).collect::<Vec<_>>().join(" ")
}

/// 256 random bits; as a PKCE verifier 43 characters (RFC 7636 §4.1).
fn unguessable(random: &dyn Random) -> String {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// RFC 7636 §4.2, method S256.
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

/// Parameters, each name once: the first to set one wins.
#[derive(Default)]
struct Query(Vec<(String, String)>);

impl Query {
    fn add(&mut self, name: &str, value: &str) {
        if !self.has(name) {
            self.0.push((name.to_owned(), value.to_owned()));
        }
    }

    fn add_some(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// The endpoint's own query stays (Azure AD B2C keeps its policy there), except where it names what we set.
    fn on(&self, endpoint: &Url) -> Url {
        let own = endpoint.query_pairs().filter(|(name, _)| !self.has(name));
        let mut pairs: Vec<(String, String)> =
            own.map(|(n, v)| (n.into_owned(), v.into_owned())).collect();
        pairs.extend_from_slice(&self.0);
        let mut url = endpoint.clone();
        url.query_pairs_mut().clear().extend_pairs(pairs);
        url
    }
}

#[cfg(test)]
mod tests;
