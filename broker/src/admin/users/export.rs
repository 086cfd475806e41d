//! `GET /users/{id}/export`: everything that is kept about a user, for them (Regulation (EU) 2016/679, Articles 15 and 20).

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use serde_json::{Value, json};

use crate::admin::failure::Failure;
use crate::admin::resource::{self, Shown as _};
use crate::admin::{consents, sessions};
use crate::app::App;
use crate::catalog::audit::LOGIN;
use crate::catalog::{AuditFilter, User};
use crate::oauth::error::Trouble;

/// Logins and changes in one answer, of each; `next` is where `/logs` goes on.
const LATEST: u32 = 200;

/// Answers with the user, what each identity provider said, sessions, consents, logins and changes.
pub(in crate::admin) async fn read(
    app: web::Data<App>,
    id: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    let user = resource::find::<User>(&app, &id).await?.object;
    let sessions = app.sso_sessions().of_user(&user.id).await.map_err(Trouble::from)?;
    Ok(HttpResponse::Ok().json(json!({
        "exported_at": app.now(),
        "user": user.view(&app),
        "claims_by_connection": claims_by_connection(&user),
        "sessions": sessions.iter().map(sessions::view).collect::<Vec<_>>(),
        "consents": consents::of(&app, &user.id).await?,
        "logins": logins(&app, &user.id).await?,
        "changes": changes(&app, &user.id).await?,
    })))
}

fn claims_by_connection(user: &User) -> Value {
    let latest = user.claims_from.as_ref().map(|connection| (connection, &user.claims));
    let all: BTreeMap<_, _> = user.claims_elsewhere.iter().chain(latest).collect();
    json!(all)
}

/// Each login as the audit log has it, with its trace as long as that is kept.
async fn logins(app: &App, user_id: &str) -> Result<Value, Failure> {
    let (kind, actor) = (Some(LOGIN.to_owned()), Some(user_id.to_owned()));
    let filter = AuditFilter { kind, actor, ..AuditFilter::default() };
    let listed = app.catalog.list_audit(&filter, LATEST, None).await?;
    let mut items = Vec::with_capacity(listed.items.len());
    for entry in listed.items {
        let trace = app.catalog.trace(&entry.object.id).await?;
        items.push(json!({"entry": entry, "trace": trace}));
    }
    Ok(json!({"items": items, "next": listed.next}))
}

/// What was changed about the user, and by whom.
async fn changes(app: &App, user_id: &str) -> Result<Value, Failure> {
    let filter = AuditFilter { object: Some(user_id.to_owned()), ..AuditFilter::default() };
    let listed = app.catalog.list_audit(&filter, LATEST, None).await?;
    Ok(json!({"items": listed.items, "next": listed.next}))
}
