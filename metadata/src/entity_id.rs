//! The names of the two kinds of upstream parties: [`EntityId`] for SAML, [`IssuerUrl`] for OIDC.
//!
//! Both keep the exact text: they are compared character by character (SAML Core §2.2.5,
//! OIDC Discovery §4.3), so nothing is trimmed, lower-cased or completed.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

/// SAML Core §8.3.6: an entity identifier has at most this many characters.
pub const MAX_ENTITY_ID_CHARS: usize = 1024;

/// The identifier of a SAML entity: any URI, URNs included.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct EntityId(String);

impl EntityId {
    /// The exact text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for EntityId {
    type Error = InvalidEntityId;

    /// SAML Core §8.3.6 wants a URI of at most 1024 characters. Real identifiers are not always
    /// URIs (some have spaces in them), so only what could mislead a reader is refused: white space
    /// at the ends or of another kind than U+0020, control characters and invisible ones.
    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.is_empty() {
            return Err(InvalidEntityId::Empty);
        }
        if text.chars().nth(MAX_ENTITY_ID_CHARS).is_some() {
            return Err(InvalidEntityId::TooLong);
        }
        let has_space_around = text.starts_with(' ') || text.ends_with(' ');
        if has_space_around || text.chars().any(|c| c != ' ' && is_invisible(c)) {
            return Err(InvalidEntityId::InvisibleCharacter);
        }
        Ok(Self(text))
    }
}

impl TryFrom<&str> for EntityId {
    type Error = InvalidEntityId;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        Self::try_from(text.to_owned())
    }
}

impl From<EntityId> for String {
    fn from(id: EntityId) -> Self {
        id.0
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no entity identifier.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidEntityId {
    /// The text is empty.
    #[error("an entity id must not be empty")]
    Empty,
    /// It holds a character that cannot be seen: white space at an end, a control or format character.
    #[error("an entity id must not hold outer white space, control or invisible characters")]
    InvisibleCharacter,
    /// It has more than [`MAX_ENTITY_ID_CHARS`] characters.
    #[error("an entity id must not be longer than {MAX_ENTITY_ID_CHARS} characters")]
    TooLong,
}

/// The issuer identifier of an OpenID Provider, as it was written (OIDC Core §2 `iss`).
///
/// `Url` would add a slash to a bare host and so change the name; the text is parsed to be checked
/// and then kept as it is. Deserialising allows https only; where an operator allowed http, call
/// [`IssuerUrl::new`].
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct IssuerUrl(String);

impl IssuerUrl {
    /// Reads an issuer identifier: a URL without query, fragment and userinfo (OIDC Core §2,
    /// RFC 8414 §2).
    ///
    /// # Errors
    /// [`InvalidIssuerUrl`] says which of these it is not.
    pub fn new(text: String, allow_http: bool) -> Result<Self, InvalidIssuerUrl> {
        let url = Url::parse(&text).map_err(|_| InvalidIssuerUrl::NotAUrl)?;
        let scheme_is_allowed = match url.scheme() {
            "https" => true,
            "http" => allow_http,
            _ => false,
        };
        if !scheme_is_allowed {
            return Err(InvalidIssuerUrl::Scheme);
        }
        // `Url` drops tabs and line breaks and repairs a missing "//"; a name must not need repair.
        let written_out = text.split_once("://").is_some_and(|(scheme, _)| scheme == url.scheme());
        if !written_out || text.chars().any(is_invisible) || text.contains('\\') {
            return Err(InvalidIssuerUrl::NotAUrl);
        }
        if text.contains(['?', '#']) || !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidIssuerUrl::MoreThanAnOriginAndPath);
        }
        Ok(Self(text))
    }

    /// The exact text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for IssuerUrl {
    type Error = InvalidIssuerUrl;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(text, false)
    }
}

impl From<IssuerUrl> for String {
    fn from(issuer: IssuerUrl) -> Self {
        issuer.0
    }
}

impl fmt::Display for IssuerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no issuer identifier.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidIssuerUrl {
    /// It has a query, a fragment, a user name or a password.
    #[error("an issuer must have no query, fragment or user information")]
    MoreThanAnOriginAndPath,
    /// It cannot be read as an absolute URL.
    #[error("an issuer must be an absolute URL")]
    NotAUrl,
    /// It is neither https nor, where that is allowed, http.
    #[error("an issuer must be an https URL")]
    Scheme,
}

/// White space, control characters, and format characters that leave no mark on a screen.
fn is_invisible(c: char) -> bool {
    let format = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}');
    c.is_whitespace() || c.is_control() || format
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_urls_and_urns_verbatim() {
        for text in
            ["https://idp.example/a/", "urn:mace:example:idp", "HTTP://Idp.Example", "An IdP"]
        {
            assert_eq!(EntityId::try_from(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn refuses_an_empty_entity_id() {
        assert_eq!(EntityId::try_from(""), Err(InvalidEntityId::Empty));
    }

    #[test]
    fn takes_1024_characters_and_refuses_1025() {
        assert!(EntityId::try_from("é".repeat(1024)).is_ok());
        assert_eq!(EntityId::try_from("é".repeat(1025)), Err(InvalidEntityId::TooLong));
    }

    #[test]
    fn refuses_what_cannot_be_seen_in_an_entity_id() {
        for bad in [
            " a",
            "a ",
            "a\n",
            "a\tb",
            "\u{a0}a",
            "a\u{200b}b",
            "a\u{202e}b",
            "a\u{0}",
            "\u{feff}a",
        ] {
            assert_eq!(
                EntityId::try_from(bad),
                Err(InvalidEntityId::InvisibleCharacter),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn an_entity_id_is_checked_when_it_is_deserialised() {
        assert!(serde_json::from_str::<EntityId>(r#""urn:a""#).is_ok());
        assert!(serde_json::from_str::<EntityId>(r#"" a""#).is_err());
    }

    #[test]
    fn an_issuer_keeps_its_text() {
        for text in ["https://op.example", "https://op.example/", "https://op.example:8443/a"] {
            assert_eq!(IssuerUrl::new(text.to_owned(), false).unwrap().as_str(), text);
        }
    }

    #[test]
    fn an_issuer_is_http_only_where_the_caller_allows_it() {
        let text = || "http://localhost:9000".to_owned();
        assert_eq!(IssuerUrl::new(text(), false), Err(InvalidIssuerUrl::Scheme));
        assert!(IssuerUrl::new(text(), true).is_ok());
    }

    #[test]
    fn refuses_issuers_of_other_schemes() {
        for bad in ["file:///etc/passwd", "gopher://op.example", "javascript:alert(1)", "urn:a:b"] {
            assert_eq!(IssuerUrl::new(bad.to_owned(), true), Err(InvalidIssuerUrl::Scheme));
        }
    }

    #[test]
    fn refuses_issuers_that_only_a_lenient_parser_reads() {
        for bad in
            ["op.example", "https:op.example", "https://op.ex\tample", "https:\\\\op.example", ""]
        {
            assert_eq!(
                IssuerUrl::new(bad.to_owned(), false),
                Err(InvalidIssuerUrl::NotAUrl),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn refuses_query_fragment_and_userinfo_in_an_issuer() {
        for bad in [
            "https://op.example?a",
            "https://op.example/#",
            "https://u@op.example",
            "https://u:p@op.example",
        ] {
            assert_eq!(
                IssuerUrl::new(bad.to_owned(), false),
                Err(InvalidIssuerUrl::MoreThanAnOriginAndPath)
            );
        }
    }
}
