//! E-mail addresses and domains: one grammar for home realms, domain claims and `email_verified`.

use std::{borrow::Cow, fmt};

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use serde::{Deserialize, Serialize};

/// A DNS name of two labels or more, as lower-case A-labels without a trailing dot.
///
/// UTS 46 would also *map* text to a name: full-width letters, the Kelvin sign, ideographic full stops, soft hyphens.
/// Those are refused here, since a name that only looks like a customer's must not become it; only case is folded.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct DomainName(String);

/// `acme.example`, or `*.acme.example` for every name below it (not itself).
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum DomainPattern {
    /// This name alone.
    Exact(DomainName),
    /// Any depth below this name, never the name itself (RULES 25).
    Below(DomainName),
}

/// An e-mail address with a dot-atom local part (RFC 5321 §4.1.2) and a DNS domain. Quoted local parts, comments and
/// address literals are not taken: no company's users sign in with them, and parsers differ on them.
#[derive(Clone, Eq, PartialEq)]
pub struct EmailAddress {
    local: String,
    domain: DomainName,
}

/// Why a text is not a domain name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("is not a domain name such as acme.example")]
pub struct InvalidDomain;

/// Why a text is not an e-mail address.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("is not an e-mail address such as user@acme.example")]
pub struct InvalidEmail;

impl DomainName {
    /// Reads a name that a person or an IdP wrote.
    ///
    /// # Errors
    /// [`InvalidDomain`] for anything that is not plainly a domain name of at most 253 octets.
    pub fn parse(text: &str) -> Result<Self, InvalidDomain> {
        if text.is_empty() || text.len() > 1024 || !text.contains('.') {
            return Err(InvalidDomain);
        }
        let mut labels = Vec::new();
        for label in text.split('.') {
            labels.push(a_label(label)?);
        }
        let last_is_number = labels.last().is_none_or(|l| l.bytes().all(|b| b.is_ascii_digit()));
        let name = labels.join(".");
        if last_is_number || name.len() > 253 {
            return Err(InvalidDomain);
        }
        Ok(Self(name))
    }

    /// Lower-case A-labels.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name itself, then each name above it that has two labels or more: `a.b.c` gives `a.b.c`, `b.c`.
    pub fn and_parents(&self) -> impl Iterator<Item = &str> {
        let mut rest = Some(self.0.as_str());
        std::iter::from_fn(move || {
            let current = rest.filter(|name| name.contains('.'))?;
            rest = current.split_once('.').map(|(_, above)| above);
            Some(current)
        })
    }

    /// Whether it is a public suffix such as `co.uk`, private section included (RULES 25).
    pub fn is_public_suffix(&self) -> bool {
        psl::suffix_str(&self.0) == Some(self.0.as_str())
    }

    /// Whether anybody can have a mailbox there, or below a domain of which that is so.
    pub fn is_public_mail(&self) -> bool {
        self.and_parents().any(|name| PUBLIC_MAIL.lines().any(|line| line == name))
    }
}

const PUBLIC_MAIL: &str = include_str!("domain/public_mail.txt");

