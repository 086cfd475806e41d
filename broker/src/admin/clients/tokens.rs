//! What a client says about its refresh tokens and about answers that it wants signed.

use crate::admin::fields::Fields;
use crate::catalog::{RefreshTokens, SignedAnswers};

pub(super) fn read_signed_answers(fields: &mut Fields) -> SignedAnswers {
    let mut algorithm = |field| fields.choice(field, "RS256, ES256 or EdDSA");
    SignedAnswers {
        userinfo_signed_response_alg: algorithm("userinfo_signed_response_alg"),
        introspection_signed_response_alg: algorithm("introspection_signed_response_alg"),
    }
}

/// Within the limits of the configuration's own.
pub(super) fn read_refresh_tokens(fields: &mut Fields) -> RefreshTokens {
    const IDLE: &str = "refresh_token_idle_lifetime_seconds";
    let mut seconds = |field| fields.number(field, 60..=31_536_000);
    let lifetime = seconds("refresh_token_lifetime_seconds");
    let idle = seconds(IDLE);
    if lifetime.zip(idle).is_some_and(|(lifetime, idle)| idle > lifetime) {
        fields.refuse(IDLE, "is longer than refresh_token_lifetime_seconds");
    }
    RefreshTokens {
        refresh_token_lifetime_seconds: lifetime,
        refresh_token_idle_lifetime_seconds: idle,
    }
}
