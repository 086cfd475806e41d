//! Redeeming the code for an ID token (OIDC Core §3.1.3).

use homerealm_metadata::oidc::OidcProviderMetadata;
use serde_json::Value;
use url::Url;

use super::Rejection;
use super::settings::OidcSettings;
use crate::code_flow::{self, ClientAuthentication, Fault};
use crate::error::ConnectorError;
use crate::http::{Outbound, Secret};

/// What the token endpoint gave. Nothing in it is verified.
pub(super) struct TokenAnswer {
    pub(super) id_token: String,
    pub(super) access_token: Option<Secret>,
}

/// A code and what it is bound to.
pub(super) struct Redemption<'a> {
    pub(super) code: &'a str,
    pub(super) callback: &'a Url,
    pub(super) pkce_verifier: &'a str,
}

pub(super) async fn redeem(
    settings: &OidcSettings,
    provider: &OidcProviderMetadata,
    outbound: &Outbound,
    code: &Redemption<'_>,
) -> Result<TokenAnswer, ConnectorError> {
    let announced = &provider.token_endpoint_auth_methods_supported;
    let method = settings.token_endpoint_auth_method.as_deref();
    let authentication =
        ClientAuthentication::choose(method, settings.client_secret.as_ref(), announced).map_err(
            |expected| Rejection::ClientAuthentication { expected, received: announced.clone() },
        )?;
    let redemption = code_flow::Redemption {
        endpoint: &provider.token_endpoint,
        client_id: &settings.client_id,
        authentication,
        code: code.code,
        callback: code.callback,
        pkce_verifier: Some(code.pkce_verifier),
    };
    let answer = code_flow::redeem(outbound, &redemption).await.map_err(failed)?;
    let id_token = match answer.members.get("id_token") {
        Some(Value::String(token)) => token.clone(),
        None | Some(Value::Null) => return Err(Rejection::IdTokenMissing.into()),
        Some(_) => return Err(Rejection::TokenAnswer { reason: "id_token is not a string" }.into()),
    };
    Ok(TokenAnswer { id_token, access_token: answer.access_token })
}

fn failed(fault: Fault) -> ConnectorError {
    match fault {
        Fault::Answer(reason) => Rejection::TokenAnswer { reason }.into(),
        Fault::Refused(error) => Rejection::TokenRefused { error }.into(),
        Fault::Unreachable(reason) => {
            ConnectorError::Unreachable { what: "the token endpoint", reason }
        }
    }
}
