//! Every way in which a login ends without an answer to the client: its stable code, its status and its words.

mod words;

use homerealm_connectors::check::{Check, Outcome};
use homerealm_connectors::error::ConnectorError;

use super::access::Closed;
use super::claims::ClaimRefusal;
use super::connectors::Unusable;
use super::email::EmailRefusal;
use super::home_realm::Refusal;
use super::presets::Protocol;
use super::transaction::TransactionError;
use crate::catalog::CatalogError;
use crate::passwords::PasswordsError;
use crate::sessions::StoreError;

pub use words::Words;

/// Code of [`TransactionError::AlreadyReceived`]: continuing helps.
pub(super) const ALREADY_RECEIVED: &str = "login_already_received";

/// Why a login ends here.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Verified, or known well enough, and not allowed in.
    #[error("barred: {0:?}")]
    Barred(Barred),
    /// The callback has neither a code nor an error, or both.
    #[error("the callback is not an authorization response")]
    CallbackMalformed,
    /// The connection that was asked for is not for this client; for the browser it is as if there were none (RULES 23).
    #[error("the connection is closed to the client: {0:?}")]
    Closed(Closed),
    /// The verified statement is not taken.
    #[error("the verified statement is not taken: {0:?}")]
    Claims(ClaimRefusal),
    /// The connector's word.
    #[error(transparent)]
    Connector(#[from] ConnectorError),
    /// The form was not made by our page in this browser (RULES 30).
    #[error("the form was not made by our page in this browser")]
    FormNotOurs,
    /// The request cannot be served as it stands.
    #[error("home realm refused: {0:?}")]
    HomeRealm(Refusal),
    /// The connection cannot be used as it is configured; names what.
    #[error("the connection cannot be used: {0}")]
    Misconfigured(String),
    /// This assertion was used before.
    #[error("the assertion was used before")]
    Replayed(Protocol),
    /// The ACS was posted no response.
    #[error("the form has no SAMLResponse")]
    ResponseMissing,
    /// The login transaction cannot take this step.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// The IdP's own start of a login, and no single app to start at.
    #[error("an unsolicited response, and no single client to start at")]
    UnsolicitedWithoutApp,
    /// A store does not answer.
    #[error("{0} does not answer")]
    Unavailable(&'static str),
}

/// Who or what is not allowed in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Barred {
    /// Disabled or deleted while the login ran.
    Client,
    /// Disabled or deleted, or closed to this client, while the login ran or since.
    Connection(Closed),
    /// What the login established has ended since for its user, by this code.
    Login(&'static str),
    /// The organization is disabled.
    Organization,
    /// The user is not known to belong to the organization that was asked for (RULES 21).
    OrganizationForeign,
    /// The client gave up the redirect URI while the login ran.
    RedirectUri,
    /// The user is blocked.
    User,
    /// Several users fit what a change of identity provider recognizes them by.
    UserAmbiguous,
    /// No open invitation names them, and the connection wants one.
    UserUninvited,
    /// The connection lets in only whom an admin has made.
    UserUnknown,
}

impl Failure {
    /// Stable: what the trace, the log and the management API show.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Barred(barred) => barred.code(),
            Self::CallbackMalformed => "oidc_callback_malformed",
            Self::Claims(refusal) => claim_code(refusal),
            Self::Closed(_) => Refusal::UnknownConnection.code(),
            Self::Connector(error) => connector_code(error),
            Self::FormNotOurs => "login_form_not_ours",
            Self::HomeRealm(refusal) => refusal.code(),
            Self::Misconfigured(_) => "connection_misconfigured",
            Self::Replayed(Protocol::OAuth2) => "oauth2_replayed",
            Self::Replayed(Protocol::Oidc) => "oidc_replayed",
            Self::Replayed(Protocol::Password) => "password_replayed",
            Self::Replayed(Protocol::Saml) => "saml_replayed",
            Self::ResponseMissing => "saml_response_missing",
            Self::Transaction(error) => transaction_code(error),
            Self::UnsolicitedWithoutApp => "saml_unsolicited_no_app",
            Self::Unavailable(_) => "temporarily_unavailable",
        }
    }

    /// HTTP status of the page: 403 for verified but barred, 503 where a store is away, 502 where the IdP is, else 400.
    pub fn status(&self) -> u16 {
        match self {
            Self::Barred(_) | Self::Claims(ClaimRefusal::Email(EmailRefusal::Foreign { .. })) => {
                403
            }
            Self::Connector(ConnectorError::Unreachable { .. }) => 502,
            Self::Connector(ConnectorError::StoreUnavailable)
            | Self::Transaction(TransactionError::Store(_))
            | Self::Unavailable(_) => 503,
            Self::Misconfigured(_) => 500,
            Self::CallbackMalformed
            | Self::Claims(_)
            | Self::Closed(_)
            | Self::Connector(_)
            | Self::FormNotOurs
            | Self::HomeRealm(_)
            | Self::Replayed(_)
            | Self::ResponseMissing
            | Self::Transaction(_)
            | Self::UnsolicitedWithoutApp => 400,
        }
    }

    /// The failed check for the trace: what was compared and who can do what.
    pub fn check(&self) -> Check {
        let (expected, received, fix) = self.facts();
        Check { code: self.code().to_owned(), outcome: Outcome::Failed, expected, received, fix }
    }

    fn facts(&self) -> (Option<String>, Option<String>, Option<String>) {
        match self {
            Self::Claims(ClaimRefusal::Email(EmailRefusal::Foreign { domain, allowed })) => (
                Some(allowed.join(" ")),
                Some(domain.to_string()),
                Some("Add the domain to the connection, or set foreign_domains to omit_email.".to_owned()),
            ),
            Self::Claims(ClaimRefusal::AcrNotMet { required, received }) => (
                Some(required.join(" ")),
                received.clone(),
                Some("Have the identity provider enforce and state the required authentication context.".to_owned()),
            ),
            Self::Claims(ClaimRefusal::GroupsElsewhere) => (
                Some("the user's groups".to_owned()),
                Some("no groups, because there are too many to send".to_owned()),
                Some("In Entra have the application send only the groups that are assigned to it. If groups are not needed, set the connection's `claims.groups` to an empty list.".to_owned()),
            ),
            Self::Connector(ConnectorError::Rejected(r)) => (r.expected(), r.received(), r.fix()),
            Self::Connector(ConnectorError::Unreachable { what, reason }) => {
                (Some((*what).to_owned()), Some(reason.clone()), None)
            }
            Self::Connector(
                ConnectorError::UpstreamError { code, .. }
                | ConnectorError::Denied { error: code, .. },
            ) => (None, Some(code.clone()), None),
            Self::Misconfigured(what) => (None, Some(what.clone()), None),
            Self::Barred(Barred::Connection(closed)) | Self::Closed(closed) => closed_facts(*closed),
            Self::Barred(barred) => (None, None, barred.fix().map(str::to_owned)),
            Self::CallbackMalformed
            | Self::Claims(_)
            | Self::Connector(ConnectorError::StoreUnavailable)
            | Self::FormNotOurs
            | Self::HomeRealm(_)
            | Self::Replayed(_)
            | Self::ResponseMissing
            | Self::Transaction(_)
            | Self::UnsolicitedWithoutApp
            | Self::Unavailable(_) => (None, None, None),
        }
    }
}

