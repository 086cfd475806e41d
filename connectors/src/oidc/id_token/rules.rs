//! One rule, one function, one citation.

use aws_lc_rs::digest::{self, Algorithm};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use homerealm_certs::{SignatureAlgorithm, UnverifiedJws};
use subtle::ConstantTimeEq as _;

use super::Expectation;
use super::claims::Claims;
use crate::oidc::settings::ExpectedIssuer;
use crate::oidc::{Rejection, entra};

/// What a rule held against what, for the trace.
pub(super) struct Compared {
    pub(super) expected: String,
    pub(super) received: String,
}

/// An ID token is read within seconds of being issued; a day covers every clock.
pub(super) const MAX_TOKEN_AGE: TimeDelta = TimeDelta::days(1);

/// RFC 7516 §3.1: five parts are a JWE. Encryption says nothing about who made it, and we publish no key for it.
pub(super) fn is_not_encrypted(token: &str) -> Result<(), Rejection> {
    if token.bytes().filter(|b| *b == b'.').count() == 4 {
        Err(Rejection::Encrypted)
    } else {
        Ok(())
    }
}

/// RFC 8725 §3.11: access, logout and other tokens carry a `typ` of their own; an ID token has none or `JWT`.
pub(super) fn type_is_jwt(typ: Option<&str>) -> Result<(), Rejection> {
    let Some(received) = typ else { return Ok(()) };
    let lower = received.to_ascii_lowercase();
    if lower.strip_prefix("application/").unwrap_or(&lower) == "jwt" {
        return Ok(());
    }
    Err(Rejection::TokenType { received: received.to_owned() })
}

/// RFC 8725 §3.1: the provider's announcement decides, not the token; where it is silent, RS256 (OIDC Core §2).
///
/// `none`, the HMACs and SHA-1 are no [`SignatureAlgorithm`] of a JWS, so no announcement lets them in.
pub(super) fn algorithm_is_pinned(
    jws: &UnverifiedJws,
    announced: &[String],
) -> Result<SignatureAlgorithm, Rejection> {
    let mut pinned: Vec<_> =
        announced.iter().filter_map(|name| SignatureAlgorithm::from_jws(name)).collect();
    if announced.is_empty() {
        pinned.push(SignatureAlgorithm::RsaPkcs1Sha256);
    }
    jws.alg().filter(|alg| pinned.contains(alg)).ok_or_else(|| Rejection::Algorithm {
        expected: pinned.iter().filter_map(|alg| alg.jws_name()).collect(),
        received: jws.alg_name().to_owned(),
    })
}

/// OIDC Core §3.1.3.7 rule 2: exact text. Entra's shared issuer is filled with the token's `tid`, which must be listed.
pub(super) fn issuer_is_the_connections(
    claims: &Claims,
    expect: &Expectation<'_>,
) -> Result<Compared, Rejection> {
    let received = claims.required_text("iss")?.to_owned();
    let expected = match expect.issuer {
        ExpectedIssuer::Exact(issuer) => issuer.clone(),
        ExpectedIssuer::Entra(tenants) => tenants.issuer_of(claims.required_text("tid")?)?,
    };
    if received == expected {
        return Ok(Compared { expected, received });
    }
    Err(Rejection::Issuer { expected, received })
}

/// Entra publishes some keys for one issuer only; a key without that member signs for all of its set.
pub(super) fn key_signs_for_the_issuer(
    claims: &Claims,
    key_issuer: Option<&str>,
) -> Result<(), Rejection> {
    let (Some(key_issuer), issuer) = (key_issuer, claims.required_text("iss")?) else {
        return Ok(());
    };
    if entra::key_signs_for(key_issuer, issuer, claims.text("tid")?) {
        return Ok(());
    }
    Err(Rejection::KeyIssuer { expected: key_issuer.to_owned(), received: issuer.to_owned() })
}

/// OIDC Core §3.1.3.7 rule 3.
pub(super) fn audience_names_us(
    claims: &Claims,
    expect: &Expectation<'_>,
) -> Result<Compared, Rejection> {
    let audiences = claims.audiences()?;
    let expected = expect.client_id.to_owned();
    if audiences.contains(&expect.client_id) {
        return Ok(Compared { expected, received: audiences.join(", ") });
    }
    let received = audiences.into_iter().map(str::to_owned).collect();
    Err(Rejection::Audience { expected, received })
}

/// OIDC Core §3.1.3.7 rules 4 and 5. Stricter than the text: several audiences are taken only with `azp`.
pub(super) fn authorized_party_is_us(
    claims: &Claims,
    expect: &Expectation<'_>,
) -> Result<(), Rejection> {
    let received = claims.text("azp")?;
    let is_sound = match received {
        Some(party) => party == expect.client_id,
        None => claims.audiences()?.len() == 1,
    };
    if is_sound {
        return Ok(());
    }
    let received = received.map(str::to_owned);
    Err(Rejection::AuthorizedParty { expected: expect.client_id.to_owned(), received })
}

/// OIDC Core §3.1.3.7 rule 9: the current time must be before `exp`.
pub(super) fn not_expired(
    claims: &Claims,
    expect: &Expectation<'_>,
) -> Result<Compared, Rejection> {
    let at = claims.required_time("exp")?;
    if expect.now < at + expect.skew {
        return Ok(Compared {
            expected: format!("later than {}", text(expect.now)),
            received: text(at),
        });
    }
    Err(Rejection::Expired { at, now: expect.now })
}

