//! The table behind [`Rejection`]: code, expected, received, fix.

use chrono::{DateTime, SecondsFormat, Utc};

use super::Rejection;
use crate::facts::{Facts, fact};

impl Rejection {
    pub(super) fn facts(&self) -> Facts {
        match self {
            Self::AccessTokenHash => fact("oidc_at_hash_mismatch").want("the hash of the access token").fix(UNCHANGED),
            Self::AcrNotMet { expected, received } => fact("oidc_acr_not_met")
                .want(expected.join(" or "))
                .got(received.as_deref().unwrap_or("none"))
                .fix("At the OpenID Provider make the required authentication method available to this user and application, or change `acr_values` of the connection."),
            Self::Algorithm { expected, received } => fact("oidc_algorithm_refused")
                .want(expected.join(" or "))
                .got(received)
                .fix(format!("At the OpenID Provider set the ID token signature algorithm of this application to `{}`.", expected.first().unwrap_or(&"RS256"))),
            Self::Audience { expected, received } => fact("oidc_audience_mismatch")
                .want(expected)
                .got(received.join(", "))
                .fix(format!("Set `client_id` of the connection to the client ID that the OpenID Provider shows for this application; it is `{expected}` here.")),
            Self::AuthTimeMissing => fact("oidc_auth_time_missing")
                .want("auth_time")
                .fix("At the OpenID Provider turn on the claim `auth_time`; it is required where a maximum age is asked for."),
            Self::AuthnInFuture { at, now } => before("oidc_auth_time_in_future", at, now).fix(CLOCK),
            Self::AuthnTooOld { at, oldest } => fact("oidc_auth_too_old")
                .want(format!("{} or later", time(oldest)))
                .got(time(at))
                .fix("At the OpenID Provider honour `prompt=login`: ask the user to sign in again when the request demands it."),
            Self::AuthorizedParty { expected, received } => fact("oidc_azp_mismatch")
                .want(expected)
                .got(received.as_deref().unwrap_or("none"))
                .fix("At the OpenID Provider issue the ID token to this application alone, without further audiences."),
            Self::ClaimMalformed { claim, expected } => {
                fact("oidc_claim_malformed").want(format!("{claim}: {expected}")).fix(STANDARD)
            }
            Self::ClaimMissing { claim } => fact("oidc_claim_missing").want(*claim).got("none").fix(STANDARD),
            Self::ClientAuthentication { expected, received } => fact("oidc_client_authentication_unsupported")
                .want(*expected)
                .got(received.join(", "))
                .fix("At the OpenID Provider allow client_secret_basic or client_secret_post for this application, and set its secret on the connection."),
            Self::Discovery { url, reason } => fact("oidc_discovery_refused")
                .want(url)
                .got(reason)
                .fix("Set `issuer` of the connection exactly as the provider's own discovery document names it, with or without the slash at its end."),
            Self::Encrypted => fact("oidc_id_token_encrypted")
                .want("a signed ID token")
                .got("an encrypted one")
                .fix("At the OpenID Provider turn off ID token encryption for this application."),
            Self::Expired { at, now } => {
                fact("oidc_token_expired").want(format!("later than {}", time(now))).got(time(at)).fix(CLOCK)
            }
            Self::IdTokenMalformed { reason } => fact("oidc_id_token_malformed").want("a signed JWT").got(reason).fix(STANDARD),
            Self::IdTokenMissing => fact("oidc_id_token_missing")
                .want("id_token")
                .got("none")
                .fix("Keep `openid` among the scopes and register the application at the provider for OpenID Connect, not for plain OAuth."),
            Self::Issuer { expected, received } => fact("oidc_issuer_mismatch").want(expected).got(received).fix(format!(
                "Set `issuer` of the connection to the issuer of this provider, or let the provider use `{expected}`."
            )),
            Self::IssuedInFuture { at, now } => before("oidc_issued_in_future", at, now).fix(CLOCK),
            Self::IssuedTooLongAgo { at, now } => fact("oidc_issued_too_long_ago")
                .want(format!("at most a day before {}", time(now)))
                .got(time(at))
                .fix(CLOCK),
            Self::KeyIssuer { expected, received } => {
                fact("oidc_key_issuer_mismatch").want(expected).got(received).fix(TENANT)
            }
            Self::KeySet { url, reason } => fact("oidc_key_set_refused")
                .want(url)
                .got(reason)
                .fix("Look at this URL: it must answer with the provider's JSON Web Key Set."),
            Self::KeyUnknown { kid } => fact("oidc_key_unknown")
                .want("a key of the provider's key set")
                .got(kid.as_deref().unwrap_or("a token that names no key"))
                .fix("Try again in a minute: a new key of the provider is looked up at most once a minute. If it stays, the provider does not publish the key that it signs with."),
            Self::Nonce => fact("oidc_nonce_mismatch").want("the nonce of this login").fix(START_AGAIN),
            Self::NotYetValid { at, now } => before("oidc_token_not_yet_valid", at, now).fix(CLOCK),
            Self::ResponseIssuer { expected, received } => {
                fact("oidc_response_issuer_mismatch").want(expected).got(received).fix(START_AGAIN)
            }
            Self::ResponseIssuerMissing { expected } => {
                fact("oidc_response_issuer_missing").want(expected).got("no iss").fix(START_AGAIN)
            }
            Self::Signature => fact("oidc_signature_invalid")
                .want("a signature by a key of the provider's key set")
                .fix("Start the login again. If it happens every time, the provider signs with another key than it publishes under that key ID."),
            Self::Subject { claim } => fact("oidc_subject_invalid")
                .want(format!("{claim}: 1 to 255 visible ASCII characters"))
                .fix(STANDARD),
            Self::Tenant { expected, received } => fact("oidc_tenant_not_allowed")
                .want(if expected.is_empty() { "a tenant in allowed_tenants, which is empty".to_owned() } else { expected.join(" or ") })
                .got(received)
                .fix(TENANT),
            Self::TokenAnswer { reason } => fact("oidc_token_answer_invalid")
                .want("200 with JSON: id_token, token_type Bearer")
                .got(*reason)
                .fix(STANDARD),
            Self::TokenRefused { error } => fact("oidc_token_request_refused").want("tokens").got(error).fix(token_refused(error)),
            Self::TokenType { received } => fact("oidc_token_typ_refused").want("JWT").got(received).fix(STANDARD),
            Self::Unsolicited => fact("oidc_unsolicited").want("an answer to a login that began here").fix(START_AGAIN),
            Self::Userinfo { reason } => fact("oidc_userinfo_invalid")
                .want("JSON with sub")
                .got(*reason)
                .fix("At the OpenID Provider put the claims into the ID token, or let userinfo answer in plain JSON."),
            Self::UserinfoSubject => fact("oidc_userinfo_subject_mismatch").want("the sub of the ID token").fix(STANDARD),
        }
    }
}

