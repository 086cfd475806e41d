//! `/password-accounts`: people who sign in at a `password` connection.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::body;
use super::failure::Failure;
use super::fields::Fields;
use super::resource::{self, Shown};
use super::sessions;
use crate::app::App;
use crate::catalog::{
    AccountEmail, Connection, ConnectionOptions, Identity, Name, Organization, PasswordAccount,
};
use crate::ids;
use crate::login::password::{Admission, admission};
use crate::passwords::{NewPassword, PasswordsError};

impl Shown for PasswordAccount {
    fn view(&self, _app: &App) -> Value {
        let mut members = writable(self);
        members.insert("has_password".to_owned(), json!(self.password.is_some()));
        members.insert("password_set_at".to_owned(), json!(self.set_at));
        members.insert("email_proven_at".to_owned(), json!(self.email_proven_at));
        resource::complete(members, &self.id, (self.created_at, self.updated_at))
    }

    async fn ends(app: &App, request: &HttpRequest, old: &Self, new: Option<&Self>) {
        let goes_on =
            new.is_some_and(|new| new.set_at == old.set_at && (new.enabled || !old.enabled));
        if goes_on {
            return;
        }
        if let Err(failure) = sign_out(app, request, old).await {
            tracing::error!(error = ?failure, account.id = old.id, "what an account began was not ended");
        }
    }
}

/// `POST /password-accounts`: without a password nobody can sign in until one is set.
pub(super) async fn create(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Failure> {
    let mut fields = Fields::new(body::object(&request, &body)?);
    let draft = Draft::read(&mut fields);
    let place = place(&app, &mut fields, &draft).await?;
    let password = judged(&mut fields, &draft, place.as_deref());
    let errors = fields.finish();
    let (Some(connection), Some(email), true) = (draft.connection, draft.email, errors.is_empty())
    else {
        return Err(Failure::fields(errors));
    };
    let now = app.now();
    let hash = hashed(&app, password.as_ref()).await?;
    let account = PasswordAccount {
        id: ids::id("pwa", app.random.as_ref()),
        connection,
        email,
        name: draft.name,
        set_at: hash.as_ref().map(|_| now),
        password: hash,
        email_proven_at: None,
        enabled: draft.enabled,
        created_at: now,
        updated_at: now,
    };
    resource::create(&app, &request, &account, Map::new()).await
}

/// `PATCH /password-accounts/{id}`: another name, another password, disabled or enabled.
pub(super) async fn update(
    app: web::Data<App>,
    id: web::Path<String>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Failure> {
    let (found, merged) = resource::patched(&app, &id, (&request, &body), writable).await?;
    let old: &PasswordAccount = &found.object;
    let mut fields = Fields::new(merged);
    let draft = Draft::read(&mut fields);
    if draft.connection.as_ref() != Some(&old.connection) {
        fields.refuse("connection", "cannot be changed; create another account");
    }
    if draft.email.as_ref() != Some(&old.email) {
        fields.refuse("email", "cannot be changed; create another account");
    }
    let place = app.catalog.get::<Connection>(old.connection.as_str()).await?;
    let password = judged(&mut fields, &draft, place.as_ref().map(|found| found.object.as_ref()));
    let errors = fields.finish();
    if !errors.is_empty() {
        return Err(Failure::fields(errors));
    }
    let hash = hashed(&app, password.as_ref()).await?;
    let now = app.now();
    let new = PasswordAccount {
        name: draft.name,
        enabled: draft.enabled,
        set_at: hash.as_ref().map(|_| now).or(old.set_at),
        password: hash.or_else(|| old.password.clone()),
        updated_at: now,
        ..old.clone()
    };
    resource::replace(&app, &request, &found, &new).await
}

/// Whatever somebody got with the old password, or by an account that is no more, is worth nothing from now on: sessions, codes
/// and tokens.
async fn sign_out(
    app: &App,
    request: &HttpRequest,
    account: &PasswordAccount,
) -> Result<(), Failure> {
    let identity = Identity {
        connection: account.connection.clone(),
        issuer: app.config.issuer.as_str().to_owned(),
        subject: account.id.clone(),
    };
    if let Some(user) = app.catalog.user_by_identity(&identity).await? {
        sessions::sign_out(app, request, &user.id).await?;
        sessions::end_all_of(app, request, &user.id).await;
    }
    Ok(())
}

struct Draft {
    connection: Option<Name>,
    email: Option<AccountEmail>,
    name: Option<String>,
    password: Option<String>,
    enabled: bool,
}

impl Draft {
    fn read(fields: &mut Fields) -> Self {
        let connection = fields.parsed("connection", Name::try_from);
        let connection = fields.require("connection", connection);
        let email = fields.parsed("email", AccountEmail::try_from);
        let email = fields.require("email", email);
        Self {
            connection,
            email,
            name: fields.label("name"),
            password: fields.text("password"),
            enabled: fields.flag("enabled").unwrap_or(true),
        }
    }
}

/// The connection of a new account, if the address can have one there (RULES 20, 21).
async fn place(
    app: &App,
    fields: &mut Fields,
    draft: &Draft,
) -> Result<Option<Arc<Connection>>, Failure> {
    let Some(name) = &draft.connection else { return Ok(None) };
    let found = app.catalog.get::<Connection>(name.as_str()).await?.map(|found| found.object);
    let is_ours = |c: &Arc<Connection>| matches!(c.options, ConnectionOptions::Password(_));
    let Some(connection) = found.filter(is_ours) else {
        fields.refuse("connection", "is not a connection of strategy password");
        return Ok(None);
    };
    let owner = match &connection.organization {
        Some(owner) => app.catalog.get::<Organization>(owner.as_str()).await?,
        None => None,
    };
    let owner = owner.as_ref().map(|found| found.object.as_ref());
    let Some(email) = &draft.email else { return Ok(Some(connection)) };
    match admission(app, &connection, owner, email).await? {
        Admission::Admitted => {}
        Admission::Enterprise => fields.refuse(
            "email",
            "is in a domain that another connection serves; add the address to the connection's `break_glass`, or leave it \
             to that one",
        ),
        Admission::Foreign => fields.refuse("email", "is not in a domain of the connection"),
    }
    Ok(Some(connection))
}

fn judged(
    fields: &mut Fields,
    draft: &Draft,
    connection: Option<&Connection>,
) -> Option<NewPassword> {
    let (typed, email) = (draft.password.as_ref()?, draft.email.as_ref()?);
    let ConnectionOptions::Password(options) = &connection?.options else { return None };
    match NewPassword::for_account(typed, email.address(), options.min_length) {
        Ok(password) => Some(password),
        Err(weak) => {
            fields.refuse("password", weak.to_string());
            None
        }
    }
}

async fn hashed(
    app: &App,
    password: Option<&NewPassword>,
) -> Result<Option<crate::catalog::PasswordHash>, Failure> {
    let Some(password) = password else { return Ok(None) };
    match app.passwords.hash(password.expose(), app.random.as_ref()).await {
        Ok(hash) => Ok(Some(hash)),
        Err(PasswordsError::Busy) => Err(Failure::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Too many passwords are being checked; try again.",
        )),
        Err(PasswordsError::Broken(why)) => Err(Failure::internal("hashing a password", &why)),
    }
}

fn writable(account: &PasswordAccount) -> Map<String, Value> {
    body::members(json!({
        "connection": account.connection,
        "email": account.email,
        "name": account.name,
        "enabled": account.enabled,
    }))
}
