//! `/connections/{id}/migrations`: users of an old connection come by this one and stay who they are.

mod pairs;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::body;
use super::failure::Failure;
use super::fields::Fields;
use super::resource::{self, Shown};
use crate::app::App;
use crate::catalog::identity_migration::{MatchRule, Stored};
use crate::catalog::store::MigrationPreview;
use crate::catalog::{Connection, IdentityMigration, Name};
use crate::ids;

const USUAL_DAYS: u32 = 90;
const LONGEST_DAYS: u32 = 365;
/// Users of each kind that an answer lists; it counts all.
const MOST_LISTED: usize = 1000;

impl Shown for IdentityMigration {
    fn view(&self, _app: &App) -> Value {
        json!({
            "id": self.id,
            "connection": self.connection,
            "from_connection": self.from_connection,
            "organization": self.organization,
            "match": self.rule,
            "ends_at": self.ends_at,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        })
    }
}

/// The two connections, of one organization.
struct Move {
    to: Connection,
    from: Connection,
    organization: Name,
}

/// `POST /connections/{id}/migrations`. With `match` users are recognized at their first login by this connection; with `pairs`
/// they are linked at once. `dry_run` changes nothing and says what would be.
pub(super) async fn create(
    app: web::Data<App>,
    id: web::Path<String>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Failure> {
    let to = resource::find::<Connection>(&app, &id).await?.object;
    let mut fields = Fields::new(body::object(&request, &body)?);
    let from = fields.parsed("from_connection", Name::try_from);
    let from = fields.require("from_connection", from);
    let rule = read_rule(&mut fields);
    let asks_for_rule = rule.is_some() || fields.is_refused("match");
    let pairs = pairs::read(&mut fields);
    let days = fields.number("ends_in_days", 1..=LONGEST_DAYS).unwrap_or(USUAL_DAYS);
    let dry_run = fields.flag("dry_run").unwrap_or(false);
    if asks_for_rule == pairs.is_some() {
        fields.refuse("match", "or `pairs` is required, and only one of them");
    }
    let planned = match from {
        Some(from) => planned(&app, &mut fields, &to, &from).await?,
        None => None,
    };
    let errors = fields.finish();
    let (Some(planned), true) = (planned, errors.is_empty()) else {
        return Err(Failure::fields(errors));
    };
    match (rule, pairs) {
        (Some(rule), _) => {
            let migration = migration(&app, planned, rule, days);
            announce(&app, &request, &migration, dry_run).await
        }
        (None, pairs) => {
            pairs::link(&app, &request, &planned, pairs.unwrap_or_default(), dry_run).await
        }
    }
}

/// `GET /connections/{id}/migrations`
pub(super) async fn list(
    app: web::Data<App>,
    id: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    let to = resource::find::<Connection>(&app, &id).await?.object;
    let found = app.catalog.migrations_to(&to.name).await?;
    let items: Vec<Value> = found.iter().map(|migration| migration.view(&app)).collect();
    Ok(HttpResponse::Ok().json(json!({"items": items, "next": null})))
}

/// `DELETE /connections/{id}/migrations/{migration}`: who was recognized stays so.
pub(super) async fn delete(
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let (id, migration) = path.into_inner();
    let to = resource::find::<Connection>(&app, &id).await?.object;
    let found = resource::find::<IdentityMigration>(&app, &migration).await?.object;
    if found.connection != to.name {
        return Err(Failure::not_found(<IdentityMigration as crate::catalog::Resource>::KIND));
    }
    let author = super::author::of(&app, &request);
    app.catalog.audited(author).delete::<IdentityMigration>(&found.id, None).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn migration(app: &App, planned: Move, rule: MatchRule, days: u32) -> IdentityMigration {
    let now = app.now();
    IdentityMigration {
        id: ids::id("mig", app.random.as_ref()),
        connection: planned.to.name,
        from_connection: planned.from.name,
        organization: planned.organization,
        rule,
        ends_at: now + TimeDelta::days(days.into()),
        created_at: now,
        updated_at: now,
    }
}

async fn announce(
    app: &App,
    request: &HttpRequest,
    migration: &IdentityMigration,
    dry_run: bool,
) -> Result<HttpResponse, Failure> {
    let preview = app.catalog.preview_migration(migration).await?;
    let report = report(&preview);
    if dry_run {
        return Ok(HttpResponse::Ok().json(json!({"dry_run": true, "report": report})));
    }
    if let Some(group) = preview.ambiguous.first() {
        let text = format!(
            "{} values are those of several users, for one {}. Correct or link them first; `dry_run` lists them all.",
            preview.ambiguous.len(),
            group.join(" and ")
        );
        return Err(Failure::new(StatusCode::CONFLICT, text));
    }
    let once = Map::from_iter([("report".to_owned(), report)]);
    resource::create(app, request, migration, once).await
}

fn report(preview: &MigrationPreview) -> Value {
    let listed = |ids: &[String]| json!({"count": ids.len(), "users": ids.iter().take(MOST_LISTED).collect::<Vec<_>>()});
    let groups: Vec<_> = preview.ambiguous.iter().take(MOST_LISTED).collect();
    json!({
        "matched": listed(&preview.matched),
        "without_value": listed(&preview.without_value),
        "moved": listed(&preview.moved),
        "ambiguous": {"count": preview.ambiguous.len(), "groups": groups},
    })
}

fn read_rule(fields: &mut Fields) -> Option<MatchRule> {
    const STORED: &str = "email, nickname, phone_number, preferred_username or subject";
    let mut inner = fields.object("match")?;
    let stored: Option<Stored> = inner.choice("stored", STORED);
    let stored = inner.require("stored", stored);
    let attribute = inner.text("attribute");
    match stored {
        Some(Stored::Email) if attribute.is_some() => {
            inner.refuse(
                "attribute",
                "cannot be named: only an address that we found verified counts",
            );
        }
        Some(
            Stored::Nickname | Stored::PhoneNumber | Stored::PreferredUsername | Stored::Subject,
        ) if attribute.is_none() => {
            inner.refuse(
                "attribute",
                "is required: where the new identity provider says it, and nobody edits it of themselves",
            );
        }
        Some(_) | None => {}
    }
    fields.absorb(inner);
    stored.map(|stored| MatchRule { stored, attribute })
}

/// Both connections are of one organization: an IdP of one customer never says who somebody of another is.
async fn planned(
    app: &App,
    fields: &mut Fields,
    to: &Connection,
    from: &Name,
) -> Result<Option<Move>, Failure> {
    let found = app.catalog.get::<Connection>(from.as_str()).await?;
    let Some(from) = found.map(|found| (*found.object).clone()) else {
        fields.refuse("from_connection", "is not a connection");
        return Ok(None);
    };
    let one = to.organization.clone().filter(|owner| from.organization.as_ref() == Some(owner));
    let Some(organization) = one.filter(|_| from.name != to.name) else {
        fields.refuse("from_connection", "must be another connection of the same organization");
        return Ok(None);
    };
    Ok(Some(Move { to: to.clone(), from, organization }))
}
