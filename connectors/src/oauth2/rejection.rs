//! Why the answer of an OAuth 2.0 server was refused: one variant per rule, in alphabetical order. The codes are stable.

use crate::facts::{Facts, fact};

/// One broken rule. Values of a user, tokens and codes never appear in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Rejection {
    /// The connection has no way to authenticate at the token endpoint.
    ClientAuthentication { expected: &'static str },
    /// The list of addresses is not usable.
    EmailList { reason: &'static str },
    /// The user must authenticate anew, and this server cannot be asked for it (RULES 18).
    ForcedLogin,
    /// `iss` beside the code is another issuer's (RFC 9207 §2.4).
    ResponseIssuer { expected: String, received: String },
    /// The attribute that names the user has a value that cannot.
    Subject { expected: String },
    /// The attribute that names the user is absent.
    SubjectMissing { attribute: String },
    /// The token endpoint's answer is not what RFC 6749 §5.1 describes.
    TokenAnswer { reason: &'static str },
    /// The token endpoint refused the request (RFC 6749 §5.2).
    TokenRefused { error: String },
    /// There is no pending login for this answer.
    Unsolicited,
    /// The userinfo answer is not usable.
    Userinfo { reason: &'static str },
}

impl Rejection {
    /// The stable name of the rule, `oauth2_…`.
    pub fn code(&self) -> &'static str {
        self.facts().code
    }

    /// What a correct answer would have had.
    pub fn expected(&self) -> Option<String> {
        self.facts().expected
    }

    /// What this answer had. Never a value that identifies the user.
    pub fn received(&self) -> Option<String> {
        self.facts().received
    }

    /// What the IT admin can do.
    pub fn fix(&self) -> Option<String> {
        self.facts().fix
    }

    fn facts(&self) -> Facts {
        match self {
            Self::ClientAuthentication { expected } => fact("oauth2_client_authentication_unsupported")
                .want(*expected)
                .fix("Set `client_secret` and `token_endpoint_auth_method` of the connection as the provider describes them."),
            Self::EmailList { reason } => fact("oauth2_emails_invalid")
                .want("200 with a JSON array")
                .got(*reason)
                .fix("Let the application read the user's e-mail addresses at the provider, or take `user:email` out of `scopes` of the connection: then there is no address."),
            Self::ForcedLogin => fact("oauth2_forced_login_unsupported")
                .want("a provider that can be asked to sign the user in anew")
                .got("no forced_login_params")
                .fix("Set `forced_login_params` of the connection to what makes this provider ask again, or have the app leave out `prompt=login` and `max_age`."),
            Self::ResponseIssuer { expected, received } => fact("oauth2_response_issuer_mismatch")
                .want(expected)
                .got(received)
                .fix("Set `issuer` of the connection to the issuer of this server. If it is right, somebody mixes servers up: leave it refused."),
            Self::Subject { expected } => fact("oauth2_subject_invalid")
                .want(expected)
                .fix("Set `subject_attribute` of the connection to the provider's own, unchanging number or identifier of an account."),
            Self::SubjectMissing { attribute } => fact("oauth2_subject_missing")
                .want(attribute)
                .got("none")
                .fix("Set `subject_attribute` of the connection to an attribute that the userinfo endpoint sends; within an object it is `outer.inner`."),
            Self::TokenAnswer { reason } => fact("oauth2_token_answer_invalid")
                .want("200 with JSON: access_token, token_type Bearer")
                .got(*reason)
                .fix("Set `token_url` of the connection to the provider's token endpoint. If it is right, the provider does not follow RFC 6749 §5.1: ask its maker."),
            Self::TokenRefused { error } => fact("oauth2_token_request_refused")
                .want("an access token")
                .got(error)
                .fix(token_refused(error)),
            Self::Unsolicited => fact("oauth2_unsolicited")
                .want("an answer to a login that began here")
                .fix("Start the login again from the application."),
            Self::Userinfo { reason } => fact("oauth2_userinfo_invalid")
                .want("200 with a JSON object")
                .got(*reason)
                .fix("Set `userinfo_url` of the connection to the address where the provider says in JSON whose an access token is, and `scopes` to what it asks for."),
        }
    }
}

/// RFC 6749 §5.2, and GitHub's own words.
fn token_refused(error: &str) -> &'static str {
    match error {
        "invalid_client" | "unauthorized_client" | "incorrect_client_credentials" => {
            "Set `client_id` and `client_secret` of the connection as the provider shows them. If they are right, compare `token_endpoint_auth_method`."
        }
        "invalid_grant" | "bad_verification_code" | "redirect_uri_mismatch" => {
            "Start the login again. If it happens every time, register our callback URL at the provider exactly as the connection shows it."
        }
        _ => "Look up this time and error in the provider's log.",
    }
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.facts().fmt(f)
    }
}

impl std::error::Error for Rejection {}
