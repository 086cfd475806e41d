//! Redirect URIs: what can be registered (RULES 29), and what matches a registered one.

use std::fmt;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use url::Url;

#[cfg(test)]
mod tests;

/// A callback URL that a client may register.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct RedirectUri(String);

/// Why a text is no callback URL. The messages say what to write instead.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidRedirectUri {
    /// RFC 6749 §3.1.2.
    #[error("must have no fragment (`#`)")]
    Fragment,
    /// RFC 8252 §7.1: the reverse of a domain name that the app's maker holds.
    #[error("a private-use scheme must be a reversed domain name such as `com.example.app`")]
    NoDomainInScheme,
    /// It would not survive the browser's own normalization, and matching is exact.
    #[error("must be written as browsers send it: `{0}`")]
    NotPlain(String),
    /// RFC 8252 §7.3, §8.3: `localhost` can be made to resolve elsewhere.
    #[error(
        "http is for loopback addresses only: use https, or `http://127.0.0.1` or `http://[::1]`"
    )]
    PlainHttp,
    /// Longer than any honest one.
    #[error("must have {LONGEST} characters at most")]
    TooLong,
    /// Not a URL at all.
    #[error("must be an absolute URL in ASCII without spaces")]
    Unreadable,
    /// User names in front of the host only ever mislead.
    #[error("must have no user name or password in front of the host")]
    UserInfo,
}

/// In bytes.
const LONGEST: usize = 2000;

impl RedirectUri {
    /// As it was registered.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RedirectUri {
    type Error = InvalidRedirectUri;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.len() > LONGEST {
            return Err(InvalidRedirectUri::TooLong);
        }
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(InvalidRedirectUri::Unreadable);
        }
        let url = Url::parse(&text).map_err(|_| InvalidRedirectUri::Unreadable)?;
        if text.contains('#') {
            return Err(InvalidRedirectUri::Fragment);
        }
        if !url.username().is_empty() || url.password().is_some() || authority(&text).contains('@')
        {
            return Err(InvalidRedirectUri::UserInfo);
        }
        has_a_fit_scheme(&url)?;
        is_plain(&url, &text)?;
        Ok(Self(text))
    }
}

impl From<RedirectUri> for String {
    fn from(uri: RedirectUri) -> Self {
        uri.0
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether `requested` is the registered one: the same text (RFC 9700 §4.1.3), or the same but for the port where the
/// registered one is http on a loopback address (RFC 8252 §7.3).
pub fn matches(registered: &str, requested: &str) -> bool {
    if registered == requested {
        return true;
    }
    match (loopback(registered), loopback(requested)) {
        (Some(ours), Some(theirs)) => ours == theirs,
        (Some(_) | None, _) => false,
    }
}

/// RULES 29. `javascript:` and `data:` have no dot either.
fn has_a_fit_scheme(url: &Url) -> Result<(), InvalidRedirectUri> {
    match url.scheme() {
        "https" => Ok(()),
        "http" if loopback(url.as_str()).is_some() => Ok(()),
        "http" => Err(InvalidRedirectUri::PlainHttp),
        other if other.contains('.') => Ok(()),
        _ => Err(InvalidRedirectUri::NoDomainInScheme),
    }
}

/// The text is what a browser makes of it; only the slash after a bare host may be left out.
fn is_plain(url: &Url, text: &str) -> Result<(), InvalidRedirectUri> {
    let plain = url.as_str();
    if plain == text || (url.path() == "/" && plain.strip_suffix('/') == Some(text)) {
        Ok(())
    } else {
        Err(InvalidRedirectUri::NotPlain(plain.to_owned()))
    }
}

/// Host and rest of an http URL on a loopback address; the port, a number that fits, is left out.
fn loopback(text: &str) -> Option<(&str, &str)> {
    let authority = authority(text);
    let rest = text.strip_prefix("http://")?.strip_prefix(authority)?;
    let host_end =
        authority.rfind(':').filter(|_| !authority.ends_with(']')).unwrap_or(authority.len());
    let (host, port) = authority.split_at_checked(host_end)?;
    (is_loopback(host) && is_port(port)).then_some((host, rest))
}

/// What stands between `//` and the path.
fn authority(text: &str) -> &str {
    let Some((_, after)) = text.split_once("://") else { return "" };
    after.split(['/', '?', '#', '\\']).next().unwrap_or_default()
}

fn is_loopback(host: &str) -> bool {
    host == "[::1]" || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

/// Nothing, or a colon and a number in its shortest form.
fn is_port(text: &str) -> bool {
    let Some(digits) = text.strip_prefix(':') else { return text.is_empty() };
    digits.parse::<u16>().is_ok_and(|port| port > 0 && port.to_string() == digits)
}
