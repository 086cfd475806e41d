//! Tokens, read by a JOSE library that is not ours against the keys that the broker publishes.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use reqwest::Client;
use serde_json::Value;

/// What a verified token says.
#[derive(Clone, Debug)]
pub struct Verified {
    /// `typ` of its header.
    pub typ: Option<String>,
    /// `alg` of its header.
    pub alg: Algorithm,
    /// Its claims.
    pub claims: Value,
}

/// Fetches the key set as any resource server would: discovery first.
pub async fn jwks(http: &Client, issuer: &str) -> JwkSet {
    let discovery = json(http, &format!("{issuer}/.well-known/openid-configuration")).await;
    assert_eq!(discovery["issuer"], issuer);
    serde_json::from_value(json(http, discovery["jwks_uri"].as_str().unwrap()).await).unwrap()
}

/// Verifies signature, `exp`, `iss` and `aud`.
///
/// # Errors
/// As the library says.
pub fn verify(
    keys: &JwkSet,
    token: &str,
    issuer: &str,
    audience: &str,
) -> Result<Verified, jsonwebtoken::errors::Error> {
    let header = decode_header(token)?;
    let jwk = header.kid.as_deref().and_then(|kid| keys.find(kid)).expect("kid of the JWKS");
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.leeway = 0;
    let read = decode::<Value>(token, &DecodingKey::from_jwk(jwk)?, &validation)?;
    Ok(Verified { typ: header.typ, alg: header.alg, claims: read.claims })
}

async fn json(http: &Client, url: &str) -> Value {
    let response = http.get(url).send().await.unwrap();
    assert_eq!(response.status(), 200, "{url}");
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}
