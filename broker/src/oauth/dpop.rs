//! DPoP (RFC 9449): a request shows that its sender holds a key, and the token is good with that key only.

pub mod nonce;
#[cfg(test)]
mod tests;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use homerealm_certs::{ProvenKey, prove_possession};
use serde_json::{Map, Value};
use url::Url;

use super::error::Trouble;
use super::jwt_times::{SKEW, numeric_date};
use crate::app::App;
use crate::catalog::client::ClientSigningAlgorithm;

/// The `DPoP` header of a request; its `Debug` shows nothing of it.
#[derive(Clone, Copy, Default)]
pub enum ProofHeader<'a> {
    /// None came.
    #[default]
    Absent,
    /// One came.
    One(&'a str),
    /// More than one came, or one that is not text.
    Unusable,
}

/// What a proof must be made for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The path below our issuer, without query.
    pub path: &'a str,
    /// The access token that it comes with, at a resource.
    pub access_token: Option<&'a str>,
}

/// Why a proof is not taken.
#[derive(Debug, thiserror::Error)]
pub enum DpopError {
    /// `invalid_dpop_proof` (RFC 9449 §5, §7.1).
    #[error("the DPoP proof is refused: {0}")]
    Invalid(&'static str),
    /// Ours to mend.
    #[error(transparent)]
    Trouble(#[from] Trouble),
    /// `use_dpop_nonce` (RFC 9449 §8): the answer brings one.
    #[error("the DPoP proof needs a nonce of ours that is still good")]
    UseNonce,
}

/// `typ` of proofs (RFC 9449 §4.2).
const PROOF_TYPE: &str = "dpop+jwt";

/// How old a proof may be that has no nonce of ours.
const AGE: TimeDelta = TimeDelta::seconds(60);
/// How old with one: then it is the nonce that says when it was made, and the client's clock may be off.
const AGE_WITH_NONCE: TimeDelta = TimeDelta::seconds(300);

/// Bytes of a `jti`.
const LONGEST_ID: usize = 256;

/// A proof that holds. It is not used up yet: verify early, spend late, so that nobody writes to the store by proofs alone.
#[must_use = "a proof that is not spent can be used again"]
pub struct Proof {
    /// RFC 7638 thumbprint of its key.
    pub thumbprint: String,
    marker: String,
    until: DateTime<Utc>,
}

/// Checks the proof of a request, in the order of RFC 9449 §4.3, all but whether it was used before: [`Proof::spend`].
/// `None` where no proof came.
///
/// # Errors
/// [`DpopError`].
pub fn check(
    app: &App,
    header: ProofHeader<'_>,
    request: Request<'_>,
    now: DateTime<Utc>,
) -> Result<Option<Proof>, DpopError> {
    let proof = match header {
        ProofHeader::Absent => return Ok(None),
        ProofHeader::Unusable => return invalid("one DPoP header, no more"),
        ProofHeader::One(proof) => proof,
    };
    let ProvenKey { key, token } = prove_possession(proof, &ClientSigningAlgorithm::ALL)
        .map_err(|_| DpopError::Invalid("it is no JWT signed with the public key in its header"))?;
    if token.typ() != Some(PROOF_TYPE) {
        return invalid("its typ is not dpop+jwt");
    }
    let claims = token.claims().map_err(|_| DpopError::Invalid("its claims are no JSON object"))?;
    is_for_this_request(app, &claims, &request)?;
    let age = if has_nonce(app, &claims, now)? { AGE_WITH_NONCE } else { AGE };
    let made = is_recent(&claims, age, now)?;
    let thumbprint = key.jwk_thumbprint();
    let marker = format!("{thumbprint}\n{}", id(&claims)?);
    Ok(Some(Proof { thumbprint, marker, until: made + AGE_WITH_NONCE }))
}

impl Proof {
    /// Uses it up, directly before what it is for (RFC 9449 §11.1): once, for as long as it could be taken.
    ///
    /// # Errors
    /// [`DpopError::Invalid`] where it was used before; [`DpopError::Trouble`], and then nothing may be given for it.
    pub async fn spend(&self, app: &App, now: DateTime<Utc>) -> Result<(), DpopError> {
        let first = app.records.first_use("dpop", &self.marker, self.until, now).await;
        if first.map_err(Trouble::from)? { Ok(()) } else { invalid("it was used before") }
    }
}

/// RFC 9449 §4.3, 8, 9 and 12.
fn is_for_this_request(
    app: &App,
    claims: &Map<String, Value>,
    request: &Request<'_>,
) -> Result<(), DpopError> {
    if claims.get("htm").and_then(Value::as_str) != Some(request.method) {
        return invalid("htm is not the method of the request");
    }
    let ours = app.config.issuer.url(request.path);
    let named = claims.get("htu").and_then(Value::as_str).and_then(without_query);
    if named.as_ref() != Some(&ours) {
        return invalid("htu is not the address of the request");
    }
    if let Some(token) = request.access_token
        && claims.get("ath").and_then(Value::as_str) != Some(&ath(token))
    {
        return invalid("ath is not the hash of the access token");
    }
    Ok(())
}

/// RFC 9449 §4.3, 9: query and fragment do not count, the rest does after normalization (RFC 3986 §6.2.2, §6.2.3).
fn without_query(htu: &str) -> Option<Url> {
    let mut url = Url::parse(htu).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    Some(url)
}

/// RFC 9449 §4.2: base64url of the SHA-256 of the access token.
pub fn ath(access_token: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, access_token.as_bytes()))
}

/// RFC 9449 §8, §9: one that came must be ours and fresh; whether one must come is the operator's to say.
fn has_nonce(
    app: &App,
    claims: &Map<String, Value>,
    now: DateTime<Utc>,
) -> Result<bool, DpopError> {
    match claims.get("nonce") {
        None if app.config.dpop.require_nonce => Err(DpopError::UseNonce),
        None => Ok(false),
        Some(Value::String(text)) if nonce::is_fresh(&app.sealer, text, now) => Ok(true),
        Some(_) => Err(DpopError::UseNonce),
    }
}

/// RFC 9449 §4.3, 11.
fn is_recent(
    claims: &Map<String, Value>,
    age: TimeDelta,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, DpopError> {
    let made = numeric_date(claims, "iat").map_err(DpopError::Invalid)?;
    let Some(made) = made else { return invalid("iat is missing") };
    let skew = age.max(SKEW);
    if made > now + skew || made <= now - age {
        return invalid("iat is not about now");
    }
    Ok(made)
}

/// RFC 9449 §4.2.
fn id(claims: &Map<String, Value>) -> Result<&str, DpopError> {
    let id = claims.get("jti").and_then(Value::as_str);
    let id = id.filter(|id| !id.is_empty() && id.len() <= LONGEST_ID);
    id.ok_or(DpopError::Invalid("jti is missing"))
}

fn invalid<T>(why: &'static str) -> Result<T, DpopError> {
    Err(DpopError::Invalid(why))
}

impl ProofHeader<'_> {
    /// Whether any came.
    pub const fn came(self) -> bool {
        !matches!(self, Self::Absent)
    }
}

impl std::fmt::Debug for ProofHeader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.came() { "ProofHeader(…)" } else { "ProofHeader::Absent" })
    }
}

/// Shows nothing that could be used.
impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proof(until {})", self.until)
    }
}
