//! `/organizations/{id}/domains`: an organization claims its domains and proves them by DNS; the operator transfers them.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::body;
use super::caller;
use super::failure::Failure;
use super::fields::Fields;
use super::organizations::refuse_unownable;
use super::{author, resource};
use crate::app::App;
use crate::catalog::{
    CatalogError, DomainPattern, Name, Organization, OrganizationDomain, Versioned,
};
use crate::domains::proof::{self, Seen};
use crate::domains::{recheck, record_name};
use crate::http::error::FieldError;

/// Claims that an organization has open at once, so that nobody fills the database with names.
const MOST_CLAIMS: usize = 100;

/// `GET /organizations/{id}/domains`
pub(super) async fn list(
    app: web::Data<App>,
    id: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let found = resource::find_own::<Organization>(&app, &request, &id).await?;
    let items: Vec<Value> = found.domains.iter().map(|domain| view(&found, domain)).collect();
    Ok(HttpResponse::Ok().json(json!({"items": items, "next": null})))
}

/// `GET /organizations/{id}/domains/{domain}`
pub(super) async fn read(
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let (found, name) = find(&app, &request, &path).await?;
    Ok(HttpResponse::Ok().json(view(&found, held(&found, &name)?)))
}

/// `POST /organizations/{id}/domains`: a challenge, or the one that is still open. A wildcard needs no record of its own, but
/// its base verified (RULES 25).
pub(super) async fn claim(
    app: web::Data<App>,
    id: web::Path<String>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Failure> {
    let now = app.now();
    let found = resource::find_own::<Organization>(&app, &request, &id).await?;
    let mut fields = Fields::new(body::object(&request, &body)?);
    let name = fields.parsed("name", DomainPattern::try_from);
    let name = fields.require("name", name);
    if let Some(name) = &name {
        refuse_unownable(&mut fields, name);
    }
    let errors = fields.finish();
    let Some(name) = name.filter(|_| errors.is_empty()) else {
        return Err(Failure::fields(errors));
    };
    let old = found.domains.iter().find(|domain| domain.name == name);
    if let Some(old) = old.filter(|old| old.verified || proof::is_open(old, now)) {
        return Ok(HttpResponse::Ok().json(view(&found, old)));
    }
    let open = found.domains.iter().filter(|domain| !domain.verified && domain.name != name);
    if open.count() >= MOST_CLAIMS {
        return Err(Failure::field("name", "cannot be claimed before other claims are given up"));
    }
    let verified = name.is_wildcard();
    if verified && !proof::has_proven_base(&found.domains, &name) {
        let message = format!("needs {} verified first", name.base());
        return Err(Failure::field("name", message));
    }
    if verified {
        is_uncovered(&app, &request, &found, &name).await?;
    }
    let dns = (!verified).then(|| proof::challenge(app.random.as_ref(), now));
    let domain = OrganizationDomain { name, verified, dns };
    let new = put(&found, &domain);
    let made = save(&app, &request, &found, new).await?;
    Ok(HttpResponse::Created().json(view(&made, &domain)))
}

/// `POST /organizations/{id}/domains/{domain}/verify`: looks for the record. Only who has proven a domain is told that another
/// organization holds it.
pub(super) async fn verify(
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let now = app.now();
    let (found, name) = find(&app, &request, &path).await?;
    let old = held(&found, &name)?;
    if old.verified {
        return Ok(HttpResponse::Ok().json(view(&found, old)));
    }
    let Some(dns) = old.dns.as_ref().filter(|_| proof::is_open(old, now)) else {
        return Err(conflict("There is no open claim of this domain; claim it again."));
    };
    match recheck::see(&app, old, dns).await {
        Seen::There => {}
        Seen::Gone => return Err(no_record(&name, &dns.challenge)),
        Seen::Unknown => {
            let text = "DNS does not answer; try again.";
            return Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, text));
        }
    }
    is_free(&app, &request, &found, &name).await?;
    let dns = Some(proof::proven(dns, now));
    let domain = OrganizationDomain { name, verified: true, dns };
    let new = put(&found, &domain);
    let made = save(&app, &request, &found, new).await?;
    Ok(HttpResponse::Ok().json(view(&made, &domain)))
}

