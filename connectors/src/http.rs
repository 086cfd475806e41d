//! The one outbound HTTP client: discovery, key sets, token requests, userinfo and metadata all go through it.
//!
//! What an administrator or an upstream document names is a URL that we are made to call. So: https, an address that was
//! resolved once, checked and then used, no redirects, no proxy from the environment, one deadline over everything and a
//! cap on the bytes that are read. Compression is not offered, so the cap counts decoded bytes.

mod addresses;
mod client;
mod error;
mod resolver;

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, DATE, HeaderMap, HeaderValue,
};
use reqwest::{Method, Request};
use url::Url;
use zeroize::Zeroizing;

pub use addresses::{AddressRefused, OutboundPolicy};
use client::Clients;
pub use error::OutboundError;

/// The outbound client; cloning is not needed, share it in an `Arc`.
#[derive(Debug)]
pub struct Outbound {
    clients: Clients,
    deadline: Duration,
}

/// What a server answered. Redirects never get here.
pub struct Fetched {
    pub status: u16,
    /// The media type in lower case, without parameters.
    pub content_type: Option<String>,
    pub body: Vec<u8>,
    /// `max-age` of `Cache-Control`; zero for `no-store` and `no-cache` (RFC 9111 §5.2.2).
    pub max_age: Option<Duration>,
    /// The server's clock when it answered (RFC 9110 §6.6.1), to the second.
    pub date: Option<DateTime<Utc>>,
}

/// A text that must not be shown: a client secret, an access token. Wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Outbound {
    /// From the first byte of the connection to the last of the body.
    const DEADLINE: Duration = Duration::from_secs(10);

    #[must_use]
    pub fn new(policy: OutboundPolicy) -> Self {
        Self::with_deadline(policy, Self::DEADLINE)
    }

    pub(crate) fn with_deadline(policy: OutboundPolicy, deadline: Duration) -> Self {
        Self { clients: Clients::new(policy), deadline }
    }

    #[must_use]
    pub fn policy(&self) -> &OutboundPolicy {
        self.clients.policy()
    }

    /// GET with at most `max_bytes` of body.
    ///
    /// # Errors
    /// The URL or its address is not allowed, the server cannot be reached in time, answers with a redirect or too much.
    pub async fn get(
        &self,
        url: &Url,
        accept: &str,
        max_bytes: usize,
    ) -> Result<Fetched, OutboundError> {
        self.send(Self::request(Method::GET, url, accept)?, max_bytes).await
    }

    /// GET with a bearer token (RFC 6750 §2.1).
    ///
    /// # Errors
    /// As [`Outbound::get`]; a token that cannot stand in a header is refused as well.
    pub async fn get_bearer(
        &self,
        url: &Url,
        accept: &str,
        token: &Secret,
        max_bytes: usize,
    ) -> Result<Fetched, OutboundError> {
        let mut request = Self::request(Method::GET, url, accept)?;
        let value = Zeroizing::new(format!("Bearer {}", token.expose()));
        request.headers_mut().insert(AUTHORIZATION, sensitive(&value)?);
        self.send(request, max_bytes).await
    }

    /// POST of a form, as every OAuth endpoint takes it; `basic` are the already encoded user and password of HTTP Basic.
    ///
    /// # Errors
    /// As [`Outbound::get`].
    pub async fn post_form(
        &self,
        url: &Url,
        fields: &[(&str, &str)],
        basic: Option<(&str, &Secret)>,
        max_bytes: usize,
    ) -> Result<Fetched, OutboundError> {
        let mut request = Self::request(Method::POST, url, "application/json")?;
        let form =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        *request.body_mut() = Some(form.into());
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, form_type);
        if let Some((user, password)) = basic {
            request
                .headers_mut()
                .insert(AUTHORIZATION, sensitive(&basic_credentials(user, password))?);
        }
        self.send(request, max_bytes).await
    }

    fn request(method: Method, url: &Url, accept: &str) -> Result<Request, OutboundError> {
        let mut request = Request::new(method, url.clone());
        let accept = HeaderValue::from_str(accept).map_err(|_| OutboundError::Header)?;
        request.headers_mut().insert(ACCEPT, accept);
        Ok(request)
    }

    async fn send(&self, request: Request, max_bytes: usize) -> Result<Fetched, OutboundError> {
        let client = self.clients.for_url(request.url())?;
        tokio::time::timeout(self.deadline, read(client.execute(request), max_bytes))
            .await
            .map_err(|_| OutboundError::Deadline)?
    }
}

impl Fetched {
    /// Whether the answer says that it is JSON: `application/json`, or a type ending in `+json`.
    ///
    /// A captive portal or an error page answers 200 with HTML.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.content_type
            .as_deref()
            .is_some_and(|t| t == "application/json" || t.ends_with("+json"))
    }
}

async fn read(
    answer: impl Future<Output = reqwest::Result<reqwest::Response>>,
    max_bytes: usize,
) -> Result<Fetched, OutboundError> {
    let mut response = answer.await.map_err(OutboundError::from_transport)?;
    let status = response.status().as_u16();
    if response.status().is_redirection() {
        return Err(OutboundError::Redirected { status });
    }
    let too_large = OutboundError::TooLarge { max_bytes };
    if response.content_length().is_some_and(|length| length > max_bytes as u64) {
        return Err(too_large);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(OutboundError::from_transport)? {
        if body.len() + chunk.len() > max_bytes {
            return Err(too_large);
        }
        body.extend_from_slice(&chunk);
    }
    let (content_type, max_age) = (media_type(response.headers()), max_age(response.headers()));
    let date = date(response.headers());
    Ok(Fetched { status, content_type, body, max_age, date })
}

fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next()?.trim().to_ascii_lowercase())
}

fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let text = headers.get(DATE)?.to_str().ok()?;
    DateTime::parse_from_rfc2822(text).ok().map(|date| date.to_utc())
}

fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(CACHE_CONTROL)?.to_str().ok()?.to_ascii_lowercase();
    let directives = || value.split(',').map(str::trim);
    if directives().any(|d| d == "no-store" || d == "no-cache") {
        return Some(Duration::ZERO);
    }
    directives()
        .find_map(|d| d.strip_prefix("max-age="))
        .and_then(|seconds| seconds.trim_matches('"').parse().ok())
        .map(Duration::from_secs)
}

/// RFC 7617 §2.
fn basic_credentials(user: &str, password: &Secret) -> Zeroizing<String> {
    use base64::Engine as _;
    let pair = Zeroizing::new(format!("{user}:{}", password.expose()));
    Zeroizing::new(format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(pair.as_bytes())
    ))
}

fn sensitive(text: &str) -> Result<HeaderValue, OutboundError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| OutboundError::Header)?;
    value.set_sensitive(true);
    Ok(value)
}

impl Secret {
    /// The text itself; for the request that needs it, never for a log.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

/// Bodies hold tokens and claims, so only their length is shown.
impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetched")
            .field("status", &self.status)
            .field("content_type", &self.content_type)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests;
