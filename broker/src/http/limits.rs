//! Rate limits (RULES 38), counted in fixed windows by this process and, near the limit, by all nodes together.
//!
//! Verify first: where a request can prove something (a secret, an assertion, a code), it is answered before it is counted,
//! and only a refusal counts and can become 429; so a flood of wrong secrets never keeps the right one out. Requests that
//! prove nothing are counted on arrival.

mod shared;

use std::net::IpAddr;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};

use self::shared::Shared;
use super::{client_address, error};
use crate::app::App;
use crate::config::Limits;
use crate::counter::{TooMany, sender};
use crate::sessions::record::Records;

/// All counters of this process.
#[derive(Debug)]
pub struct Limiter {
    enabled: bool,
    addresses: Shared,
    clients: Shared,
    failures: Shared,
    guesses: Shared,
    browsers: Shared,
}

/// How a path is limited.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// Proves nothing: every request counts, on arrival.
    Open,
    /// Proves something: refusals count, afterwards.
    Proof,
    /// Not limited: documents, assets, probes.
    Free,
}

/// Stands in the extensions of an answer that refuses and is no failure: a device that asks, not too often, whether its user
/// has decided (RFC 8628 §3.5), or a proof that needs a nonce (RFC 9449 §8).
#[derive(Clone, Copy, Debug)]
pub struct NoFailure;

impl Limiter {
    /// With these rates; `shared` is where several nodes count together.
    pub fn new(limits: &Limits, shared: Option<&Records>) -> Self {
        Self {
            enabled: limits.enabled,
            addresses: Shared::new("address", limits.per_address, shared),
            clients: Shared::new("client", limits.per_client, shared),
            failures: Shared::new("failures", limits.failures, shared),
            guesses: Shared::new("guesses", limits.failures, shared),
            browsers: Shared::new("browser", limits.failures, shared),
        }
    }

    /// Counts a request of an authenticated client, before anything is spent or issued for it. Only a client that proved its
    /// secret (or a public one, by its code) is counted here, so nobody can use up another's share.
    ///
    /// # Errors
    /// [`TooMany`] above `limits.per_client`.
    pub fn client(&self, client_id: &str, now: DateTime<Utc>) -> Result<(), TooMany> {
        if self.enabled { self.clients.count(client_id.to_owned(), now) } else { Ok(()) }
    }

    /// Counts a guess of what is short enough to be guessed, before it is looked at: here the right answer does not pass
    /// above the limit (RFC 8628 §5.1). By address, and by browser where it shows its cookie.
    ///
    /// # Errors
    /// [`TooMany`] above `limits.failures`.
    pub fn guess(
        &self,
        sender: Option<IpAddr>,
        browser: &str,
        now: DateTime<Utc>,
    ) -> Result<(), TooMany> {
        if !self.enabled {
            return Ok(());
        }
        let by_browser = self.browsers.count(browser.to_owned(), now);
        sender.map_or(Ok(()), |sender| self.guesses.count(sender.to_string(), now)).and(by_browser)
    }

    /// Counts a request that proves nothing.
    ///
    /// # Errors
    /// [`TooMany`] above `limits.per_address`.
    pub fn open(&self, sender: IpAddr, now: DateTime<Utc>) -> Result<(), TooMany> {
        if self.enabled { self.addresses.count(sender.to_string(), now) } else { Ok(()) }
    }

    fn refused(&self, sender: IpAddr, client: &str, now: DateTime<Utc>) -> Result<(), TooMany> {
        if !self.enabled {
            return Ok(());
        }
        let of_client = self.failures.count(format!("{sender}\n{client}"), now);
        of_client.and(self.addresses.count(sender.to_string(), now))
    }
}

/// Middleware: counts, and answers 429 above a limit.
///
/// # Errors
/// As the services below.
pub async fn enforce<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let kind = kind(request.path());
    let (Some(app), true) = (request.app_data::<Data<App>>().cloned(), kind != Kind::Free) else {
        return Ok(next.call(request).await?.map_into_left_body());
    };
    let proxies = &app.config.http.trusted_proxies;
    let Some(address) = client_address::of(request.request(), proxies) else {
        return Ok(next.call(request).await?.map_into_left_body());
    };
    let sender = sender(address);
    if kind == Kind::Open {
        if let Err(too_many) = app.limits.open(sender, app.now()) {
            let refused = too_many.response(request.path());
            return Ok(request.into_response(refused).map_into_right_body());
        }
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let client = named_client(&request);
    let response = next.call(request).await?;
    if !is_refusal(response.status()) || response.response().extensions().contains::<NoFailure>() {
        return Ok(response.map_into_left_body());
    }
    match app.limits.refused(sender, &client, app.now()) {
        Ok(()) => Ok(response.map_into_left_body()),
        Err(too_many) => {
            let mut refused = too_many.response(response.request().path());
            keep(response.headers(), refused.headers_mut());
            Ok(response.into_response(refused).map_into_right_body())
        }
    }
}

/// What a refusal says to pages and to who sends proofs, its 429 says too: the one can be read, the other tried again.
fn keep(from: &HeaderMap, to: &mut HeaderMap) {
    let is_kept =
        |name: &str| name == "dpop-nonce" || name == "vary" || name.starts_with("access-control-");
    for (name, value) in from.iter().filter(|(name, _)| is_kept(name.as_str())) {
        to.append(name.clone(), value.clone());
    }
}

