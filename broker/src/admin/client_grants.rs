//! `/client-grants`

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::body;
use super::failure::Failure;
use super::fields::Fields;
use super::resource::{self, Shown};
use crate::app::App;
use crate::catalog::{
    Client, ClientGrant, DefaultFor, GrantHolder, GrantType, ResourceServer, SubjectType,
};
use crate::ids;

impl Shown for ClientGrant {
    fn view(&self, _app: &App) -> Value {
        resource::complete(writable(self), &self.id, (self.created_at, self.updated_at))
    }
}

/// `POST /client-grants`
pub(super) async fn create(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Failure> {
    let now = app.now();
    let draft = read(&app, body::object(&request, &body)?).await?;
    let id = ids::id("cgr", app.random.as_ref());
    let grant = ClientGrant { id, created_at: now, updated_at: now, ..draft };
    resource::create(&app, &request, &grant, Map::new()).await
}

/// `PATCH /client-grants/{id}`
pub(super) async fn update(
    app: web::Data<App>,
    id: web::Path<String>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Failure> {
    let (found, merged) = resource::patched(&app, &id, (&request, &body), writable).await?;
    let old: &ClientGrant = &found.object;
    let draft = read(&app, merged).await?;
    for (field, same) in [
        ("default_for", draft.holder.default_for() == old.holder.default_for()),
        ("client_id", draft.holder == old.holder),
        ("audience", draft.audience == old.audience),
        ("subject_type", draft.subject_type == old.subject_type),
    ] {
        if !same {
            return Err(Failure::field(
                field,
                "cannot be changed; delete this grant and create another",
            ));
        }
    }
    let new = ClientGrant { id: old.id.clone(), created_at: old.created_at, ..draft };
    resource::replace(&app, &request, &found, &new).await
}

/// Reads a POST body against the client and the API that it names; id and times are the caller's.
async fn read(app: &App, object: Map<String, Value>) -> Result<ClientGrant, Failure> {
    let mut fields = Fields::new(object);
    let holder = read_holder(&mut fields);
    let audience = fields.text("audience");
    let audience = fields.require("audience", audience);
    let scopes = fields.texts("scopes").unwrap_or_default();
    let subject_type = fields.choice("subject_type", "user or client").unwrap_or(SubjectType::User);
    if let Some(client_id) = holder.as_ref().and_then(GrantHolder::client_id) {
        check_client(app, &mut fields, client_id, subject_type).await?;
    }
    if let Some(audience) = &audience {
        check_api(app, &mut fields, audience, (&scopes, subject_type)).await?;
    }
    let errors = fields.finish();
    let (Some(holder), Some(audience), true) = (holder, audience, errors.is_empty()) else {
        return Err(Failure::fields(errors));
    };
    let now = app.now();
    let id = String::new();
    Ok(ClientGrant { id, holder, audience, scopes, subject_type, created_at: now, updated_at: now })
}

/// One of the two says whose it is.
fn read_holder(fields: &mut Fields) -> Option<GrantHolder> {
    let client_id = fields.text("client_id");
    let default_for: Option<DefaultFor> = fields.choice("default_for", "third_party_clients");
    match (client_id, default_for) {
        (Some(_), Some(_)) => {
            fields.refuse("default_for", "stands instead of client_id, not beside it");
            None
        }
        (None, Some(default_for)) => Some(GrantHolder::Default { default_for }),
        (None, None) if fields.is_refused("default_for") => None,
        (client_id, None) => {
            let client_id = fields.require("client_id", client_id)?;
            Some(GrantHolder::Client { client_id })
        }
    }
}

async fn check_client(
    app: &App,
    fields: &mut Fields,
    client_id: &str,
    subject_type: SubjectType,
) -> Result<(), Failure> {
    let Some(client) = app.catalog.get::<Client>(client_id).await? else {
        fields.refuse("client_id", "is not a client");
        return Ok(());
    };
    if subject_type == SubjectType::Client
        && !client.object.grant_types.contains(&GrantType::ClientCredentials)
    {
        fields.refuse(
            "subject_type",
            "is client, but the client's grant_types lack client_credentials",
        );
    }
    Ok(())
}

async fn check_api(
    app: &App,
    fields: &mut Fields,
    audience: &str,
    (scopes, subject_type): (&[String], SubjectType),
) -> Result<(), Failure> {
    let Some(server) = app.catalog.get::<ResourceServer>(audience).await? else {
        fields.refuse("audience", "is not the identifier of a resource server");
        return Ok(());
    };
    if server.object.identifier != audience {
        fields.refuse("audience", format!("must be the identifier `{}`", server.object.identifier));
    }
    if !server.object.allowed_subject_types.contains(&subject_type) {
        fields.refuse("subject_type", "is not one of the API's allowed_subject_types");
    }
    for (place, scope) in scopes.iter().enumerate() {
        if !server.object.scopes.iter().any(|known| &known.value == scope) {
            fields.refuse(
                &format!("scopes.{place}"),
                format!("`{scope}` is not a scope of this API"),
            );
        }
    }
    Ok(())
}

fn writable(grant: &ClientGrant) -> Map<String, Value> {
    body::members(json!({
        "client_id": grant.holder.client_id(),
        "default_for": grant.holder.default_for(),
        "audience": grant.audience,
        "scopes": grant.scopes,
        "subject_type": grant.subject_type,
    }))
}
