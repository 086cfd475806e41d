//! From the callback to a verified assertion, step by step.

use chrono::TimeDelta;
use homerealm_metadata::oidc::OidcProviderMetadata;
use serde_json::{Map, Value};

use super::id_token::{self, Candidate, Expectation, Freshness, Signed, VerifiedIdToken};
use super::provider::Providers;
use super::settings::{ExpectedIssuer, OidcSettings};
use super::token_request::{self, Redemption, TokenAnswer};
use super::{Rejection, identity, userinfo};
use crate::assertion::VerifiedAssertion;
use crate::check::Checks;
use crate::connector::{Completion, Expected, UpstreamAnswer, clamped_skew};
use crate::error::{self, ConnectorError};

/// Runs the steps and records the refusal that ends them.
pub(super) async fn complete(
    settings: &OidcSettings,
    providers: &Providers,
    mut completion: Completion<'_>,
    answer: UpstreamAnswer,
) -> Result<VerifiedAssertion, ConnectorError> {
    let step = Step { settings, providers };
    let outcome = step.run(&mut completion, answer).await;
    if let Err(ConnectorError::Rejected(rejection)) = &outcome {
        completion.checks.failed(rejection);
    }
    outcome
}

struct Step<'a> {
    settings: &'a OidcSettings,
    providers: &'a Providers,
}

impl Step<'_> {
    async fn run(
        &self,
        completion: &mut Completion<'_>,
        answer: UpstreamAnswer,
    ) -> Result<VerifiedAssertion, ConnectorError> {
        let UpstreamAnswer::Code { code, iss } = answer else {
            return Err(error::Rejection::ProtocolMismatch.into());
        };
        let pending = Pending::of(completion)?;
        let metadata = self.providers.metadata(self.settings, completion.now).await?;
        let issuer = self.settings.issuer.expected_issuer();
        response_is_from_the_issuer(iss.as_deref(), &issuer, &metadata, completion.checks)?;
        let redemption = Redemption {
            code: &code,
            callback: completion.callback,
            pkce_verifier: pending.pkce_verifier,
        };
        let outbound = self.providers.outbound();
        let tokens = token_request::redeem(self.settings, &metadata, outbound, &redemption).await?;
        let candidate = Candidate::read(
            &tokens.id_token,
            &metadata.id_token_signing_alg_values_supported,
            completion.checks,
        )?;
        let signed = self.signed(&candidate, &metadata, completion).await?;
        let expect = self.expectation(&pending, &issuer, &tokens, completion);
        let token = id_token::verify(&signed, &expect, completion.checks)?;
        let claims = self.userinfo(&token, &tokens, &metadata, completion.checks).await?;
        Ok(identity::assertion(&token, claims, self.settings.issuer.is_entra())?)
    }

    /// Verifies the signature; where no known key does, with newer keys once.
    async fn signed(
        &self,
        candidate: &Candidate<'_>,
        metadata: &OidcProviderMetadata,
        completion: &mut Completion<'_>,
    ) -> Result<Signed, ConnectorError> {
        let now = completion.now;
        let keys = self.providers.keys(self.settings, metadata, now).await?;
        let mut signed = candidate.verify_signature(&keys);
        let may_have_newer_key = match &signed {
            Ok(_) => false,
            Err(_) => !candidate.has_key_in(&keys) || !candidate.names_its_key(),
        };
        if may_have_newer_key {
            let newer = self.providers.newer_keys(self.settings, metadata, keys, now).await?;
            signed = candidate.verify_signature(&newer);
        }
        let signed = signed?;
        completion.checks.passed("oidc_signature", Some(metadata.jwks_uri.to_string()), None);
        Ok(signed)
    }

    fn expectation<'e>(
        &'e self,
        pending: &Pending<'e>,
        issuer: &'e ExpectedIssuer,
        tokens: &'e TokenAnswer,
        completion: &Completion<'_>,
    ) -> Expectation<'e> {
        Expectation {
            connection: &self.settings.connection,
            issuer,
            client_id: &self.settings.client_id,
            nonce: pending.nonce,
            access_token: tokens.access_token.as_ref(),
            acr_values: &self.settings.acr_values,
            freshness: pending.freshness,
            skew: clamped_skew(self.settings.clock_skew),
            now: completion.now,
        }
    }

    /// Userinfo adds what the ID token does not say. Its failure ends the login only where the ID token lacks claims
    /// that the scopes promise; that it speaks about another user always does.
    ///
    /// Entra is not asked: its ID token has everything, and its userinfo belongs to another application (Graph).
    async fn userinfo(
        &self,
        token: &VerifiedIdToken,
        tokens: &TokenAnswer,
        metadata: &OidcProviderMetadata,
        checks: &mut Checks,
    ) -> Result<Option<Map<String, Value>>, ConnectorError> {
        let (Some(endpoint), Some(access_token), false) =
            (&metadata.userinfo_endpoint, &tokens.access_token, self.settings.issuer.is_entra())
        else {
            return Ok(None);
        };
        let subject = token.claims.required_text("sub")?;
        let outbound = self.providers.outbound();
        match userinfo::fetch(outbound, endpoint, access_token, subject).await {
            Ok(claims) => {
                checks.passed("oidc_userinfo", Some(endpoint.to_string()), None);
                Ok(Some(claims))
            }
            Err(failure) if self.must_end(&failure, token) => Err(failure),
            Err(failure) => {
                checks.skipped("oidc_userinfo", &failure.to_string());
                Ok(None)
            }
        }
    }

    fn must_end(&self, failure: &ConnectorError, token: &VerifiedIdToken) -> bool {
        let is_another_user = *failure == Rejection::UserinfoSubject.into();
        is_another_user || identity::lacks_promised_claims(&token.claims, &self.settings.scopes)
    }
}

