//! `/organizations`

mod domains;
mod role_mappings;

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::body;
use super::failure::Failure;
use super::fields::Fields;
use super::resource::{self, Shown};
use crate::app::App;
use crate::catalog::{DomainPattern, Name, Organization, RoleMapping};
use crate::ids;

impl Shown for Organization {
    fn owner(&self) -> Option<&Name> {
        Some(&self.name)
    }

    fn view(&self, _app: &App) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "display_name": self.display_name,
            "domains": domains::shown(&self.domains),
            "session_max_age_seconds": self.session_max_age_seconds,
            "role_mappings": self.role_mappings,
            "enabled": self.enabled,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        })
    }
}

/// `POST /organizations`
pub(super) async fn create(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Failure> {
    let now = app.now();
    let draft = Draft::read(body::object(&request, &body)?)?;
    let organization = Organization {
        id: ids::id("org", app.random.as_ref()),
        name: draft.name,
        display_name: draft.display_name,
        domains: domains::held(&[], draft.domains),
        session_max_age_seconds: draft.session_max_age_seconds,
        role_mappings: draft.role_mappings,
        enabled: draft.enabled,
        created_at: now,
        updated_at: now,
    };
    resource::create(&app, &request, &organization, Map::new()).await
}

/// `PATCH /organizations/{id}`
pub(super) async fn update(
    app: web::Data<App>,
    id: web::Path<String>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Failure> {
    let (found, merged) = resource::patched(&app, &id, (&request, &body), writable).await?;
    let old: &Organization = &found.object;
    let draft = Draft::read(merged)?;
    if draft.name != old.name {
        return Err(Failure::field("name", "cannot be changed"));
    }
    let new = Organization {
        display_name: draft.display_name,
        domains: domains::held(&old.domains, draft.domains),
        session_max_age_seconds: draft.session_max_age_seconds,
        role_mappings: draft.role_mappings,
        enabled: draft.enabled,
        updated_at: app.now(),
        ..old.clone()
    };
    resource::replace(&app, &request, &found, &new).await
}

/// The longest that a session may last by configuration, seconds: 90 days.
const LONGEST_SESSION: u32 = 7_776_000;

/// What a POST body says.
struct Draft {
    name: Name,
    display_name: String,
    domains: Vec<domains::Said>,
    session_max_age_seconds: Option<u32>,
    role_mappings: Vec<RoleMapping>,
    enabled: bool,
}

impl Draft {
    fn read(object: Map<String, Value>) -> Result<Self, Failure> {
        let mut fields = Fields::new(object);
        let name = fields.parsed("name", Name::try_from);
        let name = fields.require("name", name);
        let display_name = fields.label("display_name");
        let domains = domains::read(&mut fields);
        let session_max_age_seconds = fields.number("session_max_age_seconds", 0..=LONGEST_SESSION);
        let role_mappings = role_mappings::read(&mut fields);
        let enabled = fields.flag("enabled").unwrap_or(true);
        let errors = fields.finish();
        let Some(name) = name.filter(|_| errors.is_empty()) else {
            return Err(Failure::fields(errors));
        };
        let display_name = display_name.unwrap_or_else(|| name.to_string());
        Ok(Self { name, display_name, domains, session_max_age_seconds, role_mappings, enabled })
    }
}

/// RULES 25: no public suffix, and no domain at which anybody has a mailbox.
pub(super) fn refuse_unownable(fields: &mut Fields, name: &DomainPattern) {
    if name.base().is_public_suffix() {
        fields.refuse("name", "is a public suffix, which nobody can own");
    } else if name.base().is_public_mail() {
        fields.refuse("name", "is a domain at which anybody can have a mailbox");
    }
}

fn writable(organization: &Organization) -> Map<String, Value> {
    body::members(json!({
        "name": organization.name,
        "display_name": organization.display_name,
        "domains": domains::shown(&organization.domains),
        "session_max_age_seconds": organization.session_max_age_seconds,
        "role_mappings": organization.role_mappings,
        "enabled": organization.enabled,
    }))
}