impl TooMany {
    /// 429 with `Retry-After` (RFC 6585 §4), in the shape of the path.
    pub fn response(self, path: &str) -> HttpResponse {
        let text = "Too many requests. Try again in a moment.";
        let mut response = error::answer(path, StatusCode::TOO_MANY_REQUESTS, text);
        response.headers_mut().insert(header::RETRY_AFTER, self.retry_after.into());
        response
    }
}

fn kind(path: &str) -> Kind {
    let under = |folder: &str| path.starts_with(folder);
    match path {
        "/authorize" | "/home-realm" | "/login" | "/oauth/device/code" | "/oidc/logout"
        | "/consents" | "/sessions" => Kind::Open,
        "/login/continue" | "/login/password" | "/consent" | "/device" | "/userinfo" => Kind::Proof,
        _ if under("/oidc/register") => Kind::Proof,
        _ if under("/oauth/") || under("/api/") || under("/callback/") => Kind::Proof,
        _ if under("/saml/") && path.ends_with("/acs") => Kind::Proof,
        _ => Kind::Free,
    }
}

/// 404, 405 and 409 and the like are answers, not failed proofs.
fn is_refusal(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

/// The user of HTTP Basic, as it is named: a counter's key, nothing more.
fn named_client(request: &ServiceRequest) -> String {
    let credentials = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(|value| STANDARD.decode(value).ok());
    let pair = credentials.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    let name = pair.split(':').next().unwrap_or_default();
    name.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Rate;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_900_000_000 - 1_900_000_000 % 60 + second, 0).unwrap()
    }

    fn limiter(enabled: bool) -> Limiter {
        let rate = |count| Rate { count, seconds: 60 };
        Limiter::new(
            &Limits { enabled, per_address: rate(3), per_client: rate(2), failures: rate(1) },
            None,
        )
    }

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const B: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[tokio::test]
    async fn a_sender_gets_its_share_of_each_window_and_no_more() {
        let limiter = limiter(true);
        for _ in 0..3 {
            assert_eq!(limiter.open(A, at(0)), Ok(()));
        }
        assert_eq!(limiter.open(A, at(0)), Err(TooMany { retry_after: 60 }));
        assert_eq!(limiter.open(A, at(59)), Err(TooMany { retry_after: 1 }));
        assert_eq!(limiter.open(B, at(59)), Ok(()));
        assert_eq!(limiter.open(A, at(60)), Ok(()));
    }

    #[tokio::test]
    async fn failures_count_by_address_and_client_and_towards_the_address() {
        let limiter = limiter(true);
        assert_eq!(limiter.refused(A, "x", at(0)), Ok(()));
        assert!(limiter.refused(A, "x", at(0)).is_err());
        assert_eq!(limiter.refused(A, "y", at(0)), Ok(()));
        assert_eq!(limiter.refused(B, "x", at(0)), Ok(()));
    }

    #[tokio::test]
    async fn a_client_has_its_own_share() {
        let limiter = limiter(true);
        assert_eq!((limiter.client("a", at(0)), limiter.client("a", at(0))), (Ok(()), Ok(())));
        assert!(limiter.client("a", at(0)).is_err());
        assert_eq!(limiter.client("b", at(0)), Ok(()));
    }

    #[tokio::test]
    async fn guesses_count_by_address_and_by_browser_before_anything_is_looked_at() {
        let limiter = limiter(true);
        assert_eq!(limiter.guess(Some(A), "x", at(0)), Ok(()));
        assert!(limiter.guess(Some(A), "y", at(0)).is_err());
        assert!(limiter.guess(Some(B), "x", at(0)).is_err());
        assert_eq!(limiter.guess(Some(B), "z", at(60)), Ok(()));
    }

    #[test]
    fn nothing_is_limited_when_switched_off() {
        let limiter = limiter(false);
        for _ in 0..10 {
            assert_eq!(limiter.open(A, at(0)), Ok(()));
            assert_eq!(limiter.refused(A, "", at(0)), Ok(()));
            assert_eq!(limiter.client("a", at(0)), Ok(()));
        }
    }

    #[test]
    fn only_documents_and_probes_are_free() {
        let free: Vec<_> =
            super::super::routes::patterns().filter(|p| kind(p) == Kind::Free).collect();
        assert_eq!(
            free,
            [
                "/healthz",
                "/readyz",
                "/assets/{name}",
                "/saml/{connection}/metadata",
                "/.well-known/openid-configuration",
                "/.well-known/oauth-authorization-server",
                "/.well-known/jwks.json"
            ]
        );
    }

    #[test]
    fn proofs_are_verified_before_they_are_counted() {
        for path in [
            "/oauth/token",
            "/saml/acme/acs",
            "/callback/acme",
            "/login/continue",
            "/login/password",
            "/api/v1/clients",
            "/device",
            "/oidc/register",
        ] {
            assert_eq!(kind(path), Kind::Proof, "{path}");
        }
        for path in ["/authorize", "/login", "/home-realm", "/oauth/device/code"] {
            assert_eq!(kind(path), Kind::Open, "{path}");
        }
        for path in
            ["/healthz", "/.well-known/jwks.json", "/saml/acme/metadata", "/assets/style.css"]
        {
            assert_eq!(kind(path), Kind::Free, "{path}");
        }
    }
}