/// One label to its A-label, refusing what UTS 46 would map (except case).
fn a_label(label: &str) -> Result<String, InvalidDomain> {
    let folds_to_ascii = |c: char| !c.is_ascii() && c.to_lowercase().any(|l| l.is_ascii());
    if label.chars().any(folds_to_ascii) {
        return Err(InvalidDomain);
    }
    let lower = label.to_lowercase();
    let uts46 = Uts46::new();
    let ascii: Cow<'_, str> = uts46
        .to_ascii(lower.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
        .map_err(|_| InvalidDomain)?;
    let same = if lower.starts_with("xn--") {
        ascii == lower
    } else {
        let (unicode, valid) =
            uts46.to_unicode(ascii.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast);
        valid.is_ok() && unicode == lower
    };
    if !same || ascii.contains('.') {
        return Err(InvalidDomain);
    }
    Ok(ascii.into_owned())
}

impl DomainPattern {
    /// Whether `domain` is this name, or below it.
    pub fn matches(&self, domain: &DomainName) -> bool {
        match self {
            Self::Exact(name) => name == domain,
            Self::Below(base) => domain
                .0
                .strip_suffix(base.as_str())
                .is_some_and(|head| head.len() > 1 && head.ends_with('.')),
        }
    }

    /// The name without the wildcard.
    pub const fn base(&self) -> &DomainName {
        match self {
            Self::Exact(name) | Self::Below(name) => name,
        }
    }

    /// Whether it is a wildcard.
    pub const fn is_wildcard(&self) -> bool {
        matches!(self, Self::Below(_))
    }
}

impl EmailAddress {
    /// Reads an address that a person or an IdP wrote; surrounding white space is not taken away.
    ///
    /// # Errors
    /// [`InvalidEmail`] for anything but `dot-atom@domain` with at most 254 octets and 64 before the `@`.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        if text.len() > 254 {
            return Err(InvalidEmail);
        }
        let (local, domain) = text.split_once('@').ok_or(InvalidEmail)?;
        let atom = |a: &str| !a.is_empty() && a.bytes().all(is_atext);
        if local.len() > 64 || !local.split('.').all(atom) {
            return Err(InvalidEmail);
        }
        let domain = DomainName::parse(domain).map_err(|_| InvalidEmail)?;
        Ok(Self { local: local.to_owned(), domain })
    }

    /// The part after the `@`.
    pub const fn domain(&self) -> &DomainName {
        &self.domain
    }
}

/// RFC 5322 §3.2.3.
const fn is_atext(b: u8) -> bool {
    b.is_ascii_alphanumeric()
        || matches!(
            b,
            b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'/' | b'=' | b'?' | b'^'..=b'`' | b'{'..=b'~'
        )
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain.0)
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmailAddress(…@{})", self.domain.0)
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for DomainPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => write!(f, "{name}"),
            Self::Below(base) => write!(f, "*.{base}"),
        }
    }
}

impl TryFrom<String> for DomainName {
    type Error = InvalidDomain;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<DomainName> for String {
    fn from(name: DomainName) -> Self {
        name.0
    }
}

impl TryFrom<String> for DomainPattern {
    type Error = InvalidDomain;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.strip_prefix("*.") {
            Some(base) => DomainName::parse(base).map(Self::Below),
            None => DomainName::parse(&text).map(Self::Exact),
        }
    }
}

