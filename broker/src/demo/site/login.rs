//! The sample site as an OpenID Connect client: code, PKCE, state and nonce; what any application does.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use homerealm_certs::{Random, SignatureAlgorithm};
use homerealm_connectors::http::Secret;
use serde_json::{Map, Value};
use url::Url;

use super::visitors::{Pending, SignedIn};
use crate::demo::trusted_issuer::TrustedIssuer;
use crate::ids;
use crate::oauth::params::Params;

/// What the site was registered with.
pub(in crate::demo) struct Registration {
    pub(in crate::demo) client_id: String,
    pub(in crate::demo) client_secret: String,
    pub(in crate::demo) redirect_uri: String,
    /// The API whose access token it asks for.
    pub(in crate::demo) audience: &'static str,
}

/// Signs people in.
pub(super) struct Login {
    registration: Registration,
    issuer: Arc<TrustedIssuer>,
}

/// Bytes of a token answer.
const ANSWER: usize = 64 * 1024;
const SCOPES: &str = "openid profile email";

impl Login {
    pub(super) fn new(registration: Registration, issuer: Arc<TrustedIssuer>) -> Self {
        Self { registration, issuer }
    }

    pub(super) fn issuer(&self) -> &TrustedIssuer {
        &self.issuer
    }

    /// What to remember, and where to send the browser (OIDC Core §3.1.2.1).
    pub(super) async fn begin(
        &self,
        hint: Option<&str>,
        random: &dyn Random,
    ) -> Result<(Pending, Url), String> {
        let endpoints = self.issuer.endpoints().await.map_err(|e| e.to_string())?;
        let pending = Pending {
            state: ids::secret(random),
            nonce: ids::secret(random),
            verifier: ids::secret(random),
        };
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, pending.verifier.as_bytes()));
        let mut url = endpoints.authorization_endpoint.clone();
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", &self.registration.client_id),
            ("redirect_uri", &self.registration.redirect_uri),
            ("scope", &format!("{SCOPES} {}", crate::demo::api::SCOPE)),
            ("audience", self.registration.audience),
            ("state", &pending.state),
            ("nonce", &pending.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        if let Some(hint) = hint {
            url.query_pairs_mut().append_pair("login_hint", hint);
        }
        Ok((pending, url))
    }

    /// From the broker's answer to a verified ID token.
    pub(super) async fn finish(
        &self,
        pending: &Pending,
        answer: &Params,
        now: DateTime<Utc>,
    ) -> Result<SignedIn, String> {
        let code = self.code(pending, answer)?;
        let tokens = self.redeem(pending, code).await?;
        let text = |name: &str| {
            let found = tokens.get(name).and_then(Value::as_str).map(str::to_owned);
            found.ok_or_else(|| format!("The token answer has no {name}."))
        };
        let (id_token, access_token) = (text("id_token")?, text("access_token")?);
        let claims = self.verified(&id_token, pending, now).await?;
        Ok(SignedIn { claims, id_token, access_token })
    }

    /// RFC 6749 §4.1.2, RFC 9207 §2.4.
    fn code<'a>(&self, pending: &Pending, answer: &'a Params) -> Result<&'a str, String> {
        if answer.get("iss") != Some(self.issuer.issuer()) {
            return Err("The answer is not from our broker.".to_owned());
        }
        if answer.get("state") != Some(pending.state.as_str()) {
            return Err("The answer belongs to another sign-in.".to_owned());
        }
        if let Some(error) = answer.get("error") {
            let said = answer.get("error_description").unwrap_or_default();
            return Err(format!("The broker answered {error}. {said}"));
        }
        answer.get("code").ok_or_else(|| "The answer has no code.".to_owned())
    }

    /// RFC 6749 §4.1.3, with HTTP Basic; neither our id nor our secret has anything to encode.
    async fn redeem(&self, pending: &Pending, code: &str) -> Result<Map<String, Value>, String> {
        let endpoint = &self.issuer.endpoints().await.map_err(|e| e.to_string())?.token_endpoint;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.registration.redirect_uri),
            ("code_verifier", &pending.verifier),
        ];
        let secret = Secret::from(self.registration.client_secret.clone());
        let basic = Some((self.registration.client_id.as_str(), &secret));
        let fetched = self.issuer.outbound().post_form(endpoint, &fields, basic, ANSWER).await;
        let fetched = fetched.map_err(|e| e.to_string())?;
        let body: Map<String, Value> = serde_json::from_slice(&fetched.body).unwrap_or_default();
        if fetched.status == 200 {
            return Ok(body);
        }
        let error = body.get("error").and_then(Value::as_str).unwrap_or("no reason");
        Err(format!("The token endpoint answered {}: {error}.", fetched.status))
    }

    /// OIDC Core §3.1.3.7.
    async fn verified(
        &self,
        id_token: &str,
        pending: &Pending,
        now: DateTime<Utc>,
    ) -> Result<Map<String, Value>, String> {
        let token = self.issuer.verify(id_token, &[SignatureAlgorithm::EcdsaP256Sha256]).await;
        let claims = token.map_err(|e| e.to_string())?.claims().map_err(|e| e.to_string())?;
        let is = |name: &str, value: &str| claims.get(name).and_then(Value::as_str) == Some(value);
        let lives = claims.get("exp").and_then(Value::as_i64).is_some_and(|e| now.timestamp() < e);
        let fits = is("iss", self.issuer.issuer())
            && is("aud", &self.registration.client_id)
            && is("nonce", &pending.nonce)
            && lives;
        if fits { Ok(claims) } else { Err("The ID token is not for this sign-in.".to_owned()) }
    }
}

/// Header and payload of a JWT, for people to look at; the site itself relies on neither.
pub(super) fn shown(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    });
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registration({})", self.client_id)
    }
}
