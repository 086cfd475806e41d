use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use ipnet::{Ipv4Net, Ipv6Net};

/// Where outbound requests may go. The default is the strict one: https to public addresses.
#[derive(Clone, Debug, Default)]
pub struct OutboundPolicy {
    /// Plain http as well; for tests and intranets.
    pub allow_http: bool,
    /// Private ranges as well; for tests and intranets.
    pub allow_private_addresses: bool,
    /// Loopback as well, together with `allow_private_addresses`; only where our own issuer is on loopback.
    pub allow_loopback: bool,
    /// Our own sockets, never a target: a request to them would come from a trusted address.
    pub own_listeners: Vec<SocketAddr>,
}

/// An address that outbound requests must not go to, and why.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the host has an address that is not allowed ({reason})")]
pub struct AddressRefused {
    pub reason: &'static str,
}

impl OutboundPolicy {
    /// Whether a connection to this address is allowed.
    ///
    /// # Errors
    /// Says which kind of address it is.
    pub fn permits(&self, address: SocketAddr) -> Result<(), AddressRefused> {
        if self.own_listeners.iter().any(|listener| reaches(*listener, address)) {
            return Err(AddressRefused { reason: "one of our own listeners" });
        }
        match classify(address.ip()) {
            Class::Public => Ok(()),
            Class::Loopback if self.allow_private_addresses && self.allow_loopback => Ok(()),
            Class::Private if self.allow_private_addresses => Ok(()),
            Class::Loopback => Err(AddressRefused { reason: "loopback" }),
            Class::Private => Err(AddressRefused { reason: "private network" }),
            Class::Never(reason) => Err(AddressRefused { reason }),
        }
    }
}

#[derive(Debug, Eq, PartialEq)]
enum Class {
    Public,
    Loopback,
    Private,
    /// No setting opens these.
    Never(&'static str),
}

fn classify(ip: IpAddr) -> Class {
    match ip.to_canonical() {
        IpAddr::V4(v4) => classify_v4(v4),
        IpAddr::V6(v6) => classify_v6(v6),
    }
}

fn classify_v4(ip: Ipv4Addr) -> Class {
    if METADATA_V4.contains(&ip) {
        return Class::Never("cloud metadata service");
    }
    if let Some((_, reason)) = NEVER_V4.iter().find(|(net, _)| net.contains(&ip)) {
        return Class::Never(reason);
    }
    if ip.is_loopback() {
        return Class::Loopback;
    }
    if PRIVATE_V4.iter().any(|net| net.contains(&ip)) { Class::Private } else { Class::Public }
}

/// Only global unicast (2000::/3) is public, and within it not what is set aside or wraps an IPv4 address.
fn classify_v6(ip: Ipv6Addr) -> Class {
    if ip.is_loopback() {
        return Class::Loopback;
    }
    if METADATA_V6.contains(&ip) {
        return Class::Never("cloud metadata service");
    }
    if let Some(inner) = embedded_v4(ip) {
        // A translator would carry the packet to the inner address, out of this machine's view.
        return match classify_v4(inner) {
            Class::Public => Class::Public,
            Class::Loopback | Class::Private => {
                Class::Never("translated address of a private network")
            }
            Class::Never(reason) => Class::Never(reason),
        };
    }
    if let Some((_, reason)) = NEVER_V6.iter().find(|(net, _)| net.contains(&ip)) {
        return Class::Never(reason);
    }
    if UNIQUE_LOCAL.contains(&ip) {
        return Class::Private;
    }
    if GLOBAL_UNICAST.contains(&ip) {
        Class::Public
    } else {
        Class::Never("not a global unicast address")
    }
}

/// NAT64 (RFC 6052 §2.1) and 6to4 (RFC 3056 §2) carry an IPv4 address in fixed places.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let [_, _, p, q, r, s, .., w, x, y, z] = ip.octets();
    if NAT64.contains(&ip) {
        return Some(Ipv4Addr::new(w, x, y, z));
    }
    if SIX_TO_FOUR.contains(&ip) {
        return Some(Ipv4Addr::new(p, q, r, s));
    }
    None
}

/// Whether a connection to `target` would end at `listener`; one on all addresses is reached by any address of this machine.
fn reaches(listener: SocketAddr, target: SocketAddr) -> bool {
    let (ours, theirs) = (listener.ip().to_canonical(), target.ip().to_canonical());
    listener.port() == target.port()
        && (ours == theirs || (ours.is_unspecified() && is_this_machine(theirs)))
}

/// A socket can be bound only to an address of this machine.
fn is_this_machine(ip: IpAddr) -> bool {
    ip.is_loopback() || ip.is_unspecified() || UdpSocket::bind((ip, 0)).is_ok()
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, c: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

/// Amazon and most others, Alibaba, Azure's host agent.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
];

/// Amazon, Google.
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x254),
];

/// RFC 1918 and the shared space of carriers (RFC 6598).
const PRIVATE_V4: [Ipv4Net; 4] =
    [v4(10, 0, 0, 0, 8), v4(172, 16, 0, 0, 12), v4(192, 168, 0, 0, 16), v4(100, 64, 0, 0, 10)];

/// The IANA special-purpose registry (RFC 6890) without what is private.
const NEVER_V4: [(Ipv4Net, &str); 11] = [
    (v4(0, 0, 0, 0, 8), "unspecified"),
    (v4(169, 254, 0, 0, 16), "link-local"),
    (v4(192, 0, 0, 0, 24), "protocol assignments"),
    (v4(192, 0, 2, 0, 24), "documentation"),
    (v4(192, 88, 99, 0, 24), "6to4 relay"),
    (v4(198, 18, 0, 0, 15), "benchmarking"),
    (v4(198, 51, 100, 0, 24), "documentation"),
    (v4(203, 0, 113, 0, 24), "documentation"),
    (v4(224, 0, 0, 0, 4), "multicast"),
    (v4(255, 255, 255, 255, 32), "broadcast"),
    (v4(240, 0, 0, 0, 4), "reserved"),
];

const NEVER_V6: [(Ipv6Net, &str); 7] = [
    (v6(0, 0, 0, 96), "unspecified or IPv4-compatible"),
    (v6(0x64, 0xff9b, 1, 48), "local translation prefix"),
    (v6(0x2001, 0, 0, 23), "protocol assignments"),
    (v6(0x2001, 0xdb8, 0, 32), "documentation"),
    (v6(0x3fff, 0, 0, 20), "documentation"),
    (v6(0xfe80, 0, 0, 10), "link-local"),
    (v6(0xff00, 0, 0, 8), "multicast"),
];

const GLOBAL_UNICAST: Ipv6Net = v6(0x2000, 0, 0, 3);
const UNIQUE_LOCAL: Ipv6Net = v6(0xfc00, 0, 0, 7);
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 96);
const SIX_TO_FOUR: Ipv6Net = v6(0x2002, 0, 0, 16);

#[cfg(test)]
mod tests;
