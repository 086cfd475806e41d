//! JWS in compact serialisation (RFC 7515 §7.1): signing ours, reading others'.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::base64::{from_base64url, to_base64url};
use crate::{
    SignatureAlgorithm, SigningError, SigningKey, StrictJsonError, VerificationKey, strict_json,
};

#[cfg(test)]
mod tests;

/// Signs `claims` as a compact JWS with the header members `alg`, `typ` and `kid`.
///
/// # Errors
/// The claims cannot be written as JSON, or the key could not sign.
pub fn sign_compact(
    key: &SigningKey,
    typ: &str,
    claims: &impl Serialize,
) -> Result<String, SigningError> {
    let header = OurHeader { alg: key.algorithm().as_str(), typ, kid: key.kid() };
    let header = serde_json::to_vec(&header).map_err(|_| SigningError::Claims)?;
    let claims = serde_json::to_vec(claims).map_err(|_| SigningError::Claims)?;
    let mut token = format!("{}.{}", to_base64url(&header), to_base64url(&claims));
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    token.push_str(&to_base64url(&signature));
    Ok(token)
}

#[derive(Serialize)]
struct OurHeader<'a> {
    alg: &'static str,
    typ: &'a str,
    kid: &'a str,
}

/// Why a JWS is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JwsError {
    #[error("the algorithm {0:?} is not allowed here")]
    AlgorithmNotAllowed(String),
    #[error("the payload is not a JSON object")]
    ClaimsNotAnObject,
    #[error("the header has `{0}`, which is not supported")]
    CriticalHeader(&'static str),
    #[error("the header is not as RFC 7515 section 4 wants it")]
    Header,
    #[error("the header or the claims are refused: {0}")]
    Json(#[from] StrictJsonError),
    #[error("the signing algorithm does not fit the key")]
    KeyDoesNotFit,
    #[error("the token is not three parts of base64url")]
    NotCompact,
    #[error("the signature does not verify")]
    Signature,
    #[error("the token is longer than {MAX_TOKEN} bytes")]
    TooLong,
}

/// The longest token that is read, in bytes.
const MAX_TOKEN: usize = 64 * 1024;

/// RFC 7515 §4.1.11, RFC 7797 §3, RFC 7516 §4.1.3: each changes what the token means; none is needed here.
const UNSUPPORTED_HEADERS: [&str; 3] = ["crit", "b64", "zip"];

/// A token whose form is right. What it says is a claim of whoever sent it.
///
/// Keys in its header (`jwk`, `jku`, `x5c`, `x5u`) are not even read: a message does not choose its own key.
pub struct UnverifiedJws {
    header: Header,
    payload: Vec<u8>,
    signing_input: String,
    signature: Vec<u8>,
}

struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
}

impl UnverifiedJws {
    /// Takes a token apart (RFC 7515 §5.2).
    ///
    /// # Errors
    /// The token is too long or not compact serialisation, or its header is not an object with a string `alg`, has a
    /// member twice, or asks for an extension.
    pub fn parse(token: &str) -> Result<Self, JwsError> {
        if token.len() > MAX_TOKEN {
            return Err(JwsError::TooLong);
        }
        let (signing_input, signature) = token.rsplit_once('.').ok_or(JwsError::NotCompact)?;
        // a fourth part leaves a dot in the payload, which is not base64url
        let (header, payload) = signing_input.split_once('.').ok_or(JwsError::NotCompact)?;
        let decoded = (from_base64url(header), from_base64url(payload), from_base64url(signature));
        let (Some(header), Some(payload), Some(signature)) = decoded else {
            return Err(JwsError::NotCompact);
        };
        Ok(Self {
            header: Header::read(&header)?,
            payload,
            signature,
            signing_input: signing_input.to_owned(),
        })
    }

    /// The algorithm, if it is one that we know; `none` and the HMACs are not.
    #[must_use]
    pub fn alg(&self) -> Option<SignatureAlgorithm> {
        SignatureAlgorithm::from_jws(&self.header.alg)
    }

    /// The `alg` as it was sent.
    #[must_use]
    pub fn alg_name(&self) -> &str {
        &self.header.alg
    }

    /// A look-up key among keys that are trusted already; nothing else.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.header.typ.as_deref()
    }

    /// The payload before anyone vouched for it: for look-up keys only.
    #[must_use]
    pub fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }

    /// Verifies with a key and the algorithms that were pinned beside it (RFC 8725 §3.1).
    ///
    /// # Errors
    /// The algorithm is unknown, not allowed or does not fit the key, or the signature is wrong.
    pub fn verify(
        self,
        key: &VerificationKey,
        allowed: &[SignatureAlgorithm],
    ) -> Result<VerifiedJws, JwsError> {
        let Some(algorithm) = self.alg().filter(|algorithm| allowed.contains(algorithm)) else {
            return Err(JwsError::AlgorithmNotAllowed(self.header.alg));
        };
        if !algorithm.fits(key.kind()) {
            return Err(JwsError::KeyDoesNotFit);
        }
        key.verify(algorithm, self.signing_input.as_bytes(), &self.signature)
            .map_err(|_| JwsError::Signature)?;
        Ok(VerifiedJws { algorithm, header: self.header, payload: self.payload })
    }
}

/// A token that carries personal data is not for logs.
impl fmt::Debug for UnverifiedJws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnverifiedJws(alg {:?})", self.header.alg)
    }
}

/// A token whose signature a trusted key has verified. Made by [`UnverifiedJws::verify`] only.
pub struct VerifiedJws {
    algorithm: SignatureAlgorithm,
    header: Header,
    payload: Vec<u8>,
}

impl VerifiedJws {
    #[must_use]
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.header.typ.as_deref()
    }

    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The payload as a JWT claims set (RFC 7519 §4), read with [`strict_json()`].
    ///
    /// # Errors
    /// The payload is not a JSON object or has a member twice at any depth.
    pub fn claims(&self) -> Result<Map<String, Value>, JwsError> {
        match strict_json(&self.payload)? {
            Value::Object(claims) => Ok(claims),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => Err(JwsError::ClaimsNotAnObject),
        }
    }
}

impl fmt::Debug for VerifiedJws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifiedJws({:?})", self.algorithm)
    }
}

impl Header {
    /// RFC 7515 §4: a JSON object without duplicates; `alg` is required.
    fn read(json: &[u8]) -> Result<Self, JwsError> {
        let header = strict_json(json)?;
        let header = header.as_object().ok_or(JwsError::Header)?;
        if let Some(name) = UNSUPPORTED_HEADERS.iter().find(|name| header.contains_key(**name)) {
            return Err(JwsError::CriticalHeader(name));
        }
        // it ends up in error texts; no registered name is half as long
        let alg = text(header, "alg")?.filter(|alg| alg.len() <= 32).ok_or(JwsError::Header)?;
        Ok(Self { alg, kid: text(header, "kid")?, typ: text(header, "typ")? })
    }
}

fn text(header: &Map<String, Value>, name: &str) -> Result<Option<String>, JwsError> {
    match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(JwsError::Header),
    }
}