impl From<DomainPattern> for String {
    fn from(pattern: DomainPattern) -> Self {
        pattern.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(text: &str) -> DomainName {
        DomainName::parse(text).unwrap()
    }

    #[test]
    fn folds_case_and_keeps_international_names() {
        assert_eq!(domain("ACME.Example").as_str(), "acme.example");
        assert_eq!(domain("Bücher.example").as_str(), "xn--bcher-kva.example");
        assert_eq!(domain("xn--bcher-kva.example").as_str(), "xn--bcher-kva.example");
        assert_eq!(domain("straße.example").as_str(), "xn--strae-oqa.example");
    }

    #[test]
    fn refuses_names_that_only_look_like_another() {
        for bad in [
            "ａcme.example",
            "acme。example",
            "ac\u{ad}me.example",
            "ac\u{200d}me.example",
            "ac\u{200b}me.example",
            "\u{212a}elvin.example",
            "acme.example.",
            ".acme.example",
            "acme..example",
            "acme",
            "1.2.3.4",
            "[1.2.3.4]",
            "a_b.example",
            "-a.example",
            "a-.example",
            "xn--a.example",
            "acme.example\0",
            "acme.exa mple",
            "acme%2eexample",
            "*.acme.example",
        ] {
            assert_eq!(DomainName::parse(bad), Err(InvalidDomain), "{bad:?}");
        }
        assert!(DomainName::parse(&format!("{}.example", "a".repeat(64))).is_err());
        assert!(DomainName::parse(&"a.".repeat(100_000)).is_err());
    }

    proptest::proptest! {
        #[test]
        fn what_is_read_reads_the_same_again(text in "\\PC{0,80}", local in "[a-z.@\"]{0,8}") {
            if let Ok(name) = DomainName::parse(&text) {
                proptest::prop_assert!(name.as_str().is_ascii());
                proptest::prop_assert_eq!(DomainName::parse(name.as_str()), Ok(name));
            }
            if let Ok(address) = EmailAddress::parse(&format!("{local}@{text}")) {
                proptest::prop_assert_eq!(EmailAddress::parse(&address.to_string()), Ok(address));
            }
        }

        #[test]
        fn case_makes_no_difference_and_nothing_else_is_folded(name in "[a-zäöß0-9-]{1,12}(\\.[a-zäöß]{2,8}){1,3}") {
            let shouted: String = name.chars().map(|c| if c == 'ß' { c } else { c.to_uppercase().next().unwrap_or(c) }).collect();
            proptest::prop_assert_eq!(DomainName::parse(&name), DomainName::parse(&shouted));
            for odd in ["\u{ad}", "\u{200b}", "\u{feff}", " ", "\0", "\u{ff0e}", "\u{3002}", "@", "%2e"] {
                let (after, before) = (format!("{name}{odd}"), format!("{odd}{name}"));
                proptest::prop_assert_eq!(DomainName::parse(&after), Err(InvalidDomain));
                proptest::prop_assert_eq!(DomainName::parse(&before), Err(InvalidDomain));
            }
        }
    }

    #[test]
    fn a_homograph_is_another_domain() {
        assert_ne!(domain("аcme.example"), domain("acme.example"));
    }

    #[test]
    fn takes_plain_addresses_only() {
        assert_eq!(
            EmailAddress::parse("a.b+c@ACME.example").unwrap().to_string(),
            "a.b+c@acme.example"
        );
        for bad in [
            "",
            "@acme.example",
            "a@",
            "a@b@acme.example",
            "\"a\"@acme.example",
            "a(x)@acme.example",
            "<a@acme.example>",
            "a%40evil.example",
            "a @acme.example",
            " a@acme.example",
            "a@acme.example\r\n",
            ".a@acme.example",
            "a..b@acme.example",
            "ä@acme.example",
            "a@[1.2.3.4]",
        ] {
            assert_eq!(EmailAddress::parse(bad), Err(InvalidEmail), "{bad:?}");
        }
        assert!(EmailAddress::parse(&format!("{}@acme.example", "a".repeat(64))).is_ok());
        assert!(EmailAddress::parse(&format!("{}@acme.example", "a".repeat(65))).is_err());
    }

    #[test]
    fn a_wildcard_covers_any_depth_below_but_not_itself() {
        let pattern = DomainPattern::try_from("*.acme.example".to_owned()).unwrap();
        assert!(pattern.matches(&domain("eu.acme.example")));
        assert!(pattern.matches(&domain("a.b.acme.example")));
        assert!(!pattern.matches(&domain("acme.example")));
        assert!(!pattern.matches(&domain("notacme.example")));
    }

    #[test]
    fn lists_a_name_and_its_parents() {
        let all: Vec<_> = domain("a.b.acme.example").and_parents().map(str::to_owned).collect();
        assert_eq!(all, ["a.b.acme.example", "b.acme.example", "acme.example"]);
    }

    #[test]
    fn knows_public_suffixes() {
        assert!(domain("co.uk").is_public_suffix());
        assert!(domain("github.io").is_public_suffix());
        assert!(!domain("acme.example").is_public_suffix());
    }

    #[test]
    fn knows_where_anybody_has_a_mailbox() {
        for name in ["gmail.com", "x.gmail.com", "privaterelay.appleid.com", "acme.onmicrosoft.com"]
        {
            assert!(domain(name).is_public_mail(), "{name}");
        }
        for name in ["acme.example", "notgmail.com", "gmail.com.example", "appleid.com"] {
            assert!(!domain(name).is_public_mail(), "{name}");
        }
        let lines = PUBLIC_MAIL.lines().filter(|line| !line.starts_with('#'));
        assert!(lines.into_iter().all(|line| domain(line).as_str() == line));
    }
}
