//! `[dns]`: who is asked for the TXT records that prove domains.

use std::net::{IpAddr, SocketAddr};

use super::reader::Reader;

/// Name servers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Dns {
    /// Empty: the system's.
    pub servers: Vec<SocketAddr>,
}

/// RFC 1035 §4.2.
const PORT: u16 = 53;

impl Dns {
    pub(super) fn read(reader: &mut Reader) -> Self {
        const KEY: &str = "dns.servers";
        let mut servers = Vec::new();
        for text in reader.list(KEY) {
            let alone = |_| text.parse::<IpAddr>().map(|address| SocketAddr::new(address, PORT));
            match text.parse::<SocketAddr>().or_else(alone) {
                Ok(server) => servers.push(server),
                Err(_) => {
                    let fix = "write addresses such as \"192.0.2.53\" or \"[2001:db8::53]:53\"";
                    reader.problem(KEY, format!("`{text}` is not an address"), fix);
                }
            }
        }
        Self { servers }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    #[test]
    fn servers_are_addresses_with_or_without_a_port() {
        let read = |servers: &str| Config::from_toml(&format!("[dns]\nservers = {servers}"), []);
        let dns = read("[\"192.0.2.53\", \"[2001:db8::53]:5353\"]").unwrap().dns;
        let texts: Vec<String> = dns.servers.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["192.0.2.53:53", "[2001:db8::53]:5353"]);
        assert!(read("[]").unwrap().dns.servers.is_empty());
        assert!(read("[\"dns.example\"]").is_err());
    }
}
