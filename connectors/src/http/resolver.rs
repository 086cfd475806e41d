use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::addresses::OutboundPolicy;

/// Resolves a name once and hands on its addresses only if every one of them is allowed.
///
/// The connection is made to exactly these addresses, so a second answer of the name server cannot lead elsewhere
/// (DNS rebinding). One bad address refuses the name: which one would be used is the attacker's choice otherwise.
#[derive(Debug)]
pub(super) struct GuardedResolver {
    policy: Arc<OutboundPolicy>,
    port: u16,
}

impl GuardedResolver {
    pub(super) const fn new(policy: Arc<OutboundPolicy>, port: u16) -> Self {
        Self { policy, port }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (policy, port) = (Arc::clone(&self.policy), self.port);
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), port)).await?.collect();
            for address in &found {
                policy.permits(*address)?;
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