/// OIDC Core §3.1.3.7 rule 10: not from the future, and not kept for long.
pub(super) fn issued_recently(
    claims: &Claims,
    expect: &Expectation<'_>,
) -> Result<Compared, Rejection> {
    let (at, now) = (claims.required_time("iat")?, expect.now);
    if at > now + expect.skew {
        return Err(Rejection::IssuedInFuture { at, now });
    }
    if now - at > MAX_TOKEN_AGE {
        return Err(Rejection::IssuedTooLongAgo { at, now });
    }
    Ok(Compared { expected: format!("at most a day before {}", text(now)), received: text(at) })
}

/// RFC 7519 §4.1.5.
pub(super) fn valid_already(claims: &Claims, expect: &Expectation<'_>) -> Result<(), Rejection> {
    match claims.time("nbf")? {
        Some(at) if at > expect.now + expect.skew => {
            Err(Rejection::NotYetValid { at, now: expect.now })
        }
        Some(_) | None => Ok(()),
    }
}

/// OIDC Core §3.1.3.7 rule 11: ties the token to this login of this browser.
pub(super) fn nonce_is_of_this_login(
    claims: &Claims,
    expect: &Expectation<'_>,
) -> Result<(), Rejection> {
    let nonce = claims.required_text("nonce")?;
    let is_ours =
        !expect.nonce.is_empty() && bool::from(nonce.as_bytes().ct_eq(expect.nonce.as_bytes()));
    if is_ours { Ok(()) } else { Err(Rejection::Nonce) }
}

/// OIDC Core §3.1.3.8: optional in the code flow, binding where sent.
pub(super) fn access_token_belongs_to_it(
    claims: &Claims,
    algorithm: SignatureAlgorithm,
    expect: &Expectation<'_>,
) -> Result<(), Rejection> {
    let Some(at_hash) = claims.text("at_hash")? else { return Ok(()) };
    let Some(token) = expect.access_token else { return Err(Rejection::AccessTokenHash) };
    let hash = digest::digest(hash_of(algorithm), token.expose().as_bytes());
    let (left_half, _) = hash.as_ref().split_at(hash.as_ref().len() / 2);
    if URL_SAFE_NO_PAD.encode(left_half) == at_hash {
        Ok(())
    } else {
        Err(Rejection::AccessTokenHash)
    }
}

/// The hash that the signature algorithm is built on; Ed25519's is SHA-512 (RFC 8032 §5.1).
fn hash_of(algorithm: SignatureAlgorithm) -> &'static Algorithm {
    use SignatureAlgorithm as A;
    match algorithm {
        A::RsaPkcs1Sha256 | A::RsaPssSha256 | A::EcdsaP256Sha256 => &digest::SHA256,
        A::RsaPkcs1Sha384 | A::RsaPssSha384 | A::EcdsaP384Sha384 => &digest::SHA384,
        A::RsaPkcs1Sha512 | A::RsaPssSha512 | A::Ed25519 => &digest::SHA512,
        // no JWS algorithm, so never pinned
        A::RsaPkcs1Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
    }
}

/// OIDC Core §3.1.3.7 rule 13. Without `auth_time`, `prompt=login` is trusted to have been honoured, `max_age` is not.
///
/// What we say ourselves is then the time of our request: the user authenticated after it. An authentication for this
/// very request is young enough for every age, however long the user took.
pub(super) fn authenticated_recently(
    claims: &Claims,
    expect: &Expectation<'_>,
) -> Result<Option<DateTime<Utc>>, Rejection> {
    let fresh = &expect.freshness;
    let forced = fresh.force_login.then_some(fresh.sent_at);
    let Some(at) = claims.time("auth_time")? else {
        let is_unproven = fresh.max_age.is_some() && forced.is_none();
        return if is_unproven { Err(Rejection::AuthTimeMissing) } else { Ok(forced) };
    };
    if at > expect.now + expect.skew {
        return Err(Rejection::AuthnInFuture { at, now: expect.now });
    }
    let within_age = |age: TimeDelta| (expect.now - age).min(fresh.sent_at);
    let oldest =
        forced.or_else(|| fresh.max_age.map(within_age)).map(|oldest| oldest - expect.skew);
    match oldest {
        Some(oldest) if at < whole_second(oldest) => Err(Rejection::AuthnTooOld { at, oldest }),
        Some(_) | None => Ok(Some(at)),
    }
}

/// `auth_time` has no fraction, so it may lie up to a second before the moment that it stands for.
fn whole_second(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(at.timestamp(), 0).unwrap_or(at)
}

/// OIDC Core §3.1.2.1 makes `acr_values` voluntary; a connection that sets them means them.
pub(super) fn acr_is_met(claims: &Claims, expect: &Expectation<'_>) -> Result<(), Rejection> {
    let received = claims.text("acr")?;
    let is_met = expect.acr_values.is_empty()
        || received.is_some_and(|acr| expect.acr_values.iter().any(|required| required == acr));
    if is_met {
        return Ok(());
    }
    let received = received.map(str::to_owned);
    Err(Rejection::AcrNotMet { expected: expect.acr_values.to_vec(), received })
}

/// OIDC Core §2; for Entra the two claims that name the user are needed as well.
pub(super) fn subject_is_sound(claims: &Claims, expect: &Expectation<'_>) -> Result<(), Rejection> {
    claims.identifier("sub")?;
    match expect.issuer {
        ExpectedIssuer::Exact(_) => Ok(()),
        ExpectedIssuer::Entra(_) => entra::subject(claims).map(drop),
    }
}

fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