const CLOCK: &str = "Set the clock of the provider's server by NTP, or raise `clock_skew_seconds` on the connection.";
const STANDARD: &str = "The provider does not follow OpenID Connect Core here: look at this application's token settings there, and ask its maker.";
const START_AGAIN: &str = "Start the login again from the application.";
const TENANT: &str = "Add the tenant ID of the user's directory to `allowed_tenants` of the connection if its users may sign in.";
const UNCHANGED: &str = "Start the login again. If it happens every time, something between the provider and us changes its answers.";

/// RFC 6749 §5.2.
fn token_refused(error: &str) -> &'static str {
    match error {
        "invalid_client" | "unauthorized_client" => {
            "Set `client_id` and `client_secret` of the connection as the OpenID Provider shows them; secrets expire there (Entra: after two years at most). If they are right, compare `token_endpoint_auth_method`."
        }
        "invalid_grant" => {
            "Start the login again. If it happens every time, register our callback URL at the provider exactly as the connection shows it."
        }
        "invalid_scope" => {
            "Remove from `scopes` of the connection what the provider does not know."
        }
        _ => "Look up this time and error in the provider's log.",
    }
}

fn before(code: &'static str, at: &DateTime<Utc>, now: &DateTime<Utc>) -> Facts {
    fact(code).want(format!("not later than {}", time(now))).got(time(at))
}

fn time(at: &DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_is_cut_and_escaped() {
        let received =
            Rejection::TokenType { received: format!("\u{202e}{}", "x".repeat(400)) }.received();

        let shown = received.unwrap();
        assert!(shown.starts_with("\\u{202e}x"));
        assert!(shown.ends_with('…') && shown.chars().count() < 320);
    }

    #[test]
    fn a_refused_client_learns_where_its_secret_is_set() {
        let fix = Rejection::TokenRefused { error: "invalid_client".to_owned() }.fix().unwrap();

        assert!(fix.contains("`client_secret`"));
    }

    #[test]
    fn an_empty_tenant_list_says_that_it_is_empty() {
        let tenant = Rejection::Tenant { expected: Vec::new(), received: "t".to_owned() };

        assert_eq!(
            tenant.to_string(),
            "oidc_tenant_not_allowed, expected a tenant in allowed_tenants, which is empty, received t"
        );
    }
}
