//! From the callback to an assertion, step by step.

use super::settings::OAuth2Settings;
use super::userinfo::{self, UserinfoAnswer};
use super::{Rejection, identity};
use crate::assertion::VerifiedAssertion;
use crate::check::Checks;
use crate::code_flow::{self, ClientAuthentication, Fault, Redemption};
use crate::connector::{Completion, Expected, UpstreamAnswer};
use crate::error::{self, ConnectorError};
use crate::http::{Outbound, Secret};

/// Runs the steps and records the refusal that ends them.
pub(super) async fn complete(
    settings: &OAuth2Settings,
    outbound: &Outbound,
    mut completion: Completion<'_>,
    answer: UpstreamAnswer,
) -> Result<VerifiedAssertion, ConnectorError> {
    let outcome = run(settings, outbound, &mut completion, answer).await;
    if let Err(ConnectorError::Rejected(rejection)) = &outcome {
        completion.checks.failed(rejection);
    }
    outcome
}

async fn run(
    settings: &OAuth2Settings,
    outbound: &Outbound,
    completion: &mut Completion<'_>,
    answer: UpstreamAnswer,
) -> Result<VerifiedAssertion, ConnectorError> {
    let UpstreamAnswer::Code { code, iss } = answer else {
        return Err(error::Rejection::ProtocolMismatch.into());
    };
    let pkce_verifier = pending_verifier(completion)?;
    response_is_from_the_issuer(settings, iss.as_deref(), completion.checks)?;
    let token = access_token(settings, outbound, (&code, pkce_verifier), completion).await?;
    let answer = ask(settings, outbound, &token, completion.checks).await?;
    Ok(identity::assertion(settings, &answer, &code, completion)?)
}

fn pending_verifier<'a>(completion: &Completion<'a>) -> Result<Option<&'a str>, error::Rejection> {
    match completion.expected {
        Some(Expected::OAuth2 { pkce_verifier, .. }) => Ok(pkce_verifier.as_deref()),
        Some(Expected::Oidc { .. } | Expected::Password { .. } | Expected::Saml { .. }) => {
            Err(error::Rejection::ProtocolMismatch)
        }
        None => Err(Rejection::Unsolicited.into()),
    }
}

/// RFC 9207 §2.4, before the code is sent anywhere. Where nothing is known to compare with, the connection's own redirect URI
/// keeps servers apart.
fn response_is_from_the_issuer(
    settings: &OAuth2Settings,
    received: Option<&str>,
    checks: &mut Checks,
) -> Result<(), Rejection> {
    let (Some(expected), Some(received)) = (&settings.response_issuer, received) else {
        checks.skipped("oauth2_response_issuer", "the connection or the server names no issuer");
        return Ok(());
    };
    if expected != received {
        let (expected, received) = (expected.clone(), received.to_owned());
        return Err(Rejection::ResponseIssuer { expected, received });
    }
    checks.passed("oauth2_response_issuer", Some(expected.clone()), Some(received.to_owned()));
    Ok(())
}

async fn access_token(
    settings: &OAuth2Settings,
    outbound: &Outbound,
    (code, pkce_verifier): (&str, Option<&str>),
    completion: &mut Completion<'_>,
) -> Result<Secret, ConnectorError> {
    let method = settings.token_endpoint_auth_method.as_deref();
    let authentication = ClientAuthentication::choose(method, settings.client_secret.as_ref(), &[])
        .map_err(|expected| Rejection::ClientAuthentication { expected })?;
    let redemption = Redemption {
        endpoint: &settings.token_endpoint,
        client_id: &settings.client_id,
        authentication,
        code,
        callback: completion.callback,
        pkce_verifier,
    };
    let answer = code_flow::redeem(outbound, &redemption).await.map_err(failed)?;
    let token = answer.access_token;
    let token = token.ok_or(Rejection::TokenAnswer { reason: "access_token is missing" })?;
    completion.checks.passed("oauth2_token", Some(settings.token_endpoint.to_string()), None);
    Ok(token)
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

async fn ask(
    settings: &OAuth2Settings,
    outbound: &Outbound,
    token: &Secret,
    checks: &mut Checks,
) -> Result<UserinfoAnswer, ConnectorError> {
    let mut answer = userinfo::fetch(outbound, &settings.userinfo_endpoint, token).await?;
    checks.passed("oauth2_userinfo", Some(settings.userinfo_endpoint.to_string()), None);
    if let Some(emails) = &settings.emails_endpoint {
        userinfo::add_email(outbound, emails, token, &mut answer).await?;
        checks.passed("oauth2_emails", Some(emails.to_string()), None);
    }
    Ok(answer)
}