/// `DELETE /organizations/{id}/domains/{domain}`: gives it up.
pub(super) async fn delete(
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let (found, name) = find(&app, &request, &path).await?;
    held(&found, &name)?;
    let mut new = Organization::clone(&found.object);
    new.domains.retain(|domain| domain.name != name);
    let orphan = |domain: &&OrganizationDomain| {
        domain.verified
            && domain.name.is_wildcard()
            && !proof::has_proven_base(&new.domains, &domain.name)
    };
    if let Some(wildcard) = new.domains.iter().find(orphan) {
        return Err(conflict(&format!("{} needs it; give that up first.", wildcard.name)));
    }
    save(&app, &request, &found, new).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /organizations/{id}/domains/{domain}/transfer`: by the operator's word, wildcard included, in one step.
pub(super) async fn transfer(
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Failure> {
    let mut fields = Fields::new(body::object(&request, &body)?);
    let to = fields.parsed("to", Name::try_from);
    let to = fields.require("to", to);
    let errors = fields.finish();
    let Some(to) = to.filter(|_| errors.is_empty()) else { return Err(Failure::fields(errors)) };
    let (from, name) = find(&app, &request, &path).await?;
    let domain = OrganizationDomain { dns: None, ..held(&from, &name)?.clone() };
    let to = app.catalog.get::<Organization>(to.as_str()).await?;
    let to = to.filter(|to| to.name != from.name);
    let to = to.ok_or_else(|| Failure::field("to", "is not another organization"))?;
    let moves = |held: &OrganizationDomain| held.name.base() == name.base();
    if name.is_wildcard() || !domain.verified {
        return Err(conflict("Only a verified domain is transferred; its wildcard goes with it."));
    }
    let mut giver = Organization { updated_at: app.now(), ..Organization::clone(&from.object) };
    let mut taker = Organization { updated_at: app.now(), ..Organization::clone(&to.object) };
    taker.domains.retain(|held| !moves(held));
    let moved = giver.domains.extract_if(.., |held| moves(held));
    taker.domains.extend(moved.map(|held| OrganizationDomain { dns: None, ..held }));
    let changes = vec![
        (author::of(&app, &request), giver, from.revision),
        (author::of(&app, &request), taker.clone(), to.revision),
    ];
    app.catalog.update_together(changes).await.map_err(|error| {
        if matches!(error, CatalogError::Conflict { .. }) {
            let from = &from.name;
            return conflict(&format!("A connection of {from} lists it; take it out there first."));
        }
        error.into()
    })?;
    tracing::info!(from = from.id, to = to.id, domain = %name, "a domain was transferred");
    Ok(HttpResponse::Ok().json(view(&taker, &domain)))
}

async fn find(
    app: &App,
    request: &HttpRequest,
    path: &(String, String),
) -> Result<(Versioned<Organization>, DomainPattern), Failure> {
    let (id, domain) = path;
    let found = resource::find_own::<Organization>(app, request, id).await?;
    let name = DomainPattern::try_from(domain.clone());
    Ok((found, name.map_err(|_| Failure::not_found("domain"))?))
}

fn held<'a>(
    organization: &'a Organization,
    name: &DomainPattern,
) -> Result<&'a OrganizationDomain, Failure> {
    let found = organization.domains.iter().find(|domain| domain.name == *name);
    found.ok_or_else(|| Failure::not_found("domain"))
}

/// RULES 25: one holder at a time, and below another's wildcard only by the operator.
async fn is_free(
    app: &App,
    request: &HttpRequest,
    organization: &Organization,
    name: &DomainPattern,
) -> Result<(), Failure> {
    let holder = app.catalog.organization_holding(name.base()).await?;
    let Some(holder) = holder.filter(|holder| holder.name != organization.name) else {
        return Ok(());
    };
    if holder.domains.iter().any(|held| held.verified && held.name == *name) {
        let text = "Another organization holds this domain; the operator can transfer it.";
        return Err(conflict(text));
    }
    if is_operators(request) {
        return Ok(());
    }
    Err(conflict("It lies below another organization's wildcard; ask the operator to verify it."))
}

/// RULES 25: within another's wildcard a wildcard is claimed only by the operator, whoever holds its base.
async fn is_uncovered(
    app: &App,
    request: &HttpRequest,
    organization: &Organization,
    wildcard: &DomainPattern,
) -> Result<(), Failure> {
    let holder = app.catalog.organization_covering(wildcard).await?;
    let is_own = holder.is_none_or(|holder| holder == organization.name.as_str());
    if is_own || is_operators(request) {
        return Ok(());
    }
    Err(conflict("It lies within another organization's wildcard; ask the operator to claim it."))
}

fn is_operators(request: &HttpRequest) -> bool {
    caller::of(request).is_some_and(|caller| caller.organization().is_none())
}

/// The organization with this domain in place of what stood there of the same name.
fn put(organization: &Organization, domain: &OrganizationDomain) -> Organization {
    let mut new = organization.clone();
    match new.domains.iter_mut().find(|held| held.name == domain.name) {
        Some(held) => *held = domain.clone(),
        None => new.domains.push(domain.clone()),
    }
    new
}

async fn save(
    app: &App,
    request: &HttpRequest,
    found: &Versioned<Organization>,
    new: Organization,
) -> Result<Versioned<Organization>, Failure> {
    let new = Organization { updated_at: app.now(), ..new };
    let audited = app.catalog.audited(author::of(app, request));
    Ok(audited.update(&new, Some(found.revision)).await?)
}

fn conflict(text: &str) -> Failure {
    Failure::new(StatusCode::CONFLICT, text)
}

fn no_record(name: &DomainPattern, challenge: &str) -> Failure {
    let record = record_name(name.base());
    let message = format!("there is no TXT record {record} with the text {challenge} (yet)");
    Failure::conflict(vec![FieldError { field: "challenge".to_owned(), message }])
}

fn view(organization: &Organization, domain: &OrganizationDomain) -> Value {
    let base = DomainPattern::Exact(domain.name.base().clone());
    // a wildcard stands and falls with its base
    let source = organization.domains.iter().find(|held| held.name == base).unwrap_or(domain);
    let dns = domain.dns.as_ref();
    let proof = domain.verified.then(|| if source.dns.is_some() { "dns" } else { "operator" });
    let challenge = dns.map(|dns| {
        json!({
            "record": record_name(domain.name.base()),
            "value": dns.challenge,
            "expires_at": dns.expires_at,
        })
    });
    json!({
        "name": domain.name,
        "verified": domain.verified,
        "proof": proof,
        "challenge": challenge,
        "proven_at": dns.and_then(|dns| dns.proven_at),
        "lost_at": dns.and_then(|dns| dns.lost_at),
        "verified_until": proof::verified_until(domain),
    })
}
