//! `/invitations`: who may sign in to an organization for the first time.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::body;
use super::failure::Failure;
use super::fields::Fields;
use super::resource::{self, Shown};
use super::users::read_identity;
use crate::app::App;
use crate::catalog::invitation::Invited;
use crate::catalog::{Connection, EmailAddress, Identity, Invitation, Name, Organization};
use crate::ids;

/// Seven days, unless told.
const USUAL_SECONDS: u32 = 7 * 24 * 3600;
/// Ninety days.
const LONGEST_SECONDS: u32 = 90 * 24 * 3600;

impl Shown for Invitation {
    fn view(&self, _app: &App) -> Value {
        let (email, identity) = match &self.whom {
            Invited::Email(email) => (Some(email), None),
            Invited::Identity(identity) => (None, Some(identity)),
        };
        json!({
            "id": self.id,
            "organization": self.organization,
            "email": email,
            "identity": identity,
            "expires_at": self.expires_at,
            "accepted": self.accepted,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        })
    }
}

/// `POST /invitations`: of a verified address, or of an identity as its provider names it. We send nothing.
pub(super) async fn create(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Failure> {
    let mut fields = Fields::new(body::object(&request, &body)?);
    let organization = fields.parsed("organization", Name::try_from);
    let organization = fields.require("organization", organization);
    let address = |text: String| EmailAddress::parse(&text);
    let email = fields.parsed("email", address);
    let identity = match fields.object("identity") {
        Some(mut inner) => {
            let identity = read_identity(&app, &mut inner).await?;
            fields.absorb(inner);
            identity
        }
        None => None,
    };
    let seconds = fields.number("expires_in_seconds", 60..=LONGEST_SECONDS);
    if let Some(name) = &organization {
        is_theirs(&app, &mut fields, name, identity.as_ref()).await?;
    }
    let refused = fields.is_refused("email") || fields.is_refused("identity");
    let whom = match (email, identity) {
        (Some(address), None) => Some(Invited::from(&address)),
        (None, Some(identity)) => Some(Invited::Identity(identity)),
        (None, None) if refused => None,
        (None, None) | (Some(_), Some(_)) => {
            fields.refuse("email", "or `identity` is required, and only one of them");
            None
        }
    };
    let errors = fields.finish();
    let (Some(organization), Some(whom), true) = (organization, whom, errors.is_empty()) else {
        return Err(Failure::fields(errors));
    };
    let now = app.now();
    let invitation = Invitation {
        id: ids::id("inv", app.random.as_ref()),
        organization,
        key: whom.key(),
        whom,
        expires_at: now + TimeDelta::seconds(seconds.unwrap_or(USUAL_SECONDS).into()),
        accepted: None,
        created_at: now,
        updated_at: now,
    };
    resource::create(&app, &request, &invitation, Map::new()).await
}

/// The organization exists, and the identity's connection is its own, or shared.
async fn is_theirs(
    app: &App,
    fields: &mut Fields,
    organization: &Name,
    identity: Option<&Identity>,
) -> Result<(), Failure> {
    if app.catalog.get::<Organization>(organization.as_str()).await?.is_none() {
        fields.refuse("organization", "is not an organization");
    }
    let Some(identity) = identity else { return Ok(()) };
    let connection = app.catalog.get::<Connection>(identity.connection.as_str()).await?;
    let owner = connection.and_then(|connection| connection.organization.clone());
    if owner.is_some_and(|owner| owner != *organization) {
        fields.refuse("identity.connection", "belongs to another organization");
    }
    Ok(())
}
