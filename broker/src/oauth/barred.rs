//! Whether a login still counts, when something is granted on it later.

use chrono::{DateTime, Utc};

use super::code::Login;
use super::error::Trouble;
use crate::app::App;
use crate::catalog::{Name, Organization, User};
use crate::login::failure::{Barred, Failure};
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
    let organization = login.organization.as_ref().map(|organization| organization.id.as_str());
    let whose = (login.user_id.as_str(), login.signed_in_at);
    is_barred(app, client_id, &login.connection, organization, whose).await
}

/// As [`login_is_barred`], of a login of a user that is known by what its tokens say; where only their own time is known, that
/// is no earlier than the login's.
///
/// # Errors
/// [`Trouble`].
pub(super) async fn is_barred(
    app: &App,
    client_id: &str,
    connection: &Name,
    organization: Option<&str>,
    (user_id, signed_in_at): (&str, Option<DateTime<Utc>>),
) -> Result<Option<Barred>, Trouble> {
    match standing::at_the_end(app, client_id, connection).await {
        Ok(_) => {}
        Err(Failure::Barred(barred)) => return Ok(Some(barred)),
        Err(away) => return Err(Trouble::Away(away.to_string())),
    }
    if let Some(organization) = organization {
        let organization = app.catalog.get::<Organization>(organization).await?;
        if organization.is_none_or(|organization| !organization.enabled) {
            return Ok(Some(Barred::Organization));
        }
    }
    let user = app.catalog.get::<User>(user_id).await?;
    let ended = user.map_or(Some("user_deleted"), |user| user.bars(Some(connection), signed_in_at));
    Ok(ended.map(Barred::Login))
}
