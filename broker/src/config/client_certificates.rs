//! `[client_certificates]`: mutual TLS with clients (RFC 8705).

use std::path::PathBuf;

use actix_web::http::header::HeaderName;
use ipnet::IpNet;

use super::reader::Reader;
use super::sections::address_ranges;

/// Where certificates of clients come from, and whose count.
#[derive(Clone, Debug, Default)]
pub struct ClientCertificates {
    /// Whether our own TLS asks for one. Browsers may then ask their users.
    pub ask_in_tls: bool,
    /// PEM file of the CAs whose certificates authenticate clients (`tls_client_auth`).
    pub ca_file: Option<PathBuf>,
    /// The header in which a proxy tells it (RFC 9440, or percent-encoded PEM).
    pub header: Option<String>,
    /// Only from these is that header read (RULES 36).
    pub proxies: Vec<IpNet>,
}

const ASK: &str = "client_certificates.ask_in_tls";
const HEADER: &str = "client_certificates.header";
const PROXIES: &str = "client_certificates.proxies";

impl ClientCertificates {
    /// Whether any certificate of a client ever gets here.
    pub const fn are_seen(&self) -> bool {
        self.ask_in_tls || self.header.is_some()
    }

    pub(super) fn read(reader: &mut Reader) -> Self {
        let ask_in_tls = reader.flag(ASK, false);
        if ask_in_tls && !reader.is_set("tls.cert") {
            reader.problem(
                ASK,
                "needs our own TLS",
                "set [tls], or name the proxy's header instead",
            );
        }
        let header = reader.text(HEADER).filter(|name| {
            let known = HeaderName::try_from(name.as_str()).is_ok();
            if !known {
                reader.problem(HEADER, format!("`{name}` is no header"), "write \"Client-Cert\"");
            }
            known
        });
        let proxies = address_ranges(reader, PROXIES);
        if header.is_some() && !reader.is_set(PROXIES) {
            let message = "is missing beside client_certificates.header";
            reader.problem(PROXIES, message, "name the proxies that remove the header of others");
        }
        if header.is_none() && reader.is_set(PROXIES) && !reader.is_set(HEADER) {
            let message = "is missing beside client_certificates.proxies";
            reader.problem(HEADER, message, "write \"Client-Cert\", or what your proxy sends");
        }
        let ca_file = reader.text("client_certificates.ca_file").map(PathBuf::from);
        Self { ask_in_tls, ca_file, header, proxies }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    fn problems(toml: &str) -> String {
        Config::from_toml(toml, []).map_or_else(|problems| problems.to_string(), |_| String::new())
    }

    #[test]
    fn a_header_counts_from_named_proxies_only() {
        let both = "[client_certificates]\nheader = \"Client-Cert\"\nproxies = [\"10.0.0.7\"]\n";
        assert_eq!(problems(both), "");
        assert_eq!(problems("[client_certificates]\nca_file = \"ca.pem\"\n"), "");

        for (toml, key) in [
            ("header = \"Client-Cert\"", "client_certificates.proxies: "),
            ("proxies = [\"10.0.0.7\"]", "client_certificates.header: "),
            ("header = \"a b\"\nproxies = [\"10.0.0.7\"]", "client_certificates.header: "),
            ("header = \"X\"\nproxies = [\"0.0.0.0/0\"]", "client_certificates.proxies: "),
            ("ask_in_tls = true", "client_certificates.ask_in_tls: "),
        ] {
            let found = problems(&format!("[client_certificates]\n{toml}\n"));
            assert!(found.contains(key), "{toml}: {found}");
        }
    }
}