/// What was remembered of the request that this answers.
struct Pending<'a> {
    nonce: &'a str,
    pkce_verifier: &'a str,
    freshness: Freshness,
}

impl<'a> Pending<'a> {
    fn of(completion: &Completion<'a>) -> Result<Self, error::Rejection> {
        let max_age =
            completion.max_age.map(|seconds| TimeDelta::seconds(seconds.clamp(0, LONGEST_MAX_AGE)));
        match completion.expected {
            Some(Expected::Oidc { nonce, pkce_verifier, force_login, sent_at }) => Ok(Self {
                nonce,
                pkce_verifier,
                freshness: Freshness { force_login: *force_login, sent_at: *sent_at, max_age },
            }),
            Some(Expected::OAuth2 { .. } | Expected::Password { .. } | Expected::Saml { .. }) => {
                Err(error::Rejection::ProtocolMismatch)
            }
            None => Err(Rejection::Unsolicited.into()),
        }
    }
}

/// Ten years, in seconds: longer ages exclude nothing.
const LONGEST_MAX_AGE: i64 = 10 * 365 * 24 * 60 * 60;

/// RFC 9207 §2.4: before the code is sent anywhere, so that a code of another provider does not reach this one.
fn response_is_from_the_issuer(
    received: Option<&str>,
    issuer: &ExpectedIssuer,
    metadata: &OidcProviderMetadata,
    checks: &mut Checks,
) -> Result<(), Rejection> {
    let expected = issuer.to_string();
    let Some(received) = received else {
        if metadata.authorization_response_iss_parameter_supported {
            return Err(Rejection::ResponseIssuerMissing { expected });
        }
        checks
            .skipped("oidc_response_issuer", "the provider does not announce iss beside the code");
        return Ok(());
    };
    let is_right = match issuer {
        ExpectedIssuer::Exact(issuer) => issuer == received,
        ExpectedIssuer::Entra(tenants) => tenants.admits_issuer(received),
    };
    if !is_right {
        return Err(Rejection::ResponseIssuer { expected, received: received.to_owned() });
    }
    checks.passed("oidc_response_issuer", Some(expected), Some(received.to_owned()));
    Ok(())
}
