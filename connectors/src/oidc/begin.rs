//! The authorization request (OIDC Core §3.1.2.1).

use homerealm_metadata::oidc::OidcProviderMetadata;

use super::settings::OidcSettings;
use crate::code_flow::{Query, challenge, is_protocol_parameter, unguessable};
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

#[cfg(test)]
mod tests;
