//! What every kind of object has in common: read, list, delete, entity tags.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::{author, body, caller};
use crate::app::App;
use crate::catalog::{Name, Resource, Versioned};

/// A kind of object as the management API shows it.
pub(super) trait Shown: Resource {
    /// The whole answer, without secrets.
    fn view(&self, app: &App) -> Value;

    /// The organization whose tokens see it; for those of others it is not there.
    fn owner(&self) -> Option<&Name> {
        None
    }

    /// Members that only the operator's tokens see, because they name what is other organizations' (RULES 23).
    const OPERATORS_OWN: &'static [&'static str] = &[];

    /// What must end with it when it was deleted (`new` is `None`) or changed.
    async fn ends(_app: &App, _request: &HttpRequest, _old: &Self, _new: Option<&Self>) {}
}

/// What can be written of an object, with what only we write.
pub(super) fn complete(
    mut members: Map<String, Value>,
    id: &str,
    (created_at, updated_at): (DateTime<Utc>, DateTime<Utc>),
) -> Value {
    members.insert("id".to_owned(), json!(id));
    members.insert("created_at".to_owned(), json!(created_at));
    members.insert("updated_at".to_owned(), json!(updated_at));
    Value::Object(members)
}

/// Query of a list.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    limit: Option<String>,
    cursor: Option<String>,
}

/// `GET /{kind}`: in the order of their keys, page by page.
pub(super) async fn list<T: Shown>(
    app: web::Data<App>,
    page: web::Query<Page>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let (limit, cursor) = page.bounds()?;
    let caller = caller::of(&request).ok_or_else(|| Failure::not_found(T::KIND))?;
    let listed = match caller.organization() {
        None => app.catalog.list::<T>(limit, cursor).await?,
        Some(organization) => app.catalog.list_of::<T>(organization, limit, cursor).await?,
    };
    let seen = listed.items.iter().filter(|item| caller.sees(item.owner()));
    let items: Vec<Value> = seen.map(|item| seen_by(&app, &request, &**item)).collect();
    Ok(HttpResponse::Ok().json(json!({"items": items, "next": listed.next})))
}

/// `GET /{kind}/{id}`: by id or name.
pub(super) async fn read<T: Shown>(
    app: web::Data<App>,
    id: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let found = find_own::<T>(&app, &request, &id).await?;
    Ok(shown(&app, &request, &found))
}

