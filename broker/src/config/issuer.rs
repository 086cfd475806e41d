//! Our public base URL: the only source of our own URLs, never the Host header.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use url::{Host, Url};

/// An origin without path and trailing slash: https, or http with a loopback host.
#[derive(Clone, Eq, PartialEq)]
pub struct Issuer {
    text: String,
    url: Url,
}

/// Why a text is not an issuer.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum IssuerFault {
    #[error("`{0}` is not the plain form of this URL")]
    NotCanonical(String, /** what to write */ String),
    #[error("`{0}` is neither https nor http")]
    Scheme(String),
    #[error("`{0}` is not a URL")]
    Unreadable(String),
    #[error("`{0}` is http and its host is not loopback")]
    UnsafeHttp(String),
}

impl Issuer {
    /// `http://localhost:PORT`.
    pub fn localhost(port: u16) -> Self {
        let text = format!("http://localhost:{port}");
        // port 80 is left out of the plain form
        let text = if port == 80 { "http://localhost".to_owned() } else { text };
        Self { url: base(&text), text }
    }

    /// From configuration text.
    ///
    /// # Errors
    /// [`IssuerFault`] says what is wrong; its [`IssuerFault::fix`] what to write.
    pub fn parse(text: &str) -> Result<Self, IssuerFault> {
        let url = Url::parse(text).map_err(|_| IssuerFault::Unreadable(text.to_owned()))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(IssuerFault::Scheme(text.to_owned()));
        }
        let plain = url.origin().ascii_serialization();
        if plain != text {
            return Err(IssuerFault::NotCanonical(text.to_owned(), plain));
        }
        let issuer = Self { text: plain, url };
        if !issuer.is_https() && !issuer.is_loopback() {
            return Err(IssuerFault::UnsafeHttp(text.to_owned()));
        }
        Ok(issuer)
    }

    /// The exact text of `iss`: no trailing slash.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// One of our URLs; `path` starts with a slash and may hold a query.
    pub fn url(&self, path: &str) -> Url {
        self.url.join(path).unwrap_or_else(|_| self.url.clone())
    }

    /// Whether browsers reach us by TLS.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether the host is this machine: `localhost`, below `localhost` (RFC 6761 §6.3), or a loopback address.
    pub fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// Host without port, as in the URL.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Port, also where the URL leaves it out.
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }

    /// What a Host header must say (RFC 9112 §3.2): host, and port unless it is the scheme's own.
    pub fn authority(&self) -> &str {
        self.text.split_once("://").map_or("", |(_, authority)| authority)
    }
}

impl IssuerFault {
    /// What to do.
    pub fn fix(&self) -> String {
        match self {
            Self::NotCanonical(_, plain) => {
                format!(
                    "write `{plain}`: scheme, host and port only, no path and no trailing slash"
                )
            }
            Self::Scheme(_) | Self::Unreadable(_) => {
                "write our public base URL such as `https://login.example.com`".to_owned()
            }
            Self::UnsafeHttp(_) => {
                "use https; http is for `localhost` and loopback addresses only".to_owned()
            }
        }
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Issuer({})", self.text)
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Only for our own `http://localhost` texts.
fn base(text: &str) -> Url {
    #[expect(clippy::expect_used, reason = "the text is ours: a constant and a number below 65536")]
    Url::parse(text).expect("http://localhost with a port is a URL")
}

/// Whether an address is this machine's loopback, also in its IPv4-mapped form.
pub(super) fn is_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback(),
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.to_ipv4_mapped().is_some_and(|a: Ipv4Addr| a.is_loopback())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_origins() {
        for good in [
            "https://login.example.com",
            "https://login.example.com:8443",
            "http://localhost:8080",
            "http://demo.localhost:1",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
            "https://xn--bcher-kva.example",
        ] {
            let issuer = Issuer::parse(good).unwrap();
            assert_eq!(issuer.as_str(), good);
            assert_eq!(issuer.url("/oauth/token").as_str(), format!("{good}/oauth/token"));
        }
    }

    #[test]
    fn refuses_what_is_not_a_plain_origin_and_says_what_to_write() {
        for bad in [
            "https://login.example.com/",
            "https://login.example.com:443",
            "https://LOGIN.example.com",
            "https://login.example.com?x",
            "https://login.example.com#",
            "https://u@login.example.com",
            " https://login.example.com",
        ] {
            let fault = Issuer::parse(bad).unwrap_err();
            assert_eq!(
                fault,
                IssuerFault::NotCanonical(bad.to_owned(), "https://login.example.com".to_owned())
            );
            assert!(fault.fix().contains("`https://login.example.com`"));
        }
        assert!(matches!(Issuer::parse("https://a.example/b"), Err(IssuerFault::NotCanonical(..))));
        assert!(matches!(Issuer::parse("login.example.com"), Err(IssuerFault::Unreadable(_))));
        assert!(matches!(Issuer::parse("ftp://a.example"), Err(IssuerFault::Scheme(_))));
    }

    #[test]
    fn http_is_for_loopback_hosts() {
        for bad in [
            "http://login.example.com",
            "http://10.0.0.1",
            "http://localhost.example.com",
            "http://0.0.0.0",
        ] {
            assert!(matches!(Issuer::parse(bad), Err(IssuerFault::UnsafeHttp(_))), "{bad}");
        }
    }

    #[test]
    fn knows_host_port_and_authority() {
        let issuer = Issuer::localhost(8080);
        assert_eq!(
            (issuer.host(), issuer.port(), issuer.authority()),
            ("localhost", 8080, "localhost:8080")
        );
        let issuer = Issuer::parse("https://login.example.com").unwrap();
        assert_eq!((issuer.port(), issuer.authority()), (443, "login.example.com"));
        assert_eq!(Issuer::localhost(80).as_str(), "http://localhost");
    }
}
