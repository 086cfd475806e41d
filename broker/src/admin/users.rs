//! `/users`

pub(super) mod erasure;
pub(super) mod export;

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::body;
use super::failure::Failure;
use super::fields::Fields;
use super::resource::{self, Shown};
use super::sessions;
use crate::app::App;
use crate::catalog::{Connection, Identity, Name, NormalizedClaims, Organization, User};
use crate::ids;

/// Longest upstream issuer and subject, characters (SAML Core §8.3.6 for entity ids).
const IDENTITY_LIMIT: usize = 1024;

impl Shown for User {
    fn view(&self, _app: &App) -> Value {
        let mut members = writable(self);
        members.insert("signed_out_at".to_owned(), json!(self.signed_out_at));
        resource::complete(members, &self.id, (self.created_at, self.updated_at))
    }

    async fn ends(app: &App, request: &HttpRequest, old: &Self, new: Option<&Self>) {
        if new.is_none_or(|user| user.blocked) {
            sessions::end_all_of(app, request, &old.id).await;
        }
    }
}

/// `POST /users`: a subject made before its first login, e.g. when a customer moves here.
pub(super) async fn create(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Failure> {
    let draft = read(&app, body::object(&request, &body)?).await?;
    let user = User { id: ids::id("usr", app.random.as_ref()), ..draft };
    resource::create(&app, &request, &user, Map::new()).await
}

/// `PATCH /users/{id}`: block, link and unlink, join organizations, correct claims until the next login.
pub(super) async fn update(
    app: web::Data<App>,
    id: web::Path<String>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Failure> {
    let (found, merged) = resource::patched(&app, &id, (&request, &body), writable).await?;
    let old: &User = &found.object;
    let draft = read(&app, merged).await?;
    let mut claims_elsewhere = old.claims_elsewhere.clone();
    claims_elsewhere.retain(|of, _| draft.identities.iter().any(|i| i.connection == *of));
    keeps_a_way_in(old, &draft)?;
    // what a block or an unlinking ends does not come back with the user, nor with another identity of the same connection
    let is_new_block = draft.blocked && !old.blocked;
    let unlinks = old.identities.iter().any(|identity| !draft.identities.contains(identity));
    let new = User {
        id: old.id.clone(),
        claims_from: old.claims_from.clone(),
        claims_elsewhere,
        signed_out_at: if is_new_block || unlinks { Some(app.now()) } else { old.signed_out_at },
        created_at: old.created_at,
        ..draft
    };
    resource::replace(&app, &request, &found, &new).await
}

/// A user who could sign in can do so after unlinking too, unless they are blocked.
fn keeps_a_way_in(old: &User, new: &User) -> Result<(), Failure> {
    if new.blocked || !new.identities.is_empty() || old.identities.is_empty() {
        return Ok(());
    }
    let text = "would leave the user no way to sign in; link another identity first, or block or delete the user";
    Err(Failure::field("identities", text))
}

/// Reads a POST body; the id is the caller's.
async fn read(app: &App, object: Map<String, Value>) -> Result<User, Failure> {
    let mut fields = Fields::new(object);
    let identities = read_identities(app, &mut fields).await?;
    let organizations = fields.parsed_list("organizations", Name::try_from).unwrap_or_default();
    for (place, name) in organizations.iter().enumerate() {
        if app.catalog.get::<Organization>(name.as_str()).await?.is_none() {
            fields.refuse(
                &format!("organizations.{place}"),
                format!("`{name}` is not an organization"),
            );
        }
    }
    let blocked = fields.flag("blocked").unwrap_or(false);
    let claims = read_claims(&mut fields);
    let errors = fields.finish();
    if !errors.is_empty() {
        return Err(Failure::fields(errors));
    }
    let now = app.now();
    let id = String::new();
    Ok(User {
        id,
        claims,
        claims_from: None,
        claims_elsewhere: BTreeMap::new(),
        identities,
        organizations,
        blocked,
        signed_out_at: None,
        created_at: now,
        updated_at: now,
    })
}

async fn read_identities(app: &App, fields: &mut Fields) -> Result<Vec<Identity>, Failure> {
    let mut identities = Vec::new();
    for mut inner in fields.objects("identities").unwrap_or_default() {
        identities.extend(read_identity(app, &mut inner).await?);
        fields.absorb(inner);
    }
    Ok(identities)
}

/// One identity, of a connection that exists.
pub(super) async fn read_identity(
    app: &App,
    fields: &mut Fields,
) -> Result<Option<Identity>, Failure> {
    let connection = fields.parsed("connection", Name::try_from);
    let connection = fields.require("connection", connection);
    let issuer = fields.text_up_to("issuer", IDENTITY_LIMIT);
    let issuer = fields.require("issuer", issuer);
    let subject = fields.text_up_to("subject", 4 * IDENTITY_LIMIT);
    let subject = fields.require("subject", subject);
    if let Some(name) = &connection
        && app.catalog.get::<Connection>(name.as_str()).await?.is_none()
    {
        fields.refuse("connection", "is not a connection");
    }
    let (Some(connection), Some(issuer), Some(subject)) = (connection, issuer, subject) else {
        return Ok(None);
    };
    Ok(Some(Identity { connection, issuer, subject }))
}

fn read_claims(fields: &mut Fields) -> NormalizedClaims {
    const FORM: &str = "an object of claims (OpenID Connect Core §5.1)";
    let given = fields.choice::<Map<String, Value>>("claims", FORM).unwrap_or_default();
    let claims: NormalizedClaims = match serde_json::from_value(Value::Object(given.clone())) {
        Ok(claims) => claims,
        Err(_) => {
            fields.refuse("claims", format!("must be {FORM}"));
            return NormalizedClaims::default();
        }
    };
    let known = body::members(json!(claims));
    for (name, value) in given {
        let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if !is_empty && !known.contains_key(&name) {
            fields.refuse(&format!("claims.{name}"), "is not a claim that users have");
        }
    }
    if claims.email.is_none() && claims.email_verified.is_some() {
        fields.refuse("claims.email_verified", "needs `email`");
    }
    claims
}

fn writable(user: &User) -> Map<String, Value> {
    body::members(json!({
        "claims": user.claims,
        "identities": user.identities,
        "organizations": user.organizations,
        "blocked": user.blocked,
    }))
}