/// `DELETE /{kind}/{id}`: 204, or 409 while something refers to it.
pub(super) async fn delete<T: Shown>(
    app: web::Data<App>,
    id: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let found = find::<T>(&app, &id).await?;
    let expected = expected_revision(&request, &found)?;
    let author = author::of(&app, &request);
    app.catalog.audited(author).delete::<T>(found.object.id(), expected).await?;
    changed::<T>("deleted", found.object.id());
    T::ends(&app, &request, &found.object, None).await;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn find<T: Shown>(app: &App, id: &str) -> Result<Versioned<T>, Failure> {
    app.catalog.get::<T>(id).await?.ok_or_else(|| Failure::not_found(T::KIND))
}

/// As [`find`], for whom an object of another organization's looks like none (RULES 23).
pub(super) async fn find_own<T: Shown>(
    app: &App,
    request: &HttpRequest,
    id: &str,
) -> Result<Versioned<T>, Failure> {
    let found = find::<T>(app, id).await?;
    let sees = caller::of(request).is_some_and(|caller| caller.sees(found.owner()));
    if sees { Ok(found) } else { Err(Failure::not_found(T::KIND)) }
}

/// The object that a PATCH is about, and what can be written of it with the patch merged in (RFC 7396); `writable` is what can
/// be written of the kind.
pub(super) async fn patched<T: Shown>(
    app: &App,
    id: &str,
    (request, body): (&HttpRequest, &web::Bytes),
    writable: impl FnOnce(&T) -> Map<String, Value>,
) -> Result<(Versioned<T>, Map<String, Value>), Failure> {
    let patch = body::object(request, body)?;
    let found = find::<T>(app, id).await?;
    let mut merged = writable(&found.object);
    body::merge(&mut merged, patch);
    Ok((found, merged))
}

/// The object with its entity tag.
fn shown<T: Shown>(app: &App, request: &HttpRequest, found: &Versioned<T>) -> HttpResponse {
    shown_with((app, request), StatusCode::OK, found, Map::new())
}

/// The object with its entity tag and members that are in this answer only.
fn shown_with<T: Shown>(
    (app, request): (&App, &HttpRequest),
    status: StatusCode,
    found: &Versioned<T>,
    once: Map<String, Value>,
) -> HttpResponse {
    let mut body = seen_by(app, request, &*found.object);
    if let Value::Object(members) = &mut body {
        members.extend(once);
    }
    let mut response = HttpResponse::build(status);
    response.insert_header((header::ETAG, entity_tag(found.revision)));
    response.json(body)
}

/// The answer without what the caller must not see.
fn seen_by<T: Shown>(app: &App, request: &HttpRequest, object: &T) -> Value {
    let mut body = object.view(app);
    let is_operators = caller::of(request).is_some_and(|caller| caller.organization().is_none());
    if let Value::Object(members) = &mut body
        && !is_operators
    {
        members.retain(|name, _| !T::OPERATORS_OWN.contains(&name.as_str()));
    }
    body
}

/// Creates, logs, answers 201.
pub(super) async fn create<T: Shown>(
    app: &App,
    request: &HttpRequest,
    object: &T,
    once: Map<String, Value>,
) -> Result<HttpResponse, Failure> {
    let made = app.catalog.audited(author::of(app, request)).insert(object).await?;
    changed::<T>("created", object.id());
    Ok(shown_with((app, request), StatusCode::CREATED, &made, once))
}

/// Replaces unless nothing changes, logs, answers 200. Where the request names no revision, the one that the patch was merged into counts, so
/// that two patches at once never lose one another's fields.
pub(super) async fn replace<T: Shown>(
    app: &App,
    request: &HttpRequest,
    old: &Versioned<T>,
    new: &T,
) -> Result<HttpResponse, Failure> {
    let expected = expected_revision(request, old)?;
    if is_same(&*old.object, new) {
        return Ok(shown(app, request, old));
    }
    let expected = expected.or(Some(old.revision));
    let made = app.catalog.audited(author::of(app, request)).update(new, expected).await?;
    changed::<T>("updated", new.id());
    T::ends(app, request, &old.object, Some(new)).await;
    Ok(shown(app, request, &made))
}

/// Whether nothing but the time of the change would change: then nothing is written, and the audit log stays silent.
fn is_same<T: Shown>(old: &T, new: &T) -> bool {
    let timeless = |object: &T| {
        let mut document = serde_json::to_value(object).ok()?;
        document.as_object_mut()?.remove("updated_at");
        Some(document)
    };
    timeless(old).is_some_and(|old| timeless(new) == Some(old))
}

fn changed<T: Shown>(what: &'static str, id: &str) {
    tracing::info!(object.kind = T::KIND, object.id = id, "{what}");
}

/// `If-Match` is optional; where it is sent it must be the current entity tag (RFC 9110 §13.1.1).
fn expected_revision<T>(
    request: &HttpRequest,
    found: &Versioned<T>,
) -> Result<Option<i64>, Failure> {
    let Some(condition) = request.headers().get(header::IF_MATCH) else { return Ok(None) };
    let current = entity_tag(found.revision);
    let matches = |value: &HeaderValue| {
        value
            .to_str()
            .is_ok_and(|v| v.split(',').any(|tag| tag.trim() == "*" || tag.trim() == current))
    };
    if matches(condition) {
        return Ok(Some(found.revision));
    }
    Err(Failure::new(
        StatusCode::PRECONDITION_FAILED,
        format!("If-Match does not name the current version, which is {current}."),
    ))
}

fn entity_tag(revision: i64) -> String {
    format!("\"{revision}\"")
}

impl Page {
    /// How many, and from where; 50 unless told, 1-200.
    pub(super) fn bounds(&self) -> Result<(u32, Option<&str>), Failure> {
        let limit = match self.limit.as_deref().map(str::parse::<u32>) {
            None => 50,
            Some(Ok(limit)) if (1..=200).contains(&limit) => limit,
            Some(_) => return Err(Failure::field("limit", "must be a whole number from 1 to 200")),
        };
        Ok((limit, self.cursor.as_deref()))
    }
}
