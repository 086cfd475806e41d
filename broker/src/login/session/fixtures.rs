//! A session for tests.

use chrono::TimeDelta;
use homerealm_connectors::assertion::Subject;

use super::{SsoSession, UpstreamSession};
use crate::catalog::NormalizedClaims;
use crate::ids;
use crate::login::fixtures::{name, now};

/// Ada's, of acme's OIDC connection, ten seconds after she signed in there.
pub(crate) fn session() -> SsoSession {
    SsoSession {
        sid: format!("ses_{}", "a".repeat(26)),
        secret: ids::sha256_hex(&"s".repeat(43)),
        user_id: "usr_1".to_owned(),
        connection: name("acme-oidc"),
        organization: Some(name("acme")),
        auth_time: Some(now() - TimeDelta::seconds(10)),
        acr: Some("mfa".to_owned()),
        amr: vec!["otp".to_owned()],
        claims: NormalizedClaims {
            email: Some("Ada@acme.example".to_owned()),
            preferred_username: Some("ada".to_owned()),
            ..NormalizedClaims::default()
        },
        upstream: UpstreamSession {
            issuer: "https://op.example".to_owned(),
            subject: Subject::bare("1".to_owned()),
            session_index: Some("idp-session".to_owned()),
            ends_at: None,
        },
        clients: Vec::new(),
        signed_in_at: now(),
        used_at: now(),
        ends_at: now() + TimeDelta::hours(24),
    }
}
