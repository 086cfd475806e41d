//! The JWK Set of an upstream OpenID Provider (RFC 7517 §5).

use serde_json::{Map, Value};

use crate::base64::{from_base64url, from_spaced_base64};
use crate::{
    KeyError, KeyKind, SignatureAlgorithm, StrictJsonError, VerificationKey, strict_json, x509,
};

#[cfg(test)]
mod tests;

/// A signature key of an OpenID Provider.
#[derive(Clone, Debug)]
pub struct UpstreamKey {
    pub kid: Option<String>,
    /// The only algorithm for this key, where the provider says so.
    pub alg: Option<SignatureAlgorithm>,
    /// Entra's own member: the issuer, or its template, that this key signs for.
    pub issuer: Option<String>,
    /// The first of its `x5c`, DER, if it is for this very key (RFC 7517 §4.7).
    pub certificate: Option<Box<[u8]>>,
    pub key: VerificationKey,
}

/// The keys of a set that we can verify with.
#[derive(Clone, Debug, Default)]
pub struct UpstreamKeySet {
    keys: Vec<UpstreamKey>,
}

/// Why a JWK Set is refused as a whole.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JwksError {
    #[error("the JWK Set is refused: {0}")]
    Json(#[from] StrictJsonError),
    #[error("the JWK Set is not an object with an array `keys`")]
    NotAKeySet,
    #[error("the JWK Set has {0} keys, at most {MAX_KEYS} are read")]
    TooManyKeys(usize),
}

/// Providers publish two to ten.
const MAX_KEYS: usize = 100;

/// Members of private and symmetric keys (RFC 7518 §6.2.2, §6.3.2, §6.4). A key that is published with them is anyone's.
const SECRET_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

impl UpstreamKeySet {
    /// Reads a set. Keys that we cannot or must not verify with are left out (RFC 7517 §5): unknown types, encryption
    /// keys, weak keys, keys with private members. The caller sees by [`UpstreamKeySet::is_empty`] that none is left.
    ///
    /// # Errors
    /// The set is not JSON, has a member twice, is not a key set, or has more than 100 keys.
    pub fn parse(json: &[u8]) -> Result<Self, JwksError> {
        let set = strict_json(json)?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or(JwksError::NotAKeySet)?;
        if keys.len() > MAX_KEYS {
            return Err(JwksError::TooManyKeys(keys.len()));
        }
        Ok(Self { keys: keys.iter().filter_map(UpstreamKey::read).collect() })
    }

    /// The keys to try for a token: of the right kind, and with the token's `kid` if it names one.
    ///
    /// OIDC Core §10.1: the `kid` may be absent where the provider has one key; then each fitting one is tried.
    #[must_use]
    pub fn candidates(
        &self,
        kid: Option<&str>,
        algorithm: SignatureAlgorithm,
    ) -> Vec<&UpstreamKey> {
        let fits = |key: &&UpstreamKey| {
            algorithm.fits(key.key.kind())
                && key.alg.is_none_or(|only| only == algorithm)
                && (kid.is_none() || key.kid.as_deref() == kid)
        };
        self.keys.iter().filter(fits).collect()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &UpstreamKey> {
        self.keys.iter()
    }
}

impl UpstreamKey {
    fn read(value: &Value) -> Option<Self> {
        let jwk = value.as_object()?;
        if !is_for_signatures(jwk) || has_secret_members(jwk) {
            return None;
        }
        let key = read_key(jwk).ok()?;
        let alg = match optional_text(jwk, "alg")? {
            None => None,
            Some(name) => {
                Some(SignatureAlgorithm::from_jws(name).filter(|alg| alg.fits(key.kind()))?)
            }
        };
        let kid = optional_text(jwk, "kid")?.map(str::to_owned);
        let issuer = optional_text(jwk, "issuer")?.map(str::to_owned);
        let certificate = certificate(jwk, &key);
        Some(Self { kid, alg, issuer, certificate, key })
    }
}

/// RFC 7517 §4.2 and §4.3: `use` and `key_ops`, where they are there, have to allow it.
fn is_for_signatures(jwk: &Map<String, Value>) -> bool {
    let by_use = jwk.get("use").is_none_or(|purpose| purpose == "sig");
    let by_operation = jwk.get("key_ops").is_none_or(|operations| {
        operations.as_array().is_some_and(|list| list.iter().any(|name| name == "verify"))
    });
    by_use && by_operation
}

/// Members of private and symmetric keys that a JWK has: it should never have left its owner.
#[must_use]
pub fn has_secret_members(jwk: &Map<String, Value>) -> bool {
    SECRET_MEMBERS.iter().any(|name| jwk.contains_key(*name))
}

/// RFC 7518 §6, RFC 8037 §2.
pub(crate) fn read_key(jwk: &Map<String, Value>) -> Result<VerificationKey, KeyError> {
    let name = |member| jwk.get(member).and_then(Value::as_str).ok_or(KeyError::Malformed);
    let number = |member| from_base64url(name(member)?).ok_or(KeyError::Malformed);
    match name("kty")? {
        "RSA" => VerificationKey::from_rsa_components(&number("n")?, &number("e")?),
        "EC" => {
            let kind = match name("crv")? {
                "P-256" => KeyKind::P256,
                "P-384" => KeyKind::P384,
                other => return Err(KeyError::Unsupported { what: other.to_owned() }),
            };
            VerificationKey::from_ec_point(kind, &number("x")?, &number("y")?)
        }
        "OKP" if name("crv")? == "Ed25519" => VerificationKey::from_ed25519(&number("x")?),
        other => Err(KeyError::Unsupported { what: other.to_owned() }),
    }
}

fn certificate(jwk: &Map<String, Value>, key: &VerificationKey) -> Option<Box<[u8]>> {
    let first = jwk.get("x5c")?.as_array()?.first()?.as_str()?;
    let der = from_spaced_base64(first)?;
    x509::is_for_key(&der, key).then(|| der.into())
}

/// `None` when the member is there but no string.
fn optional_text<'a>(jwk: &'a Map<String, Value>, name: &str) -> Option<Option<&'a str>> {
    jwk.get(name).map_or(Some(None), |value| value.as_str().map(Some))
}