fn closed_facts(closed: Closed) -> (Option<String>, Option<String>, Option<String>) {
    let [expected, received, fix] =
        [closed.expected(), closed.received(), closed.fix()].map(|text| Some(text.to_owned()));
    (expected, received, fix)
}

impl Barred {
    /// What an admin can do for newcomers who should come in.
    const fn fix(self) -> Option<&'static str> {
        match self {
            Self::UserAmbiguous => Some(
                "Several users of the old connection have this value, or its user came by another identity already: link the right one at PATCH /users/{id}.",
            ),
            Self::UserUninvited => Some("Invite them at POST /invitations."),
            Self::UserUnknown => Some(
                "Make the user with this identity at POST /users, or set the connection's `jit` to create.",
            ),
            Self::Client
            | Self::Connection(_)
            | Self::Login(_)
            | Self::Organization
            | Self::OrganizationForeign
            | Self::RedirectUri
            | Self::User => None,
        }
    }

    /// Stable, as [`Failure::code`].
    pub const fn code(self) -> &'static str {
        match self {
            Self::Client => "client_disabled",
            Self::Connection(Closed::Disabled | Closed::Gone) => "connection_disabled",
            Self::Connection(
                Closed::ClientDisabled
                | Closed::NotListedByClient
                | Closed::NotListedByConnection
                | Closed::NotPromoted
                | Closed::NotPromotedHere
                | Closed::OrganizationDisabled
                | Closed::OtherOrganization,
            ) => "connection_closed",
            Self::Login(code) => code,
            Self::Organization => "organization_disabled",
            Self::OrganizationForeign => "organization_not_a_member",
            Self::RedirectUri => "redirect_uri_removed",
            Self::User => "user_blocked",
            Self::UserAmbiguous => "user_ambiguous",
            Self::UserUninvited => "user_not_invited",
            Self::UserUnknown => "user_unknown",
        }
    }
}

const fn claim_code(refusal: &ClaimRefusal) -> &'static str {
    match refusal {
        ClaimRefusal::AcrNotMet { .. } => "acr_not_met",
        ClaimRefusal::Email(EmailRefusal::Foreign { .. }) => "email_domain_foreign",
        ClaimRefusal::Email(EmailRefusal::Invisible) => "email_invisible_characters",
        ClaimRefusal::GroupsElsewhere => "groups_left_out",
        ClaimRefusal::InvisibleSubject => "subject_invisible_characters",
    }
}

fn connector_code(error: &ConnectorError) -> &'static str {
    match error {
        ConnectorError::Denied { .. } => "access_denied",
        ConnectorError::Rejected(rejection) => rejection.code(),
        ConnectorError::StoreUnavailable => "temporarily_unavailable",
        ConnectorError::Unreachable { .. } => "upstream_unreachable",
        ConnectorError::UpstreamError { .. } => "oidc_idp_error",
    }
}

const fn transaction_code(error: &TransactionError) -> &'static str {
    match error {
        TransactionError::AlreadyReceived => ALREADY_RECEIVED,
        TransactionError::Completed => "login_already_completed",
        TransactionError::CookieMissing => "login_cookie_missing",
        TransactionError::Expired => "login_expired",
        TransactionError::NotAnswered => "login_not_answered",
        TransactionError::OtherBrowser => "login_other_browser",
        TransactionError::OtherConnection => "login_other_connection",
        TransactionError::Store(_) => "temporarily_unavailable",
        TransactionError::Superseded => "login_superseded",
        TransactionError::TooManyAttempts => "login_too_many_attempts",
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Transaction(TransactionError::Store(error))
    }
}

impl From<Unusable> for Failure {
    fn from(unusable: Unusable) -> Self {
        Self::Misconfigured(unusable.to_string())
    }
}

impl From<CatalogError> for Failure {
    fn from(error: CatalogError) -> Self {
        tracing::error!(%error, "the catalog did not do what a login needs");
        Self::Unavailable("the database")
    }
}

impl From<PasswordsError> for Failure {
    fn from(error: PasswordsError) -> Self {
        tracing::error!(%error, "a password was not compared");
        Self::Unavailable("the comparison of passwords")
    }
}
