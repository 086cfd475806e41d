//! Scopes: their grammar, and those of OpenID Connect.

/// Makes the request an OpenID Connect one (OIDC Core §3.1.2.1).
pub const OPENID: &str = "openid";

/// OIDC scopes that we serve (OIDC Core §5.4).
pub const OIDC_SCOPES: [&str; 4] = [OPENID, "profile", "email", "phone"];

/// OIDC scopes that are understood, but give nothing: no user has an `address`, and refresh tokens are not served yet, in
/// which case OIDC Core §11 has `offline_access` ignored. Neither appears in the answer's `scope`.
const WITHOUT_EFFECT: [&str; 2] = ["address", "offline_access"];

/// Not a list of scope tokens (RFC 6749 §3.3).
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the scope must be scope tokens with one space between them")]
pub struct InvalidScope;

/// What a request asks for, sorted.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AskedScopes {
    /// Those of OpenID Connect that we serve; none unless `openid` is among them.
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
            let known = WITHOUT_EFFECT.contains(&token) || list.iter().any(|seen| seen == token);
            if !known {
                list.push(token.to_owned());
            }
        }
        if !asked.oidc.iter().any(|scope| scope == OPENID) {
            asked.oidc.clear();
        }
        Ok(asked)
    }
}

/// RFC 6749 §3.3: printable ASCII without space, quotation mark and backslash.
pub fn is_scope_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
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
    fn offline_access_and_address_give_nothing() {
        assert_eq!(asked("openid offline_access address"), ("openid".to_owned(), String::new()));
    }

    #[test]
    fn without_openid_the_other_oidc_scopes_give_nothing() {
        assert_eq!(asked("profile email a"), (String::new(), "a".to_owned()));
    }

    #[test]
    fn refuses_what_is_not_a_scope() {
        for bad in ["", " ", "a  b", " a", "a ", "a\tb", "a\"b", "a\\b", "ä", "a\n"] {
            assert_eq!(AskedScopes::parse(Some(bad)), Err(InvalidScope), "{bad:?}");
        }
    }
}
