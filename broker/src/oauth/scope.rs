//! Scopes: their grammar, and those of OpenID Connect.

use crate::catalog::{Client, GrantType};

/// Makes the request an OpenID Connect one (OIDC Core §3.1.2.1).
pub const OPENID: &str = "openid";

/// Asks for a refresh token (OIDC Core §11).
pub const OFFLINE_ACCESS: &str = "offline_access";

/// OIDC scopes that we serve (OIDC Core §5.4, §11).
pub const OIDC_SCOPES: [&str; 5] = [OPENID, "profile", "email", "phone", OFFLINE_ACCESS];

/// The OIDC scope that is understood, but gives nothing: no user has an `address`. It does not appear in the answer's `scope`.
const WITHOUT_EFFECT: &str = "address";

/// Not a list of scope tokens (RFC 6749 §3.3).
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the scope must be scope tokens with one space between them")]
pub struct InvalidScope;

/// What a request asks for, sorted.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AskedScopes {
    /// Those of OpenID Connect that we serve; without `openid` only `offline_access`, which clients of plain OAuth ask for too.
    pub oidc: Vec<String>,
    /// All others, for the API.
    pub api: Vec<String>,
}

impl AskedScopes {
    /// Reads the parameter `scope`; a scope that stands there twice counts once.
    ///
    /// # Errors
    /// [`InvalidScope`].
    pub fn parse(text: Option<&str>) -> Result<Self, InvalidScope> {
        let mut asked = Self::default();
        let Some(text) = text else { return Ok(asked) };
        for token in text.split(' ') {
            if !is_scope_token(token) {
                return Err(InvalidScope);
            }
            let list = if OIDC_SCOPES.contains(&token) { &mut asked.oidc } else { &mut asked.api };
            let known = token == WITHOUT_EFFECT || list.iter().any(|seen| seen == token);
            if !known {
                list.push(token.to_owned());
            }
        }
        if !asked.has_openid() {
            asked.oidc.retain(|scope| scope == OFFLINE_ACCESS);
        }
        Ok(asked)
    }

    /// What a client asks for on behalf of a user. OIDC Core §11: `offline_access` is ignored where no refresh token can
    /// come of it.
    ///
    /// # Errors
    /// [`InvalidScope`].
    pub fn of(client: &Client, text: Option<&str>) -> Result<Self, InvalidScope> {
        let asked = Self::parse(text)?;
        let may_refresh = client.grant_types.contains(&GrantType::RefreshToken);
        Ok(if may_refresh { asked } else { asked.without_offline_access() })
    }

    /// Whether it is an OpenID Connect request.
    pub fn has_openid(&self) -> bool {
        self.oidc.iter().any(|scope| scope == OPENID)
    }

    /// Without what no refresh token can come of.
    #[must_use]
    pub fn without_offline_access(mut self) -> Self {
        self.oidc.retain(|scope| scope != OFFLINE_ACCESS);
        self
    }
}

/// RFC 6749 §3.3: printable ASCII without space, quotation mark and backslash.
pub fn is_scope_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
}

/// Whether a scope has a meaning of its own in OpenID Connect, so that no API can give it another (OIDC Core §5.4, §11).
pub fn is_reserved(scope: &str) -> bool {
    OIDC_SCOPES.contains(&scope) || scope == WITHOUT_EFFECT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> (String, String) {
        let asked = AskedScopes::parse(Some(text)).unwrap();
        (asked.oidc.join(" "), asked.api.join(" "))
    }

    #[test]
    fn sorts_what_is_asked_for() {
        assert_eq!(
            asked("read:data openid email read:data"),
            ("openid email".to_owned(), "read:data".to_owned())
        );
        assert_eq!(AskedScopes::parse(None), Ok(AskedScopes::default()));
    }

    #[test]
    fn address_gives_nothing_and_offline_access_needs_no_openid() {
        assert_eq!(asked("openid address"), ("openid".to_owned(), String::new()));
        assert_eq!(asked("offline_access read"), ("offline_access".to_owned(), "read".to_owned()));
        let both = AskedScopes::parse(Some("openid offline_access")).unwrap();
        assert_eq!(both.without_offline_access().oidc, ["openid"]);
    }

    #[test]
    fn without_openid_the_other_oidc_scopes_give_nothing() {
        assert_eq!(asked("profile email a"), (String::new(), "a".to_owned()));
    }

    #[test]
    fn no_api_gives_openid_connects_scopes_another_meaning() {
        for scope in ["openid", "profile", "email", "address", "phone", "offline_access"] {
            assert!(is_reserved(scope), "{scope}");
        }
        assert!(!is_reserved("read:data"));
    }

    #[test]
    fn refuses_what_is_not_a_scope() {
        for bad in ["", " ", "a  b", " a", "a ", "a\tb", "a\"b", "a\\b", "ä", "a\n"] {
            assert_eq!(AskedScopes::parse(Some(bad)), Err(InvalidScope), "{bad:?}");
        }
    }
}
