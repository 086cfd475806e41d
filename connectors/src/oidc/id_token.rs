//! Verification of an ID token (OIDC Core §3.1.3.7): first the signature, then one rule after the other.

pub(super) mod claims;
mod rules;

use chrono::{DateTime, TimeDelta, Utc};
use homerealm_certs::{SignatureAlgorithm, UnverifiedJws, UpstreamKeySet, VerifiedJws};

use super::Rejection;
use super::settings::ExpectedIssuer;
use crate::assertion::{ReplayKey, VerifiedDocument};
use crate::check::Checks;
use crate::http::Secret;
use claims::Claims;

/// An ID token that passed every rule. Only the verifier makes one.
pub struct VerifiedIdToken {
    pub(super) claims: Claims,
    pub(super) issuer: String,
    pub(super) issued_at: DateTime<Utc>,
    pub(super) auth_time: Option<DateTime<Utc>>,
    pub(super) replay: ReplayKey,
}

impl VerifiedDocument for VerifiedIdToken {}

/// What the pending login and the connection's settings expect of an ID token.
pub(super) struct Expectation<'a> {
    /// The connection's id; replay keys are its own.
    pub(super) connection: &'a str,
    pub(super) issuer: &'a ExpectedIssuer,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) access_token: Option<&'a Secret>,
    pub(super) acr_values: &'a [String],
    pub(super) freshness: Freshness,
    pub(super) skew: TimeDelta,
    pub(super) now: DateTime<Utc>,
}

/// How recent the user's authentication must be.
#[derive(Clone, Copy)]
pub(super) struct Freshness {
    /// `prompt=login` was sent.
    pub(super) force_login: bool,
    pub(super) sent_at: DateTime<Utc>,
    pub(super) max_age: Option<TimeDelta>,
}

/// A token whose form and algorithm are acceptable; its signature is still to be verified.
pub(super) struct Candidate<'a> {
    token: &'a str,
    algorithm: SignatureAlgorithm,
    kid: Option<String>,
}

/// A token with a good signature, and for whom its key is published.
pub(super) struct Signed {
    jws: VerifiedJws,
    key_issuer: Option<String>,
}

impl<'a> Candidate<'a> {
    /// The form, `typ` and algorithm. `announced` is what the provider's discovery document lists.
    pub(super) fn read(
        token: &'a str,
        announced: &[String],
        checks: &mut Checks,
    ) -> Result<Self, Rejection> {
        rules::is_not_encrypted(token)?;
        let jws = UnverifiedJws::parse(token)
            .map_err(|e| Rejection::IdTokenMalformed { reason: e.to_string() })?;
        rules::type_is_jwt(jws.typ())?;
        let algorithm = rules::algorithm_is_pinned(&jws, announced)?;
        checks.passed("oidc_algorithm", None, Some(jws.alg_name().to_owned()));
        Ok(Self { token, algorithm, kid: jws.kid().map(str::to_owned) })
    }

    /// Whether `keys` has a key that this token may have been signed with.
    pub(super) fn has_key_in(&self, keys: &UpstreamKeySet) -> bool {
        !keys.candidates(self.kid.as_deref(), self.algorithm).is_empty()
    }

    /// A token without `kid` does not say that its key is unknown; it just fails with all known ones.
    pub(super) const fn names_its_key(&self) -> bool {
        self.kid.is_some()
    }

    /// OIDC Core §3.1.3.7 rule 6, with the algorithm that [`Candidate::read`] settled.
    pub(super) fn verify_signature(&self, keys: &UpstreamKeySet) -> Result<Signed, Rejection> {
        let candidates = keys.candidates(self.kid.as_deref(), self.algorithm);
        if candidates.is_empty() {
            return Err(Rejection::KeyUnknown { kid: self.kid.clone() });
        }
        let signed_by = |key: &homerealm_certs::UpstreamKey| {
            let jws = UnverifiedJws::parse(self.token).ok()?;
            let jws = jws.verify(&key.key, &[self.algorithm]).ok()?;
            Some(Signed { jws, key_issuer: key.issuer.clone() })
        };
        candidates.into_iter().find_map(signed_by).ok_or(Rejection::Signature)
    }
}

/// The rules for what a correctly signed token says.
pub(super) fn verify(
    signed: &Signed,
    expect: &Expectation<'_>,
    checks: &mut Checks,
) -> Result<VerifiedIdToken, Rejection> {
    let claims =
        signed.jws.claims().map_err(|e| Rejection::IdTokenMalformed { reason: e.to_string() })?;
    let claims = Claims::new(claims);
    let mut passed = |code, compared: rules::Compared| {
        checks.passed(code, Some(compared.expected), Some(compared.received));
    };
    passed("oidc_issuer", rules::issuer_is_the_connections(&claims, expect)?);
    rules::key_signs_for_the_issuer(&claims, signed.key_issuer.as_deref())?;
    passed("oidc_audience", rules::audience_names_us(&claims, expect)?);
    rules::authorized_party_is_us(&claims, expect)?;
    passed("oidc_expiry", rules::not_expired(&claims, expect)?);
    passed("oidc_issued_at", rules::issued_recently(&claims, expect)?);
    rules::valid_already(&claims, expect)?;
    rules::nonce_is_of_this_login(&claims, expect)?;
    checks.passed("oidc_nonce", None, None);
    rules::access_token_belongs_to_it(&claims, signed.jws.algorithm(), expect)?;
    let auth_time = rules::authenticated_recently(&claims, expect)?;
    checks.passed("oidc_auth_time", None, auth_time.map(|at| at.to_rfc3339()));
    rules::acr_is_met(&claims, expect)?;
    rules::subject_is_sound(&claims, expect)?;
    Ok(VerifiedIdToken {
        issuer: claims.required_text("iss")?.to_owned(),
        issued_at: claims.required_time("iat")?,
        auth_time,
        replay: replay_key(&claims, signed, expect)?,
        claims,
    })
}

/// By `jti`, else by what the token says; never by its text, which a signature of another form could change.
///
/// It is remembered as long as the token could be accepted: until `exp`, and no longer than its age allows.
fn replay_key(
    claims: &Claims,
    signed: &Signed,
    expect: &Expectation<'_>,
) -> Result<ReplayKey, Rejection> {
    let value = match claims.text("jti")? {
        Some(jti) => hashed(&["jti", expect.connection, jti].map(str::as_bytes)),
        None => hashed(&[b"payload", expect.connection.as_bytes(), signed.jws.payload()]),
    };
    let oldest_end = claims.required_time("iat")? + rules::MAX_TOKEN_AGE;
    let end = claims.required_time("exp")?.min(oldest_end);
    Ok(ReplayKey { value, until: end + expect.skew })
}

/// Each part with its length before it, so that no two lists give the same bytes.
fn hashed(parts: &[&[u8]]) -> String {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    hex::encode(context.finish())
}

/// Shows whose statement it is, not about whom.
impl std::fmt::Debug for VerifiedIdToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifiedIdToken")
            .field("issuer", &self.issuer)
            .field("issued_at", &self.issued_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
