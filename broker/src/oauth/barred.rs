//! Whether a login still counts, when something is granted on it later.

use chrono::{DateTime, Utc};

use super::code::Login;
use super::error::Trouble;
use crate::app::App;
use crate::catalog::{Name, NormalizedClaims, Organization, User};
use crate::login::failure::{Barred, Failure};
use crate::login::membership::is_kept;
use crate::login::standing;
use crate::login::trace::{Proof, Trail};

/// Whether a login counts no longer, where something would be granted on it: the trace says why, the client does not learn.
///
/// # Errors
/// [`Trouble`].
pub(super) async fn turns_away(
    app: &App,
    client_id: &str,
    login: &Login,
    family: &str,
) -> Result<bool, Trouble> {
    let Some(barred) = login_is_barred(app, client_id, login).await? else { return Ok(false) };
    let trail = Trail {
        client_id: Some(client_id.to_owned()),
        connection: Some(login.connection.clone()),
        user_id: Some(login.user_id.clone()),
        proof: Proof::Login(family.to_owned()),
        ..Trail::default()
    };
    trail.failed(app, Failure::Barred(barred)).await;
    Ok(true)
}

/// Why a login counts no longer: its client, connection, organization or user is gone, disabled or blocked (THREATS X7).
///
/// # Errors
/// [`Trouble`].
pub(super) async fn login_is_barred(
    app: &App,
    client_id: &str,
    login: &Login,
) -> Result<Option<Barred>, Trouble> {
    let established = Established {
        connection: &login.connection,
        organization: login.organization.as_ref().map(|organization| organization.id.as_str()),
        user_id: &login.user_id,
        signed_in_at: login.signed_in_at,
        claims: Some(&login.claims),
    };
    is_barred(app, client_id, established).await
}

/// What is known of a login later.
#[derive(Clone, Copy)]
pub(super) struct Established<'a> {
    pub(super) connection: &'a Name,
    /// Its id.
    pub(super) organization: Option<&'a str>,
    pub(super) user_id: &'a str,
    /// `None` is long ago.
    pub(super) signed_in_at: Option<DateTime<Utc>>,
    /// `None` where nobody kept them: then those that the user last had by this connection count.
    pub(super) claims: Option<&'a NormalizedClaims>,
}

/// As [`login_is_barred`], of a login of a user that is known by what its tokens say; where only their own time is known, that
/// is no earlier than the login's.
///
/// # Errors
/// [`Trouble`].
pub(super) async fn is_barred(
    app: &App,
    client_id: &str,
    login: Established<'_>,
) -> Result<Option<Barred>, Trouble> {
    let standing = match standing::at_the_end(app, client_id, login.connection).await {
        Ok(standing) => standing,
        Err(Failure::Barred(barred)) => return Ok(Some(barred)),
        Err(away) => return Err(Trouble::Away(away.to_string())),
    };
    let Some(user) = app.catalog.get::<User>(login.user_id).await? else {
        return Ok(Some(Barred::Login("user_deleted")));
    };
    if let Some(organization) = login.organization {
        let organization = app.catalog.get::<Organization>(organization).await?;
        let Some(organization) = organization.filter(|organization| organization.enabled) else {
            return Ok(Some(Barred::Organization));
        };
        if !is_kept(app, &standing, &organization, &user, login.claims).await? {
            return Ok(Some(Barred::Login("membership_ended")));
        }
    }
    Ok(user.bars(Some(login.connection), login.signed_in_at).map(Barred::Login))
}
