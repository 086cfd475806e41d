use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Client;
use url::{Host, Url};

use super::addresses::OutboundPolicy;
use super::error::OutboundError;
use super::resolver::GuardedResolver;

/// One client for each scheme and port, so that its resolver knows which port an address will be used with.
///
/// A pooled connection was made to an address that passed the same, unchanging policy: reusing it skips no check.
#[derive(Debug)]
pub(super) struct Clients {
    policy: Arc<OutboundPolicy>,
    by_port: Mutex<HashMap<(bool, u16), Client>>,
}

/// More ports than any set of identity providers uses; beyond it a client lives for one request.
const MAX_CLIENTS: usize = 64;

impl Clients {
    const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
    /// Shorter than servers keep idle connections (five seconds and more), so that a code is not sent into a closing one.
    const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

    pub(super) fn new(policy: OutboundPolicy) -> Self {
        Self { policy: Arc::new(policy), by_port: Mutex::default() }
    }

    pub(super) fn policy(&self) -> &OutboundPolicy {
        &self.policy
    }

    /// The client for this URL, after everything that can be judged without a name server.
    pub(super) fn for_url(&self, url: &Url) -> Result<Client, OutboundError> {
        let is_https = match url.scheme() {
            "https" => true,
            "http" if self.policy.allow_http => false,
            other => return Err(OutboundError::Scheme { scheme: other.to_owned() }),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OutboundError::Credentials);
        }
        let port = url.port_or_known_default().filter(|p| *p != 0).ok_or(OutboundError::Host)?;
        self.check_literal(url, port)?;
        self.cached(is_https, port)
    }

    /// Literal addresses never reach a resolver; the URL parser has already undone `2130706433`, `0x7f.1` and the like.
    fn check_literal(&self, url: &Url, port: u16) -> Result<(), OutboundError> {
        let literal: IpAddr = match url.host().ok_or(OutboundError::Host)? {
            Host::Domain(_) => return Ok(()),
            Host::Ipv4(ip) => ip.into(),
            Host::Ipv6(ip) => ip.into(),
        };
        self.policy.permits((literal, port).into()).map_err(OutboundError::Address)
    }

    fn cached(&self, is_https: bool, port: u16) -> Result<Client, OutboundError> {
        let mut by_port = self.by_port.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = by_port.get(&(is_https, port)) {
            return Ok(client.clone());
        }
        let client = self.build(is_https, port)?;
        if by_port.len() < MAX_CLIENTS {
            by_port.insert((is_https, port), client.clone());
        }
        Ok(client)
    }

    fn build(&self, is_https: bool, port: u16) -> Result<Client, OutboundError> {
        let builder = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .retry(reqwest::retry::never())
            .https_only(is_https)
            .connect_timeout(Self::CONNECT_TIMEOUT)
            .pool_idle_timeout(Self::IDLE_TIMEOUT)
            .pool_max_idle_per_host(4)
            .user_agent(concat!("homerealm/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(GuardedResolver::new(Arc::clone(&self.policy), port));
        // Without TLS no root certificates are needed, and a machine without any can still run on loopback.
        let builder = if is_https { builder } else { builder.tls_certs_only([]) };
        builder.build().map_err(OutboundError::from_transport)
    }
}
