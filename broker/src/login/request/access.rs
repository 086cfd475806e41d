//! What a client may do on a user's behalf: scopes of OpenID Connect, and at each API scopes of its own.

use serde::{Deserialize, Serialize};

/// What is asked for, may be granted and was granted, from the authorization request to the refresh token.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Access {
    /// Scopes of OpenID Connect.
    pub oidc_scopes: Vec<String>,
    /// APIs, in the order in which they were named; none: tokens are for `/userinfo` only.
    pub apis: Vec<ApiAccess>,
}

/// What a client may do at one API.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ApiAccess {
    /// The API's identifier.
    pub audience: String,
    /// Its scopes.
    pub scopes: Vec<String>,
}

/// The API is not one of these.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the API was not granted")]
pub struct NotGranted;

impl Access {
    /// The API that a token is asked for (RFC 8707 §2.2): the named one, the first where none is named; `None`: the token is
    /// for `/userinfo`.
    ///
    /// # Errors
    /// [`NotGranted`] where another API is named.
    pub fn api(&self, named: Option<&str>) -> Result<Option<&ApiAccess>, NotGranted> {
        match named {
            None => Ok(self.apis.first()),
            Some(named) => {
                let found = self.apis.iter().find(|api| api.audience == named);
                found.map(Some).ok_or(NotGranted)
            }
        }
    }

    /// Scopes of a token for one API, those of OpenID Connect first.
    pub fn scopes_at(&self, api: Option<&ApiAccess>) -> Vec<String> {
        let of_api = api.map_or(&[][..], |api| &api.scopes);
        self.oidc_scopes.iter().chain(of_api).cloned().collect()
    }

    /// All scopes, at every API; one that several APIs have stands there once.
    pub fn all_scopes(&self) -> Vec<String> {
        let mut all = self.oidc_scopes.clone();
        for scope in self.apis.iter().flat_map(|api| &api.scopes) {
            if !all.contains(scope) {
                all.push(scope.clone());
            }
        }
        all
    }

    /// Whether a scope of OpenID Connect is among them.
    pub fn has_oidc(&self, scope: &str) -> bool {
        self.oidc_scopes.iter().any(|known| known == scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(all: &[&str]) -> Vec<String> {
        all.iter().map(|text| (*text).to_owned()).collect()
    }

    fn access() -> Access {
        let api = |audience: &str, scopes: &[&str]| ApiAccess {
            audience: audience.to_owned(),
            scopes: texts(scopes),
        };
        Access {
            oidc_scopes: texts(&["openid"]),
            apis: vec![
                api("https://a.example", &["read", "a"]),
                api("https://b.example", &["read"]),
            ],
        }
    }

    #[test]
    fn the_first_api_is_meant_where_none_is_named_and_no_other_than_these_can_be() {
        let access = access();
        let named = |name| access.api(name).map(|api| api.map(|api| api.audience.as_str()));

        assert_eq!(named(None), Ok(Some("https://a.example")));
        assert_eq!(named(Some("https://b.example")), Ok(Some("https://b.example")));
        assert_eq!(named(Some("https://c.example")), Err(NotGranted));
        assert_eq!(Access::default().api(None), Ok(None));
        assert_eq!(Access::default().api(Some("https://a.example")), Err(NotGranted));
    }

    #[test]
    fn a_token_has_the_scopes_of_its_own_api() {
        let access = access();
        let scopes = |name| access.scopes_at(access.api(Some(name)).unwrap());

        assert_eq!(scopes("https://a.example"), texts(&["openid", "read", "a"]));
        assert_eq!(scopes("https://b.example"), texts(&["openid", "read"]));
        assert_eq!(access.scopes_at(None), texts(&["openid"]));
        assert_eq!(access.all_scopes(), texts(&["openid", "read", "a"]));
        assert!(access.has_oidc("openid") && !access.has_oidc("read"));
    }
}
