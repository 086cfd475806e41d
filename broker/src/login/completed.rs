//! A login at its end: verified, normalized, bound to its browser, everything still allowed.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::ending::Ending;
use super::request::AuthorizationRequest;
use super::session::UpstreamSession;
use super::trace::Trail;
use crate::catalog::{Name, NormalizedClaims, Organization, User};

/// What the authorization server answers the client with.
#[derive(Clone, Debug)]
pub struct CompletedLogin {
    /// What is still to be written, together with what is issued: nothing goes out unless that succeeds.
    pub ending: Ending,
    /// What the client asked for.
    pub request: AuthorizationRequest,
    /// The local user.
    pub user: Arc<User>,
    /// Through which connection.
    pub connection: Name,
    /// In which organization, if in one (RULES 21).
    pub organization: Option<Arc<Organization>>,
    /// When the user authenticated upstream, where that is known (RULES 18).
    pub auth_time: Option<DateTime<Utc>>,
    /// Our words for how, by the connection's table only (RULES 22).
    pub acr: Option<String>,
    /// As `acr`.
    pub amr: Vec<String>,
    /// Claims of this login.
    pub claims: NormalizedClaims,
    /// The session at the IdP.
    pub upstream: UpstreamSession,
    /// What was checked; whoever answers the client writes it down with the outcome.
    pub trail: Trail,
}
