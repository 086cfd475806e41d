//! The authorization request (RFC 6749 §4.1.1).

use super::Rejection;
use super::settings::OAuth2Settings;
use crate::code_flow::{Query, challenge, is_protocol_parameter, unguessable};
use crate::connector::{BeginRequest, Beginning, Begun, Expected};

/// A login hint is not sent: RFC 6749 has no word for it, and it is an e-mail address.
pub(super) fn authorization_request(
    settings: &OAuth2Settings,
    request: &BeginRequest<'_>,
) -> Result<Beginning, Rejection> {
    if request.force_login && settings.forced_login_params.is_empty() {
        return Err(Rejection::ForcedLogin);
    }
    let pkce_verifier = settings.pkce.then(|| unguessable(request.random));
    let mut query = Query::default();
    query.add("response_type", "code");
    query.add("client_id", &settings.client_id);
    query.add("redirect_uri", request.callback.as_str());
    if !settings.scopes.is_empty() {
        query.add("scope", &settings.scopes.join(" "));
    }
    query.add("state", request.transaction);
    if let Some(verifier) = &pkce_verifier {
        query.add("code_challenge", &challenge(verifier));
        query.add("code_challenge_method", "S256");
    }
    let forced = request.force_login.then_some(&settings.forced_login_params);
    for (name, value) in forced.into_iter().chain([&settings.upstream_params]).flatten() {
        if !is_protocol_parameter(name) {
            query.add(name, value);
        }
    }
    Ok(Beginning {
        begun: Begun::Redirect { url: query.on(&settings.authorization_endpoint) },
        expected: Expected::OAuth2 {
            pkce_verifier,
            force_login: request.force_login,
            sent_at: request.now,
        },
    })
}
