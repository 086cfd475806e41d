//! `/registration-tokens`: who may register third-party clients by themselves (RFC 7591 §3, initial access tokens).

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::body;
use super::failure::Failure;
use super::fields::Fields;
use super::resource::{self, Shown};
use super::token;
use crate::app::App;
use crate::catalog::{Name, Organization, RegistrationToken};
use crate::ids;

/// An hour, unless told.
const USUAL_SECONDS: u32 = 3600;
/// Thirty days.
const LONGEST_SECONDS: u32 = 30 * 24 * 3600;
const MOST_USES: u32 = 1000;

impl Shown for RegistrationToken {
    fn view(&self, _app: &App) -> Value {
        json!({
            "id": self.id,
            "organization": self.organization,
            "expires_at": self.expires_at,
            "uses_left": self.uses_left,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        })
    }
}

/// `POST /registration-tokens`: the token is in this answer only; we keep its SHA-256.
pub(super) async fn create(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Failure> {
    let mut fields = Fields::new(body::object(&request, &body)?);
    let organization = fields.parsed("organization", Name::try_from);
    let organization = fields.require("organization", organization);
    let seconds = fields.number("expires_in_seconds", 60..=LONGEST_SECONDS);
    let uses_left = fields.number("uses", 1..=MOST_USES).unwrap_or(1);
    if let Some(name) = &organization
        && app.catalog.get::<Organization>(name.as_str()).await?.is_none()
    {
        fields.refuse("organization", "is not an organization");
    }
    let errors = fields.finish();
    let Some(organization) = organization.filter(|_| errors.is_empty()) else {
        return Err(Failure::fields(errors));
    };
    let now = app.now();
    let id = ids::id("rgt", app.random.as_ref());
    let (token, token_sha256) = token::issue(&id, app.random.as_ref());
    let kept = RegistrationToken {
        id,
        organization,
        token_sha256,
        expires_at: now + TimeDelta::seconds(seconds.unwrap_or(USUAL_SECONDS).into()),
        uses_left,
        created_at: now,
        updated_at: now,
    };
    let once = Map::from_iter([("token".to_owned(), Value::String(token))]);
    resource::create(&app, &request, &kept, once).await
}
