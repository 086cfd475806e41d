use super::*;

fn refusal(policy: &OutboundPolicy, address: &str) -> Option<&'static str> {
    policy
        .permits(SocketAddr::new(address.parse().unwrap(), 443))
        .err()
        .map(|refused| refused.reason)
}

fn everything_opened() -> OutboundPolicy {
    OutboundPolicy {
        allow_http: true,
        allow_private_addresses: true,
        allow_loopback: true,
        own_listeners: Vec::new(),
    }
}

const PUBLIC: [&str; 10] = [
    "1.1.1.1",
    "9.255.255.255",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700::1111",
    "64:ff9b::1.1.1.1",
];

const LOOPBACK: [&str; 5] =
    ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1"];

const PRIVATE: [&str; 11] = [
    "10.0.0.0",
    "10.255.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.168.0.1",
    "100.64.0.0",
    "100.127.255.255",
    "::ffff:10.0.0.1",
    "fc00::1",
    "fdff:ffff::1",
    "fd00:ec2::253",
];

const NEVER: [(&str, &str); 39] = [
    ("0.0.0.0", "unspecified"),
    ("0.255.255.255", "unspecified"),
    ("169.254.169.254", "cloud metadata service"),
    ("::ffff:169.254.169.254", "cloud metadata service"),
    ("100.100.100.200", "cloud metadata service"),
    ("168.63.129.16", "cloud metadata service"),
    ("fd00:ec2::254", "cloud metadata service"),
    ("fd20:ce::254", "cloud metadata service"),
    ("169.254.0.1", "link-local"),
    ("169.254.170.2", "link-local"),
    ("192.0.0.8", "protocol assignments"),
    ("192.0.2.1", "documentation"),
    ("192.88.99.1", "6to4 relay"),
    ("198.18.0.1", "benchmarking"),
    ("198.19.255.255", "benchmarking"),
    ("198.51.100.1", "documentation"),
    ("203.0.113.1", "documentation"),
    ("224.0.0.1", "multicast"),
    ("239.255.255.255", "multicast"),
    ("240.0.0.1", "reserved"),
    ("255.255.255.255", "broadcast"),
    ("::", "unspecified or IPv4-compatible"),
    ("::127.0.0.1", "unspecified or IPv4-compatible"),
    ("::10.0.0.1", "unspecified or IPv4-compatible"),
    ("64:ff9b::7f00:1", "translated address of a private network"),
    ("64:ff9b::10.0.0.1", "translated address of a private network"),
    ("64:ff9b::169.254.169.254", "cloud metadata service"),
    ("64:ff9b:1::1.1.1.1", "local translation prefix"),
    ("2002:7f00:1::", "translated address of a private network"),
    ("2002:a9fe:a9fe::1", "cloud metadata service"),
    ("2001::1", "protocol assignments"),
    ("2001:10::1", "protocol assignments"),
    ("2001:db8::1", "documentation"),
    ("3fff::1", "documentation"),
    ("fe80::1", "link-local"),
    ("febf::1", "link-local"),
    ("fec0::1", "not a global unicast address"),
    ("ff02::1", "multicast"),
    ("4000::1", "not a global unicast address"),
];

#[test]
fn the_strict_policy_opens_public_addresses_alone() {
    let strict = OutboundPolicy::default();

    for address in PUBLIC {
        assert_eq!(refusal(&strict, address), None, "{address}");
    }
    for address in LOOPBACK {
        assert_eq!(refusal(&strict, address), Some("loopback"), "{address}");
    }
    for address in PRIVATE {
        assert_eq!(refusal(&strict, address), Some("private network"), "{address}");
    }
    for (address, reason) in NEVER {
        assert_eq!(refusal(&strict, address), Some(reason), "{address}");
    }
}

#[test]
fn no_setting_opens_link_local_metadata_or_reserved_addresses() {
    let open = everything_opened();

    for address in PUBLIC.iter().chain(&LOOPBACK).chain(&PRIVATE) {
        assert_eq!(refusal(&open, address), None, "{address}");
    }
    for (address, reason) in NEVER {
        assert_eq!(refusal(&open, address), Some(reason), "{address}");
    }
}

#[test]
fn private_addresses_do_not_bring_loopback_and_loopback_needs_them() {
    let private = OutboundPolicy { allow_loopback: false, ..everything_opened() };
    let loopback = OutboundPolicy { allow_private_addresses: false, ..everything_opened() };

    assert_eq!(refusal(&private, "10.0.0.1"), None);
    assert_eq!(refusal(&private, "127.0.0.1"), Some("loopback"));
    assert_eq!(refusal(&loopback, "127.0.0.1"), Some("loopback"));
}

#[test]
fn our_own_listeners_are_never_a_target() {
    let at = |listener: &str| OutboundPolicy {
        own_listeners: vec![listener.parse().unwrap()],
        ..everything_opened()
    };
    let refused =
        |policy: &OutboundPolicy, target: &str| policy.permits(target.parse().unwrap()).is_err();

    assert!(refused(&at("127.0.0.1:8080"), "127.0.0.1:8080"));
    assert!(refused(&at("127.0.0.1:8080"), "[::ffff:127.0.0.1]:8080"));
    assert!(!refused(&at("127.0.0.1:8080"), "127.0.0.1:8081"));
    assert!(!refused(&at("127.0.0.1:8080"), "127.0.0.2:8080"));
    assert!(refused(&at("0.0.0.0:8080"), "127.0.0.1:8080"));
    assert!(refused(&at("0.0.0.0:8080"), "127.9.9.9:8080"));
    assert!(refused(&at("[::]:8080"), "127.0.0.1:8080"));
    assert!(!refused(&at("0.0.0.0:8080"), "1.1.1.1:8080"));
    assert!(!refused(&at("0.0.0.0:8080"), "127.0.0.1:9090"));
}
