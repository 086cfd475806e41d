//! What of a user's claims a scope gives to the client (OIDC Core §5.4).

use serde::Serialize;

use crate::catalog::NormalizedClaims;

/// Claims for an ID token or `/userinfo`. `groups` and `roles` come with the scope `profile`: OIDC has no scope of its own
/// for them.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct UserClaims(NormalizedClaims);

/// What discovery lists as `claims_supported`, beside the protocol's own.
pub const USER_CLAIMS: [&str; 16] = [
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "locale",
    "zoneinfo",
    "groups",
    "roles",
    "email",
    "email_verified",
    "phone_number",
];

impl UserClaims {
    /// Of `claims` what `scopes` allow.
    pub fn of(claims: &NormalizedClaims, scopes: &[impl AsRef<str>]) -> Self {
        let has = |scope: &str| scopes.iter().any(|s| s.as_ref() == scope);
        let mut allowed = if has("profile") { claims.clone() } else { NormalizedClaims::default() };
        allowed.email = claims.email.clone().filter(|_| has("email"));
        // OIDC Core §5.1: says something about `email` only
        allowed.email_verified = claims.email_verified.filter(|_| allowed.email.is_some());
        allowed.phone_number = claims.phone_number.clone().filter(|_| has("phone"));
        Self(allowed)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn everything() -> NormalizedClaims {
        let text = || Some("x".to_owned());
        NormalizedClaims {
            name: text(),
            given_name: text(),
            family_name: text(),
            middle_name: text(),
            nickname: text(),
            preferred_username: text(),
            profile: text(),
            picture: text(),
            website: text(),
            locale: text(),
            zoneinfo: text(),
            email: text(),
            email_verified: Some(true),
            phone_number: text(),
            groups: vec!["g".to_owned()],
            roles: vec!["r".to_owned()],
        }
    }

    fn names(scopes: &[&str]) -> BTreeSet<String> {
        let claims = serde_json::to_value(UserClaims::of(&everything(), scopes)).unwrap();
        claims.as_object().unwrap().keys().cloned().collect()
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn each_scope_gives_its_claims_and_no_others() {
        assert_eq!(names(&["openid"]), set(&[]));
        assert_eq!(names(&["openid", "email"]), set(&["email", "email_verified"]));
        assert_eq!(names(&["openid", "phone"]), set(&["phone_number"]));
        assert_eq!(names(&["openid", "profile"]), set(&USER_CLAIMS[..13]));
        assert_eq!(names(&["openid", "profile", "email", "phone"]), set(&USER_CLAIMS));
    }
}
