//! The rules by which the sample API takes an access token (RFC 9068 §4).

#[cfg(test)]
mod tests;

use actix_web::http::StatusCode;
use chrono::{DateTime, Utc};
use homerealm_certs::VerifiedJws;
use serde_json::{Map, Value};

use crate::demo::trusted_issuer::TokenFault;

/// What the API compares with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) audience: &'a str,
    pub(super) scope: &'a str,
    pub(super) now: DateTime<Utc>,
}

/// Who calls.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Caller {
    pub(super) subject: String,
    pub(super) client_id: String,
    pub(super) organization: Option<String>,
}

/// Why a token is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum TokenRefused {
    /// RFC 9068 §4: `aud` names the API.
    #[error("the token is for {received}, this API is {expected}")]
    Audience {
        /// This API.
        expected: String,
        /// `aud`.
        received: String,
    },
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// Not from the issuer that this API trusts.
    #[error("the token is from {received}, this API takes those of {expected}")]
    Issuer {
        /// The trusted issuer.
        expected: String,
        /// `iss`.
        received: String,
    },
    /// A claim that every access token has is missing or of another type.
    #[error("the token has no usable `{0}`")]
    Malformed(&'static str),
    /// No token.
    #[error("send an access token: Authorization: Bearer …")]
    Missing,
    /// RFC 6750 §3.1.
    #[error("the token does not allow {0}")]
    Scope(String),
    /// The signature does not hold, or the issuer's keys cannot be had.
    #[error("the token's signature is not accepted: {0}")]
    Signature(#[from] TokenFault),
    /// RFC 9068 §2.1: an ID token is not an access token.
    #[error("the token's type is {0}, not at+jwt: this is not an access token")]
    Type(String),
}

impl TokenRefused {
    /// RFC 6750 §3.1.
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::Scope(_) => StatusCode::FORBIDDEN,
            Self::Signature(TokenFault::Unavailable(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Audience { .. }
            | Self::Expired
            | Self::Issuer { .. }
            | Self::Malformed(_)
            | Self::Missing
            | Self::Signature(TokenFault::Jws(_) | TokenFault::UnknownKey)
            | Self::Type(_) => StatusCode::UNAUTHORIZED,
        }
    }

    /// RFC 6750 §3.1: a request without a token gets no error code.
    pub(super) const fn error(&self) -> Option<&'static str> {
        match self {
            Self::Missing => None,
            Self::Scope(_) => Some("insufficient_scope"),
            Self::Audience { .. }
            | Self::Expired
            | Self::Issuer { .. }
            | Self::Malformed(_)
            | Self::Signature(_)
            | Self::Type(_) => Some("invalid_token"),
        }
    }
}

/// Every rule, on a token whose signature holds.
pub(super) fn check(token: &VerifiedJws, expected: &Expected<'_>) -> Result<Caller, TokenRefused> {
    is_an_access_token(token)?;
    let claims = token.claims().map_err(TokenFault::Jws)?;
    is_from(&claims, expected.issuer)?;
    is_for(&claims, expected.audience)?;
    has_not_expired(&claims, expected.now)?;
    allows(&claims, expected.scope)?;
    Ok(Caller {
        subject: text(&claims, "sub")?.to_owned(),
        client_id: text(&claims, "client_id")?.to_owned(),
        organization: claims.get("org_name").and_then(Value::as_str).map(str::to_owned),
    })
}

/// RFC 9068 §4, with RFC 7515 §4.1.9: `application/` may be left out.
fn is_an_access_token(token: &VerifiedJws) -> Result<(), TokenRefused> {
    let typ = token.typ().unwrap_or("none").to_ascii_lowercase();
    if typ.strip_prefix("application/").unwrap_or(&typ) == "at+jwt" {
        Ok(())
    } else {
        Err(TokenRefused::Type(typ))
    }
}

/// Exactly, as text.
fn is_from(claims: &Map<String, Value>, expected: &str) -> Result<(), TokenRefused> {
    let received = text(claims, "iss")?;
    if received == expected {
        return Ok(());
    }
    Err(TokenRefused::Issuer { expected: expected.to_owned(), received: received.to_owned() })
}

/// RFC 7519 §4.1.3: one text, or several.
fn is_for(claims: &Map<String, Value>, expected: &str) -> Result<(), TokenRefused> {
    let audiences: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        Some(_) | None => Vec::new(),
    };
    if audiences.contains(&expected) {
        return Ok(());
    }
    Err(TokenRefused::Audience { expected: expected.to_owned(), received: audiences.join(" ") })
}

/// RFC 7519 §4.1.4: not on or after. Issuer and API share a clock here, so no skew is granted.
fn has_not_expired(claims: &Map<String, Value>, now: DateTime<Utc>) -> Result<(), TokenRefused> {
    let exp = claims.get("exp").and_then(Value::as_i64).ok_or(TokenRefused::Malformed("exp"))?;
    if now.timestamp() < exp { Ok(()) } else { Err(TokenRefused::Expired) }
}

fn allows(claims: &Map<String, Value>, scope: &str) -> Result<(), TokenRefused> {
    if text(claims, "scope")?.split(' ').any(|granted| granted == scope) {
        Ok(())
    } else {
        Err(TokenRefused::Scope(scope.to_owned()))
    }
}

fn text<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, TokenRefused> {
    claims.get(name).and_then(Value::as_str).ok_or(TokenRefused::Malformed(name))
}
